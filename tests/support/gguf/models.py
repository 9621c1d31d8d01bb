"""Makes very small GGUF models of the ``llama`` architecture for tests.

``scripted``        answers every chat with one sentence, then stops: for asserting on exact text.
``endless``         never stops, at some hundred tokens a second: for what happens while a model is busy.
``random_weights``  writes noise, but runs every part of the engine.
``shaped``          random weights in the dimensions of a real model: for memory and speed.

Each writes one file and returns its path. The tokenizer is byte-level BPE with ChatML's control tokens, so
that any text survives the way in and out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import islice, pairwise, product
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from gguf import GGMLQuantizationType, GGUFType, GGUFWriter, LlamaFileType, PoolingType, TokenType
from gguf.quants import quantize

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

ANSWER = "Hello from a tiny model running locally."
"""What a scripted model answers: 8 tokens, and a ninth that ends the turn."""

SHORT_ANSWER = "Hello from a tiny model"
"""What it answers with the adapter of `adapter`."""

CHATML = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
START, END, PADDING = "<|im_start|>", "<|im_end|>", "<|padding|>"

Matrix = npt.NDArray[np.generic]


def _byte_letters() -> list[str]:
    """The printable letter that stands for each byte in a byte-level vocabulary (GPT-2's convention)."""
    printable = {
        *range(ord("!"), ord("~") + 1),
        *range(ord("¡"), ord("¬") + 1),
        *range(ord("®"), ord("ÿ") + 1),
    }
    spare = iter(range(256, 512))
    return [chr(byte if byte in printable else next(spare)) for byte in range(256)]


@dataclass
class Vocabulary:
    """A byte-level BPE vocabulary in which each of ``words`` is one token."""

    words: Iterable[str] = ()
    size: int = 0
    tokens: list[str] = field(default_factory=list)
    merges: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.letters = _byte_letters()
        self.tokens = [START, END, PADDING, *self.letters]
        for word in self.words:
            while len(parts := self._split(word)) > 1:
                self.merges.append((parts[0], parts[1]))
                self.tokens.append(parts[0] + parts[1])
        self.used = len(self.tokens)
        self.fill(self.size)

    def add_pairs(self, count: int) -> None:
        """Tokens of two bytes, each with the merge that makes it."""
        pairs = list(islice(product(self.letters, self.letters), count))
        self.merges += pairs
        self.tokens += ["".join(pair) for pair in pairs if "".join(pair) not in self.tokens[: self.used]]
        self.used = len(self.tokens)

    def fill(self, size: int) -> None:
        """Make them ``size`` tokens, with some that stand for nothing."""
        self.tokens += [f"<|unused {number}|>" for number in range(self.used, size)]

    def _spelled(self, text: str) -> str:
        return "".join(self.letters[byte] for byte in text.encode())

    def _split(self, text: str) -> list[str]:
        parts = list(self._spelled(text))
        for first, second in self.merges:
            at = 0
            while at + 1 < len(parts):
                if parts[at] == first and parts[at + 1] == second:
                    parts[at : at + 2] = [first + second]
                at += 1
        return parts

    def __getitem__(self, token: str) -> int:
        return self.tokens.index(token if token in (START, END, PADDING) else self._spelled(token))

    @property
    def types(self) -> list[int]:
        kinds = {START: TokenType.CONTROL, END: TokenType.CONTROL, PADDING: TokenType.CONTROL}
        used = [kinds.get(token, TokenType.NORMAL) for token in self.tokens[: self.used]]
        return [*used, *[TokenType.UNUSED] * (len(self.tokens) - self.used)]


@dataclass(frozen=True, kw_only=True)
class Shape:
    width: int
    layers: int
    heads: int
    kv_heads: int
    head_width: int
    hidden: int
    context: int
    vocabulary: int = 0
    rope_base: float = 10_000.0
    merges: int = 0
    tied: bool = True
    window: int = 0
    experts: int = 0
    experts_used: int = 0
    embeds: bool = False

    @property
    def architecture(self) -> str:
        """One that has what the shape needs: every second layer of a Gemma 2 has a window."""
        return "gemma2" if self.window else "llama"

    @property
    def norms(self) -> tuple[str, ...]:
        """The vectors of one layer."""
        own = ("attn_norm", "ffn_norm")
        return (*own, "post_attention_norm", "post_ffw_norm") if self.window else own

    @property
    def matrices(self) -> dict[str, tuple[int, ...]]:
        """The weight matrices of one layer, as (rows, columns), or so many of them for experts."""
        queries, keys = self.heads * self.head_width, self.kv_heads * self.head_width
        return {
            "attn_q": (queries, self.width),
            "attn_k": (keys, self.width),
            "attn_v": (keys, self.width),
            "attn_output": (self.width, queries),
            **self._feed_forward,
        }

    @property
    def _feed_forward(self) -> dict[str, tuple[int, ...]]:
        up, down = (self.hidden, self.width), (self.width, self.hidden)
        if self.experts:
            many = {"ffn_gate_exps": up, "ffn_up_exps": up, "ffn_down_exps": down}
            return {name: (self.experts, *size) for name, size in many.items()}
        return {"ffn_gate": up, "ffn_up": up, "ffn_down": down}


SHAPES = {
    "llama-3.2-1b": Shape(
        width=2048, layers=16, heads=32, kv_heads=8, head_width=64, hidden=8192, context=131_072,
        vocabulary=128_256, rope_base=500_000.0,
    ),
    "qwen2.5-0.5b": Shape(
        width=896, layers=24, heads=14, kv_heads=2, head_width=64, hidden=4864, context=32_768,
        vocabulary=151_936, rope_base=1_000_000.0,
    ),
    "smollm2-135m": Shape(
        width=576, layers=30, heads=9, kv_heads=3, head_width=64, hidden=1536, context=8192,
        vocabulary=49_152, rope_base=100_000.0,
    ),
}  # fmt: skip


def write_vocabulary(writer: GGUFWriter, vocabulary: Vocabulary, *, begins: bool = False) -> None:
    """How a file tells what its tokens are, and whether each prompt ``begins`` with START."""
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(vocabulary.tokens)
    writer.add_token_types(vocabulary.types)
    writer.add_token_merges([" ".join(pair) for pair in vocabulary.merges])
    writer.add_bos_token_id(vocabulary[START])
    writer.add_eos_token_id(vocabulary[END])
    writer.add_pad_token_id(vocabulary[PADDING])
    writer.add_add_bos_token(begins)


def _write(
    path: Path,
    name: str,
    shape: Shape,
    vocabulary: Vocabulary,
    tensors: Iterable[tuple[str, Matrix]],
    *,
    quant: str = "F16",
    chat_template: str | None = CHATML,
    fills: bool = False,
    begins: bool = False,
) -> Path:
    writer = GGUFWriter(path, shape.architecture)
    writer.add_name(name)
    writer.add_license("cc0-1.0")
    file_type = "ALL_F32" if quant == "F32" else f"MOSTLY_{quant}"
    writer.add_file_type(LlamaFileType[file_type])
    writer.add_vocab_size(len(vocabulary.tokens))
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.hidden)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_key_length(shape.head_width)
    writer.add_value_length(shape.head_width)
    writer.add_rope_dimension_count(shape.head_width)
    writer.add_rope_freq_base(shape.rope_base)
    writer.add_layer_norm_rms_eps(1e-5)
    if shape.window:
        writer.add_sliding_window(shape.window)
    if shape.embeds:
        writer.add_pooling_type(PoolingType.MEAN)
    if shape.experts:
        writer.add_expert_count(shape.experts)
        writer.add_expert_used_count(shape.experts_used)
    write_vocabulary(writer, vocabulary, begins=begins)
    if chat_template is not None:
        writer.add_chat_template(chat_template)
    for part, token in (("pre", START), ("suf", END), ("mid", PADDING)) if fills else ():
        writer.add_uint32(f"tokenizer.ggml.fim_{part}_token_id", vocabulary[token])
    for tensor, values in tensors:
        # Quantised values are bytes already; the writer has to be told of what.
        kind = GGMLQuantizationType[quant] if values.dtype == np.uint8 else None
        writer.add_tensor(tensor, values, raw_dtype=kind)
    ones = np.ones(shape.width, np.float32)
    for layer in range(shape.layers):
        for norm in shape.norms:
            writer.add_tensor(f"blk.{layer}.{norm}.weight", ones)
    writer.add_tensor("output_norm.weight", ones)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


