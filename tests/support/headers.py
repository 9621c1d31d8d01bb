"""The metadata of published models, as far as they decide about memory; and loads that were measured."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from llmstack_tui.fit.metadata import shape_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmstack_tui.fit.memory import Shape


def metadata(architecture: str, tokens: int = 128_256, **values: object) -> dict[str, object]:
    """Metadata of a GGUF file; a double underscore in a name is a point."""
    own = {f"{architecture}.{name.replace('__', '.')}": value for name, value in values.items()}
    return {"general.architecture": architecture, f"{architecture}.vocab_size": tokens, **own}


LLAMA_8B = metadata(
    "llama",
    block_count=32,
    context_length=131_072,
    embedding_length=4096,
    feed_forward_length=14_336,
    attention__head_count=32,
    attention__head_count_kv=8,
)
GEMMA_27B = metadata(
    "gemma3",
    262_144,
    block_count=62,
    context_length=131_072,
    embedding_length=5376,
    feed_forward_length=21_504,
    attention__head_count=32,
    attention__head_count_kv=16,
    attention__key_length=128,
    attention__value_length=128,
    attention__sliding_window=1024,
)
DEEPSEEK_V3 = metadata(
    "deepseek2",
    129_280,
    block_count=61,
    context_length=163_840,
    embedding_length=7168,
    feed_forward_length=18_432,
    expert_count=256,
    expert_used_count=8,
    expert_shared_count=1,
    expert_feed_forward_length=2048,
    attention__head_count=128,
    attention__head_count_kv=1,
    attention__kv_lora_rank=512,
    attention__key_length=576,
    attention__value_length=512,
    attention__key_length_mla=192,
    attention__value_length_mla=128,
)
GPT_OSS_20B = metadata(
    "gpt-oss",
    201_088,
    block_count=24,
    context_length=131_072,
    embedding_length=2880,
    feed_forward_length=2880,
    expert_count=32,
    expert_used_count=4,
    expert_feed_forward_length=2880,
    attention__head_count=64,
    attention__head_count_kv=8,
    attention__key_length=64,
    attention__value_length=64,
    attention__sliding_window=128,
)
MAMBA_1B = metadata(
    "mamba",
    50_280,
    block_count=48,
    context_length=1_048_576,
    embedding_length=2048,
    feed_forward_length=0,
    attention__head_count=0,
    ssm__conv_kernel=4,
    ssm__inner_size=4096,
    ssm__state_size=16,
    ssm__time_step_rank=128,
)
# Every eighth layer of Jamba has attention; its list of heads says which.
JAMBA = metadata(
    "jamba",
    65_536,
    block_count=16,
    context_length=262_144,
    embedding_length=2560,
    feed_forward_length=8192,
    attention__head_count=20,
    attention__head_count_kv=[1 if layer % 8 == 7 else 0 for layer in range(16)],
    ssm__conv_kernel=4,
    ssm__inner_size=5120,
    ssm__state_size=16,
)
NOMIC = metadata(
    "nomic-bert",
    30_522,
    block_count=12,
    context_length=2048,
    embedding_length=768,
    feed_forward_length=3072,
    attention__head_count=12,
)


def shape(data: Mapping[str, object]) -> Shape:
    """The shape, which these metadata do tell."""
    found = shape_of(data)
    assert found is not None
    return found


@dataclass(frozen=True)
class Took:
    """A load of which only this is known."""

    server_bytes: int | None = None
    context_length: int | None = 4096
    cache_type: str | None = None
    parallel: int | None = None
    device_bytes: Mapping[str, int] = field(default_factory=dict)
