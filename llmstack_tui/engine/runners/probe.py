"""Whether llama.cpp can read a Jinja template: it is asked, in a process of its own, with the smallest model.

A template may also crash llama.cpp or keep it busy for ever, as it is run when a model is loaded.
"""

from __future__ import annotations

import asyncio
import struct
from typing import TYPE_CHECKING

from llmstack_tui.engine.errors import LoadFailed
from llmstack_tui.engine.runners.messages import RunnerConfig
from llmstack_tui.engine.runners.runner import Runner

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# A tenth of a second on an idle machine.
_LIMIT_S = 30.0
_CONTEXT = 256
_GOOD = "{% for message in messages %}{{ message.content }}{% endfor %}"
_WIDTH = 32
_TOKENS = ("<unk>", "<s>", "</s>")
_UINT32, _INT32, _FLOAT32, _STRING, _ARRAY = 4, 5, 6, 8, 9
_ALIGNMENT = 32


async def template_fault(jinja: str, folder: Path, *, confine: bool, limit_s: float = _LIMIT_S) -> str | None:
    """Why llama.cpp cannot load a model with the template; None if it can, or cannot load any model here.

    Args:
        folder: a private one, for the model and a socket.
        limit_s: how long it may take, in seconds.
    """
    model = folder / "probe.gguf"
    if not model.exists():
        await asyncio.to_thread(model.write_bytes, smallest_model())
    fault = await _fault(jinja, model, limit_s, confine=confine)
    return fault if fault and await _fault(_GOOD, model, limit_s, confine=confine) is None else None


async def _fault(jinja: str, model: Path, limit_s: float, *, confine: bool) -> str | None:
    config = RunnerConfig(weights=str(model), context_length=_CONTEXT, threads=1, chat_template=jinja)
    try:
        async with asyncio.timeout(limit_s):
            runner = await Runner.start(config, folder=model.parent, confine=confine)
    except LoadFailed as error:
        return error.cause
    except TimeoutError:
        return "it does not come to an end"
    await runner.stop()
    return None


def smallest_model() -> bytes:
    """A GGUF file that llama.cpp loads: one layer of zeros, three tokens."""
    metadata = {
        "general.architecture": (_STRING, _text("llama")),
        "llama.block_count": (_UINT32, struct.pack("<I", 1)),
        "llama.context_length": (_UINT32, struct.pack("<I", _CONTEXT)),
        "llama.embedding_length": (_UINT32, struct.pack("<I", _WIDTH)),
        "llama.feed_forward_length": (_UINT32, struct.pack("<I", _WIDTH)),
        "llama.attention.head_count": (_UINT32, struct.pack("<I", 1)),
        "llama.attention.layer_norm_rms_epsilon": (_FLOAT32, struct.pack("<f", 1e-5)),
        "tokenizer.ggml.model": (_STRING, _text("llama")),
        "tokenizer.ggml.tokens": (_ARRAY, _array(_STRING, b"".join(map(_text, _TOKENS)))),
        "tokenizer.ggml.scores": (_ARRAY, _array(_FLOAT32, struct.pack("<3f", 0, 0, 0))),
        # Unknown, and two control tokens.
        "tokenizer.ggml.token_type": (_ARRAY, _array(_INT32, struct.pack("<3i", 2, 3, 3))),
    }
    vectors = ("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm")
    matrices = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
    shapes: dict[str, tuple[int, ...]] = {
        "token_embd": (_WIDTH, len(_TOKENS)),
        **dict.fromkeys(vectors, (_WIDTH,)),
        **dict.fromkeys((f"blk.0.{matrix}" for matrix in matrices), (_WIDTH, _WIDTH)),
    }
    return _file(metadata, shapes)


def _file(metadata: Mapping[str, tuple[int, bytes]], shapes: Mapping[str, tuple[int, ...]]) -> bytes:
    tensors, offset = b"", 0
    for name, shape in shapes.items():
        tensors += _text(f"{name}.weight") + struct.pack(f"<I{len(shape)}Q", len(shape), *shape)
        tensors += struct.pack("<IQ", 0, offset)
        rows = shape[1] if len(shape) > 1 else 1
        offset += 4 * shape[0] * rows
    pairs = b"".join(_text(key) + struct.pack("<I", kind) + value for key, (kind, value) in metadata.items())
    head = b"GGUF" + struct.pack("<IQQ", 3, len(shapes), len(metadata)) + pairs + tensors
    return head + bytes(-len(head) % _ALIGNMENT + offset)


def _text(text: str) -> bytes:
    return struct.pack("<Q", len(text)) + text.encode()


def _array(kind: int, values: bytes) -> bytes:
    return struct.pack("<IQ", kind, len(_TOKENS)) + values