_SENTENCE = ("\n", "Hello", " from", " a", " tiny", " model", " running", " locally", ".")
_SENTENCE_NEXT: dict[str, tuple[str, ...]] = {
    **{word: (follower,) for word, follower in pairwise(_SENTENCE)},
    "Hello": (" from", " to"),
    " to": (" a",),
    " a": (" tiny", " small"),
    " small": (" model",),
    ".": (END,),
    END: ("\n",),
}
_CYCLE_NEXT: dict[str, tuple[str, ...]] = {
    "\n": (" on",),
    " on": (" and",),
    " and": (" on",),
}


def chain(
    path: Path,
    name: str,
    script: Mapping[str, tuple[str, ...]],
    *,
    otherwise: str,
    hidden: int,
    chat_template: str | None = CHATML,
) -> Path:
    """A model whose next token depends on the last one only: its first follower is the greedy one.

    Each token has an axis of its own in the residual stream, attention and feed-forward add nothing to it,
    and the output matrix is then the table of what follows what. A token that the script does not name is
    followed by ``otherwise``. ``hidden`` makes it as slow as it should be.
    """
    vocabulary = _vocabulary_of(script)
    count = len(vocabulary.tokens)
    width = 32 * math.ceil(count / 32)
    shape = Shape(width=width, layers=1, heads=1, kv_heads=1, head_width=32, hidden=hidden, context=32_768)
    # RMS norm scales the one axis in use to the root of the width.
    sure, step = 16 / math.sqrt(width), 0.5 / math.sqrt(width)
    follows = np.zeros((count, width), np.float16)
    follows[vocabulary[otherwise], :] = sure
    for word, followers in script.items():
        follows[:, vocabulary[word]] = 0
        for rank, follower in enumerate(followers):
            follows[vocabulary[follower], vocabulary[word]] = sure - step * rank

    def tensors() -> Iterator[tuple[str, Matrix]]:
        yield "token_embd.weight", np.eye(count, width, dtype=np.float16)
        yield "output.weight", follows
        for matrix, size in shape.matrices.items():
            yield f"blk.0.{matrix}.weight", np.zeros(size, np.float16)

    return _write(path, name, shape, vocabulary, tensors(), chat_template=chat_template)


