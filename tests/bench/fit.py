"""Whether estimates of memory are true: models of many shapes, loaded by the engine, and what they take.

A model is taken to use what its process occupies after a prompt of more than one batch, or after embedding a
text as long as its context. An estimate has to be within a tenth of that, and no more than 3 % below.
"""

from __future__ import annotations

import asyncio
import platform
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from llmstack_tui.engine.launch import RunnerConfig
from llmstack_tui.engine.runner import Runner
from llmstack_tui.fit.memory import Request, estimate
from llmstack_tui.fit.subject import of_header
from llmstack_tui.frozen import replace
from llmstack_tui.gguf.header import read_header
from llmstack_tui.gguf.repacking import repacked_size, repacked_types
from tests import models
from tests.bench.figures import Figure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from llmstack_tui.fit.memory import Estimate

LEAST, MOST = 0.97, 1.10
_MB = 1e6
# More than one batch of 512, and a context of 2k has room for it.
_PROMPT_TOKENS = 700

_LARGE, _SMALL = models.SHAPES["qwen2.5-0.5b"], models.SHAPES["smollm2-135m"]
_WIDE = replace(models.SHAPES["llama-3.2-1b"], layers=4, merges=60_000, tied=False)
_EXPERTS = replace(_SMALL, width=768, layers=8, hidden=1024, experts=8, experts_used=2, tied=False)
_WINDOWS = replace(
    _SMALL, layers=12, width=1024, heads=8, kv_heads=4, head_width=128, hidden=4096, window=1024
)
_EMBEDS = replace(_SMALL, layers=12, vocabulary=32_000, embeds=True)
_ALL_HEADS = replace(_SMALL, width=1024, layers=8, heads=16, kv_heads=16, hidden=2816, tied=False)


@dataclass(frozen=True, slots=True)
class Case:
    """A model, how to make its file, and the contexts and types of cache to load it with."""

    name: str
    make: Callable[[Path], object]
    runs: tuple[tuple[int, str], ...]


def _shaped(name: str, shape: models.Shape, quant: str, *runs: tuple[int, str]) -> Case:
    shape = replace(shape, context=max(shape.context, *(context for context, _ in runs)))
    tied = "tied" if shape.tied else "untied"
    return Case(f"{name} {quant} {tied}", lambda path: models.shaped(path, shape, quant), runs)


SMALL_CASES = (
    _shaped("135M", _SMALL, "Q8_0", (8192, "q8_0")),
    _shaped("135M", _SMALL, "Q4_0", (2048, "f16")),
    _shaped("8 experts", _EXPERTS, "Q8_0", (4096, "q4_0")),
)
CASES = (
    Case("scripted", models.scripted, ((4096, "f16"), (32_768, "q8_0"))),
    _shaped("135M", _SMALL, "Q8_0", (2048, "f16"), (8192, "q8_0")),
    _shaped("135M", _SMALL, "Q4_0", (4096, "f16"), (32_768, "q4_0")),
    _shaped("135M", replace(_SMALL, tied=False), "Q4_0", (8192, "f16")),
    _shaped("0.5B", _LARGE, "Q4_0", (2048, "f16"), (32_768, "q8_0")),
    _shaped("half of 0.5B", replace(_LARGE, layers=12, tied=False), "Q8_0", (8192, "q4_0"), (32_768, "f16")),
    _shaped("4 layers of 1B", _WIDE, "Q8_0", (4096, "q8_0"), (16_384, "f16")),
    _shaped("4 layers of 1B", replace(_WIDE, tied=True), "Q4_0", (16_384, "q4_0")),
    _shaped("8 experts", _EXPERTS, "Q8_0", (4096, "f16")),
    _shaped("8 experts", _EXPERTS, "Q4_0", (16_384, "q8_0")),
    _shaped("windows", _WINDOWS, "Q8_0", (2048, "f16"), (32_768, "f16")),
    _shaped("windows", _WINDOWS, "Q4_0", (16_384, "q8_0")),
    _shaped("embeddings", _EMBEDS, "Q8_0", (2048, "f16")),
    _shaped("as many key heads", _ALL_HEADS, "Q8_0", (8192, "f16"), (32_768, "q4_0")),
)


@dataclass(frozen=True, slots=True)
class Row(Figure):
    """One load. ``value`` is the estimate against what was used."""

    sizes: tuple[float, ...] = ()

    @property
    def kept(self) -> bool | None:
        return None if self.value is None else LEAST <= self.value <= MOST

    def line(self) -> str:
        if self.value is None:
            return f"     {self.what:<42} {self.note}"
        mark = "ok  " if self.kept else "OVER"
        return (
            f"{mark} {self.what:<42}"
            + "".join(f"{size:10.1f}" for size in (*self.sizes,))
            + f"{self.value:8.3f}"
        )


def figures() -> Iterator[Figure]:
    heads = "".join(f"{head:>10}" for head in ("weights", "cache", "compute", "process", "estimate", "used"))
    yield Row("model, context, cache; in MB", None, note=f"{heads}   ratio".lstrip("\n"))
    passed = True
    for row in rows(CASES):
        passed = passed and row.kept is True
        yield row
    yield Row("passed" if passed else "not passed", None, note=f"within {LEAST} to {MOST} of what is used")


def rows(cases: Iterable[Case]) -> Iterator[Row]:
    """One for each load."""
    with tempfile.TemporaryDirectory() as folder:
        for case in cases:
            weights = Path(folder) / "model.gguf"
            case.make(weights)
            for context, cache_type in case.runs:
                yield _row(case.name, weights, context, cache_type)


def _row(name: str, weights: Path, context: int, cache_type: str) -> Row:
    found = reckoned(weights, context, cache_type)
    assert found.parts is not None
    used = asyncio.run(_used(weights, context, cache_type))
    parts = found.parts
    sizes = (parts.weights, parts.cache, parts.compute, parts.process, found.total, used)
    what = f"{name}, {context // 1024}k, {cache_type}"
    return Row(what, found.total / used, sizes=tuple(size / _MB for size in sizes))


def reckoned(weights: Path, context: int, cache_type: str) -> Estimate:
    header = read_header(weights)
    subject = of_header(header, repacked_types(platform.machine()))
    request = Request(context_length=context, cache_type=cache_type)
    found = estimate(subject.weights, subject.shape, request)
    assert found is not None
    return found


async def _used(weights: Path, context: int, cache_type: str) -> int:
    header = read_header(weights)
    config = RunnerConfig(
        weights=weights,
        context_length=context,
        threads=2,
        cache_type=cache_type,
        mapped=not repacked_size(header, repacked_types(platform.machine())),
        embedding=header.is_embedding,
        mean_pooling=False,
    )
    runner = await Runner.start(config, folder=None)
    try:
        if header.is_embedding:
            text = [3 + number % 200 for number in range(context - 8)]
            await runner.call("/v1/embeddings", {"input": [text]})
            return runner.memory_bytes()
        prompt = [3 + number % 200 for number in range(_PROMPT_TOKENS)]
        async for _ in runner.stream("/completion", {"prompt": prompt, "n_predict": 2}):
            pass
        return runner.memory_bytes()
    finally:
        await runner.stop()
