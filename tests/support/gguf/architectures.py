"""Makes models of architectures that keep their context in other ways than ``llama``, with random weights.

``latent``   DeepSeek's: all heads of a layer have one latent of each token (MLA).
``state``    Mamba: each layer has a state of one size, however long the text is.
``heads``    Mamba 2: the same, in heads.
``hybrid``   Jamba: some layers have attention, the others a state.
``delta``    Qwen 3.5: the same, where states are changed by a rule of differences.
``mixing``   LFM 2: some layers have attention, the others mix a token with the two before it.
``encoder``  Nomic's BERT: it reads a text at once, for an embedding, and keeps nothing.

Each writes one file and returns its path, as the makers of `tests.support.gguf.models` do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from gguf import GGUFWriter, LlamaFileType

from tests.support.gguf.models import Vocabulary, write_vocabulary

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

Sizes = dict[str, tuple[int, ...]]
Metadata = dict[str, "int | float | Sequence[int]"]

_CONTEXT = 32_768
# What is not multiplied by, and has to be exact.
_FLOATS = frozenset({"ssm_a", "ssm_conv1d", "ssm_d", "ssm_norm", "conv", "token_types"})


def latent(path: Path, *, layers: int = 4, width: int = 512, tokens: int = 16_000) -> Path:
    heads, latents, turned, plain, value, hidden = 8, 256, 64, 128, 128, 2048
    sizes: Sizes = {
        "attn_norm.weight": (width,),
        "attn_q_a.weight": (384, width),
        "attn_q_a_norm.weight": (384,),
        "attn_q_b.weight": (heads * (plain + turned), 384),
        "attn_kv_a_mqa.weight": (latents + turned, width),
        "attn_kv_a_norm.weight": (latents,),
        "attn_k_b.weight": (heads, latents, plain),
        "attn_v_b.weight": (heads, value, latents),
        "attn_output.weight": (width, heads * value),
        **_feed_forward(width, hidden),
    }
    metadata: Metadata = {
        "feed_forward_length": hidden,
        "attention.head_count": heads,
        # As many as there are of what is kept: the one latent.
        "attention.head_count_kv": 1,
        "attention.q_lora_rank": 384,
        "attention.kv_lora_rank": latents,
        "attention.key_length": latents + turned,
        "attention.value_length": latents,
        "attention.key_length_mla": plain + turned,
        "attention.value_length_mla": value,
        "rope.dimension_count": turned,
        "leading_dense_block_count": layers,
        "expert_count": 0,
        "expert_used_count": 0,
        "expert_feed_forward_length": hidden,
        "expert_shared_count": 0,
        "expert_weights_scale": 1.0,
    }
    return _write(path, "deepseek2", _whole(width, tokens), [sizes] * layers, metadata)


def state(path: Path, *, layers: int = 12, width: int = 768, tokens: int = 16_000) -> Path:
    return _write(path, "mamba", _whole(width, tokens), [_state(width)] * layers, _state_metadata(width))


def heads(path: Path, *, layers: int = 12, width: int = 768, tokens: int = 16_000) -> Path:
    inner, size, groups = 2 * width, 64, 2
    turned, count = inner + 2 * groups * size, inner // 64
    sizes: Sizes = {
        "attn_norm.weight": (width,),
        "ssm_in.weight": (inner + turned + count, width),
        "ssm_conv1d.weight": (turned, 4),
        "ssm_conv1d.bias": (turned,),
        "ssm_dt.bias": (count,),
        "ssm_a": (count, 1),
        "ssm_d": (count, 1),
        "ssm_norm.weight": (groups, inner // groups),
        "ssm_out.weight": (width, inner),
    }
    metadata: Metadata = {
        **_state_metadata(width),
        "ssm.state_size": size,
        "ssm.time_step_rank": count,
        "ssm.group_count": groups,
    }
    return _write(path, "mamba2", _whole(width, tokens), [sizes] * layers, metadata)


def hybrid(path: Path, *, layers: int = 8, width: int = 768, tokens: int = 16_000) -> Path:
    heads, kv_heads, hidden = 12, 4, 2048
    attention: Sizes = {
        "attn_norm.weight": (width,),
        "attn_q.weight": (width, width),
        "attn_k.weight": (width * kv_heads // heads, width),
        "attn_v.weight": (width * kv_heads // heads, width),
        "attn_output.weight": (width, width),
    }
    rank = _rank(width)
    norms: Sizes = {"ssm_dt_norm.weight": (rank,), "ssm_b_norm.weight": (16,), "ssm_c_norm.weight": (16,)}
    with_attention = [layer % 4 == 3 for layer in range(layers)]
    kinds = [attention if each else {**_state(width), **norms} for each in with_attention]
    metadata: Metadata = {
        **_state_metadata(width),
        "feed_forward_length": hidden,
        "attention.head_count": heads,
        "attention.head_count_kv": [kv_heads if each else 0 for each in with_attention],
    }
    of_layers = [{**kind, **_feed_forward(width, hidden)} for kind in kinds]
    return _write(path, "jamba", _whole(width, tokens), of_layers, metadata)


def delta(path: Path, *, layers: int = 8, width: int = 768, tokens: int = 16_000) -> Path:
    heads, kv_heads, head, hidden = 8, 2, 64, 2048
    size, key_heads, value_heads = 128, 4, 8
    keys, inner = size * key_heads, size * value_heads
    attention: Sizes = {
        "attn_q.weight": (2 * heads * head, width),
        "attn_k.weight": (kv_heads * head, width),
        "attn_v.weight": (kv_heads * head, width),
        "attn_q_norm.weight": (head,),
        "attn_k_norm.weight": (head,),
        "attn_output.weight": (width, heads * head),
    }
    linear: Sizes = {
        "attn_qkv.weight": (2 * keys + inner, width),
        "attn_gate.weight": (inner, width),
        "ssm_conv1d.weight": (2 * keys + inner, 4),
        "ssm_dt.bias": (value_heads,),
        "ssm_a": (value_heads,),
        "ssm_beta.weight": (value_heads, width),
        "ssm_alpha.weight": (value_heads, width),
        "ssm_norm.weight": (size,),
        "ssm_out.weight": (width, inner),
    }
    both: Sizes = {
        "attn_norm.weight": (width,),
        "post_attention_norm.weight": (width,),
        **{name: each for name, each in _feed_forward(width, hidden).items() if name != "ffn_norm.weight"},
    }
    metadata: Metadata = {
        "feed_forward_length": hidden,
        "attention.head_count": heads,
        "attention.head_count_kv": kv_heads,
        "attention.key_length": head,
        "attention.value_length": head,
        "rope.dimension_count": head,
        "rope.dimension_sections": [11, 11, 10, 0],
        "full_attention_interval": 4,
        "ssm.conv_kernel": 4,
        "ssm.inner_size": inner,
        "ssm.state_size": size,
        "ssm.time_step_rank": value_heads,
        "ssm.group_count": key_heads,
    }
    of_layers = [{**(attention if layer % 4 == 3 else linear), **both} for layer in range(layers)]
    return _write(path, "qwen35", _whole(width, tokens), of_layers, metadata)


def mixing(path: Path, *, layers: int = 8, width: int = 768, tokens: int = 16_000) -> Path:
    heads, kv_heads, hidden = 12, 4, 3072
    head = width // heads
    attention: Sizes = {
        "attn_q.weight": (width, width),
        "attn_k.weight": (kv_heads * head, width),
        "attn_v.weight": (kv_heads * head, width),
        "attn_q_norm.weight": (head,),
        "attn_k_norm.weight": (head,),
        "attn_output.weight": (width, width),
    }
    mixed: Sizes = {
        "shortconv.conv.weight": (width, 3),
        "shortconv.in_proj.weight": (3 * width, width),
        "shortconv.out_proj.weight": (width, width),
    }
    both: Sizes = {"attn_norm.weight": (width,), **_feed_forward(width, hidden)}
    with_attention = [layer % 4 == 3 for layer in range(layers)]
    metadata: Metadata = {
        "feed_forward_length": hidden,
        "attention.head_count": heads,
        "attention.head_count_kv": [kv_heads if each else 0 for each in with_attention],
        "shortconv.l_cache": 3,
        "rope.freq_base": 1_000_000.0,
    }
    whole: Sizes = {"token_embd.weight": (tokens, width), "token_embd_norm.weight": (width,)}
    of_layers = [{**(attention if each else mixed), **both} for each in with_attention]
    return _write(path, "lfm2", whole, of_layers, metadata)


def encoder(path: Path, *, layers: int = 12, width: int = 768, tokens: int = 30_000) -> Path:
    hidden = 4 * width
    sizes: Sizes = {
        "attn_qkv.weight": (3 * width, width),
        "attn_output.weight": (width, width),
        "attn_output_norm.weight": (width,),
        "attn_output_norm.bias": (width,),
        "ffn_gate.weight": (hidden, width),
        "ffn_up.weight": (hidden, width),
        "ffn_down.weight": (width, hidden),
        "layer_output_norm.weight": (width,),
        "layer_output_norm.bias": (width,),
    }
    metadata: Metadata = {
        "feed_forward_length": hidden,
        "attention.head_count": width // 64,
        "attention.layer_norm_epsilon": 1e-12,
        "attention.causal": False,
        "pooling_type": 1,
        "rope.freq_base": 1000.0,
    }
    whole: Sizes = {
        "token_embd.weight": (tokens, width),
        "token_embd_norm.weight": (width,),
        "token_embd_norm.bias": (width,),
        "token_types.weight": (2, width),
    }
    return _write(path, "nomic-bert", whole, [sizes] * layers, metadata)


def _whole(width: int, tokens: int) -> Sizes:
    """What there is beside the layers."""
    return {
        "token_embd.weight": (tokens, width),
        "output.weight": (tokens, width),
        "output_norm.weight": (width,),
    }


def _rank(width: int) -> int:
    return width // 16


def _state_metadata(width: int) -> Metadata:
    return {
        "feed_forward_length": 0,
        "attention.head_count": 0,
        "ssm.conv_kernel": 4,
        "ssm.inner_size": 2 * width,
        "ssm.state_size": 16,
        "ssm.time_step_rank": _rank(width),
    }


def _state(width: int) -> Sizes:
    inner, rank = 2 * width, _rank(width)
    return {
        "attn_norm.weight": (width,),
        "ssm_in.weight": (2 * inner, width),
        "ssm_conv1d.weight": (inner, 4),
        "ssm_conv1d.bias": (inner,),
        "ssm_x.weight": (rank + 2 * 16, inner),
        "ssm_dt.weight": (inner, rank),
        "ssm_dt.bias": (inner,),
        "ssm_a": (inner, 16),
        "ssm_d": (inner,),
        "ssm_out.weight": (width, inner),
    }


def _feed_forward(width: int, hidden: int) -> Sizes:
    return {
        "ffn_norm.weight": (width,),
        "ffn_gate.weight": (hidden, width),
        "ffn_up.weight": (hidden, width),
        "ffn_down.weight": (width, hidden),
    }


def _write(path: Path, architecture: str, whole: Sizes, layers: Sequence[Sizes], metadata: Metadata) -> Path:
    """``whole`` are the tensors beside those of the layers."""
    tokens, width = whole["token_embd.weight"]
    vocabulary = Vocabulary(("the", " the", " and", "ing"), size=tokens)
    writer = GGUFWriter(path, architecture)
    writer.add_file_type(LlamaFileType.MOSTLY_F16)
    writer.add_vocab_size(tokens)
    writer.add_context_length(_CONTEXT)
    writer.add_embedding_length(width)
    writer.add_block_count(len(layers))
    writer.add_layer_norm_rms_eps(1e-5)
    for key, value in metadata.items():
        if isinstance(value, bool):
            writer.add_bool(f"{architecture}.{key}", value)
        elif isinstance(value, int):
            writer.add_uint32(f"{architecture}.{key}", value)
        elif isinstance(value, float):
            writer.add_float32(f"{architecture}.{key}", value)
        else:
            writer.add_array(f"{architecture}.{key}", value)
    write_vocabulary(writer, vocabulary)
    if "token_types.weight" in whole:
        writer.add_token_type_count(whole["token_types.weight"][0])
    random = np.random.default_rng(0)
    all_of_them = {**whole}
    for layer, sizes in enumerate(layers):
        all_of_them |= {f"blk.{layer}.{name}": size for name, size in sizes.items()}
    for name, size in all_of_them.items():
        values = random.normal(0, size[-1] ** -0.5, size)
        if name.endswith("ssm_a"):
            values = -np.exp(values)  # What is kept fades: a state that grew would overflow.
        is_matrix = len(size) > 1 and not _FLOATS & set(name.split("."))
        writer.add_tensor(name, values.astype(np.float16 if is_matrix else np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