def _vocabulary_of(script: Mapping[str, tuple[str, ...]]) -> Vocabulary:
    words = {word for pair in script.items() for word in (pair[0], *pair[1]) if len(word) > 1}
    return Vocabulary(sorted(words - {END, PADDING}))


def adapter(path: Path, *, architecture: str = "llama", tensor: str = "output.weight") -> Path:
    """A LoRA adapter with which a scripted model answers ``SHORT_ANSWER``."""
    vocabulary = _vocabulary_of(_SENTENCE_NEXT)
    count = len(vocabulary.tokens)
    writer = GGUFWriter(path, architecture)
    writer.add_type(GGUFType.ADAPTER)
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", 1.0)
    read, written = np.zeros((1, 32 * math.ceil(count / 32)), np.float32), np.zeros((count, 1), np.float32)
    read[0, vocabulary[" model"]] = 1
    written[vocabulary[END], 0] = 4
    writer.add_tensor(f"{tensor}.lora_a", read)
    writer.add_tensor(f"{tensor}.lora_b", written)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def scripted(path: Path, *, name: str = "Tiny Scripted", chat_template: str | None = CHATML) -> Path:
    """A model whose greedy answer to any chat is ``ANSWER``; about 0.5 MB. It embeds as a bag of tokens."""
    return chain(path, name, _SENTENCE_NEXT, otherwise=".", hidden=32, chat_template=chat_template)


def endless(path: Path, *, name: str = "Tiny Endless", hidden: int = 32_768) -> Path:
    """A model that answers " on and on and on …" until ``num_predict`` or the context ends; about 58 MB."""
    return chain(path, name, _CYCLE_NEXT, otherwise=" on", hidden=hidden)


def _noise(random: np.random.Generator, rows: int, columns: int) -> npt.NDArray[np.float32]:
    return random.normal(0, columns**-0.5, (rows, columns)).astype(np.float32)


def random_weights(
    path: Path, *, name: str = "Tiny Random", seed: int = 0, fills: bool = False, begins: bool = False
) -> Path:
    """A model of two layers that writes noise; about 0.2 MB.

    One that ``fills`` gaps has tokens for that: START before the text, END before what follows, PADDING last.
    Where a prompt ``begins``, llama.cpp puts START before it.
    """
    vocabulary = Vocabulary(("the", " the", " and", "ing", " of", " to", " in", "er"))
    shape = Shape(width=64, layers=2, heads=4, kv_heads=2, head_width=16, hidden=128, context=2048)
    random = np.random.default_rng(seed)

    def tensors() -> Iterator[tuple[str, Matrix]]:
        for tensor in ("token_embd", "output"):
            yield f"{tensor}.weight", _noise(random, len(vocabulary.tokens), shape.width).astype(np.float16)
        for layer in range(shape.layers):
            for matrix, size in shape.matrices.items():
                yield f"blk.{layer}.{matrix}.weight", _noise(random, *size).astype(np.float16)

    return _write(path, name, shape, vocabulary, tensors(), fills=fills, begins=begins)


def shaped(path: Path, preset: str | Shape, quant: str = "Q8_0", *, seed: int = 0) -> Path:
    """A model with the dimensions of a real one (``SHAPES``) and random weights of the type ``quant``."""
    shape = SHAPES[preset] if isinstance(preset, str) else preset
    vocabulary = Vocabulary(("the", " the", " and", "ing"))
    vocabulary.add_pairs(shape.merges)
    vocabulary.fill(shape.vocabulary)
    random = np.random.default_rng(seed)
    strips: dict[int, Matrix] = {}

    def matrix(*size: int) -> Matrix:
        # A billion numbers are slow to draw and to quantise. One strip, repeated, runs just as slowly.
        rows, columns = math.prod(size[:-1]), size[-1]
        if columns not in strips:
            strips[columns] = quantize(_noise(random, 256, columns), GGMLQuantizationType[quant])
        strip = strips[columns]
        values = np.tile(strip, (math.ceil(rows / len(strip)), 1))[:rows]
        return values.reshape(*size[:-1], -1)

    def tensors() -> Iterator[tuple[str, Matrix]]:
        yield "token_embd.weight", matrix(shape.vocabulary, shape.width)
        if not shape.tied:
            yield "output.weight", matrix(shape.vocabulary, shape.width)
        for layer in range(shape.layers):
            for name, size in shape.matrices.items():
                yield f"blk.{layer}.{name}.weight", matrix(*size)
            if shape.experts:
                yield f"blk.{layer}.ffn_gate_inp.weight", _noise(random, shape.experts, shape.width)

    name = preset if isinstance(preset, str) else "its own"
    return _write(path, f"Shape of {name}", shape, vocabulary, tensors(), quant=quant)
