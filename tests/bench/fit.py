"""Whether estimates of memory are true: models of many shapes, loaded by the engine, and what they take.

A model is taken to use what its process occupies once its context was full: after prompts that fill each of
its slots, twice. An estimate has to be within a tenth of that, and no more than 3 % below. What a process has
set aside and never touched is not in memory, so a short prompt shows less: that is told as "at first".

A long prompt takes hours for a large model on a processor. Models that are so large that what a context adds
as it fills is a small part of them get a shorter one, which the column "prompt" tells.
"""

from __future__ import annotations

import asyncio
import platform
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from llmstack_tui.base.structs import replace
from llmstack_tui.engine.runners.messages import RunnerConfig
from llmstack_tui.engine.runners.runner import Runner
from llmstack_tui.fit.memory import Request, estimate
from llmstack_tui.fit.metadata import subject_of_header
from llmstack_tui.gguf.header import read_header
from llmstack_tui.gguf.repacking import repacked_size, repacked_types
from tests.bench.figures import Figure
from tests.support.gguf import architectures, models

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from llmstack_tui.fit.memory import Estimate

LEAST, MOST = 0.97, 1.10
_MB = 1e6
# More than one batch of 512, and a context of 2k has room for it.
_SHORT = 700
# Left of a context for an answer.
_ROOM = 40

_LARGE, _SMALL = models.SHAPES["qwen2.5-0.5b"], models.SHAPES["smollm2-135m"]
_WIDE = replace(models.SHAPES["llama-3.2-1b"], layers=4, merges=60_000, tied=False)
_EXPERTS = replace(_SMALL, width=768, layers=8, hidden=1024, experts=8, experts_used=2, tied=False)
_WINDOWS = replace(
    _SMALL, layers=12, width=1024, heads=8, kv_heads=4, head_width=128, hidden=4096, window=1024
)
_EMBEDS = replace(_SMALL, layers=12, vocabulary=32_000, embeds=True)
_ALL_HEADS = replace(_SMALL, width=1024, layers=8, heads=16, kv_heads=16, hidden=2816, tied=False)


@dataclass(frozen=True, slots=True)
class Load:
    """How a model is loaded and used.

    Attributes:
        parallel: slots, each with a prompt of its own.
        prompt: tokens; None is as many as there is room for.
    """

    context: int
    cache: str = "f16"
    parallel: int = 1
    prompt: int | None = None

    @property
    def tokens(self) -> int:
        return self.prompt or self.context - _ROOM


@dataclass(frozen=True, slots=True)
class Case:
    """A model, how to make its file, and how to load it."""

    name: str
    make: Callable[[Path], object]
    loads: tuple[Load, ...]


def _shaped(name: str, shape: models.Shape, quant: str, *loads: Load) -> Case:
    shape = replace(shape, context=max(shape.context, *(load.context for load in loads)))
    tied = "tied" if shape.tied else "untied"
    return Case(f"{name} {quant} {tied}", lambda path: models.shaped(path, shape, quant), loads)


_FEW = replace(_SMALL, layers=4)
SMALL_CASES = (
    Case("scripted", models.scripted, (Load(32_768), Load(4096, "q4_0", 3))),
    Case("endless", models.endless, (Load(2048),)),
    _shaped("4 layers of 135M", _FEW, "Q8_0", Load(2048, "q8_0")),
    _shaped("4 layers of 135M", replace(_FEW, tied=False), "Q4_0", Load(2048, parallel=2)),
    _shaped("8 experts", replace(_EXPERTS, layers=2), "Q8_0", Load(2048, "q4_0")),
    Case("latent (MLA) F16", lambda path: architectures.latent(path, layers=2), (Load(2048),)),
    Case("states (Mamba) F16", lambda path: architectures.state(path, layers=2), (Load(2048, parallel=2),)),
    Case("states (Qwen 3.5) F16", lambda path: architectures.delta(path, layers=4), (Load(2048),)),
    Case("encoder (Nomic) F16", lambda path: architectures.encoder(path, layers=2), (Load(2048),)),
)
CASES = (
    Case(
        "scripted",
        models.scripted,
        (
            Load(2048),
            Load(8192, "q4_0"),
            Load(32_768),
            Load(32_768, "q8_0"),
            Load(32_768, "q4_0"),
            Load(8192, parallel=4),
        ),
    ),
    Case("endless", models.endless, (Load(4096),)),
    Case("random weights", models.random_weights, (Load(2048), Load(2048, parallel=4))),
    _shaped("135M", _SMALL, "Q8_0", Load(2048), Load(2048, "q8_0")),
    _shaped("135M", _SMALL, "Q4_0", Load(4096)),
    _shaped(
        "10 layers of 135M", replace(_SMALL, layers=10, tied=False), "Q4_0", Load(8192), Load(2048, "q8_0", 4)
    ),
    _shaped("2 layers of 135M", replace(_SMALL, layers=2), "Q8_0", Load(16_384), Load(8192, "q8_0")),
    _shaped("0.5B", _LARGE, "Q4_0", Load(2048), Load(32_768, "q8_0", prompt=_SHORT)),
    _shaped(
        "half of 0.5B",
        replace(_LARGE, layers=12, tied=False),
        "Q8_0",
        Load(8192, "q4_0", prompt=_SHORT),
        Load(32_768, prompt=_SHORT),
    ),
    _shaped("4 layers of 1B", _WIDE, "Q8_0", Load(2048, "q8_0"), Load(16_384, prompt=_SHORT)),
    _shaped("4 layers of 1B", replace(_WIDE, tied=True), "Q4_0", Load(16_384, "q4_0", prompt=_SHORT)),
    _shaped("8 experts", _EXPERTS, "Q8_0", Load(4096)),
    _shaped("8 experts", _EXPERTS, "Q4_0", Load(4096, "q8_0")),
    _shaped("windows", _WINDOWS, "Q8_0", Load(2048)),
    _shaped("2 layers with windows", replace(_WINDOWS, layers=2, heads=2, kv_heads=1), "Q4_0", Load(32_768)),
    _shaped("embeddings", _EMBEDS, "Q8_0", Load(2048)),
    _shaped("as many key heads", _ALL_HEADS, "Q8_0", Load(4096), Load(32_768, "q4_0", prompt=_SHORT)),
    Case("latent (MLA) F16", architectures.latent, (Load(4096), Load(2048, "q8_0", 3))),
    Case("states (Mamba) F16", architectures.state, (Load(2048), Load(4096, parallel=3))),
    Case("states in heads (Mamba 2) F16", architectures.heads, (Load(4096),)),
    Case("states and attention (Jamba) F16", architectures.hybrid, (Load(2048), Load(4096, "q4_0"))),
    Case("states and attention (Qwen 3.5) F16", architectures.delta, (Load(2048), Load(4096, parallel=2))),
    Case("mixing and attention (LFM 2) F16", architectures.mixing, (Load(2048),)),
    Case("encoder (Nomic) F16", architectures.encoder, (Load(2048), Load(8192))),
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
            return f"     {self.what:<50} {self.note}"
        mark = "ok  " if self.kept else "OVER"
        sizes = "".join(f"{size:10.1f}" for size in self.sizes)
        return f"{mark} {self.what:<50}{self.note:>8}{sizes}{self.value:8.3f}"


def figures() -> Iterator[Figure]:
    heads = ("weights", "cache", "compute", "process", "estimate", "at first", "used")
    columns = "".join(f"{head:>10}" for head in heads)
    yield Row("model, context, cache; in MB", None, note=f" prompt{columns}   ratio")
    found = []
    for row in rows(CASES):
        found.append(row)
        yield row
    ratios = [row.value for row in found if row.value is not None]
    worst = max(ratios, key=lambda ratio: max(ratio / MOST, LEAST / ratio))
    passed = "passed" if all(row.kept for row in found) else "not passed"
    yield Row(
        passed,
        None,
        note=f"{len(ratios)} loads between {min(ratios):.3f} and {max(ratios):.3f} of what is used; "
        f"the worst of them is {worst:.3f}, and {LEAST} to {MOST} is allowed",
    )


def rows(cases: Iterable[Case]) -> Iterator[Row]:
    """One for each load."""
    with tempfile.TemporaryDirectory() as folder:
        for case in cases:
            weights = Path(folder) / "model.gguf"
            case.make(weights)
            for load in case.loads:
                yield _row(case.name, weights, load)


def _row(name: str, weights: Path, load: Load) -> Row:
    found = reckoned(weights, load)
    assert found.parts is not None
    first, used = asyncio.run(_used(weights, load))
    parts = found.parts
    sizes = (parts.weights, parts.cache, parts.compute, parts.process, found.total, first, used)
    slots = f" x {load.parallel}" if load.parallel > 1 else ""
    what = f"{name}, {load.context // 1024}k{slots}, {load.cache}"
    return Row(what, found.total / used, note=str(load.tokens), sizes=tuple(size / _MB for size in sizes))


def reckoned(weights: Path, load: Load) -> Estimate:
    header = read_header(weights)
    subject = subject_of_header(header, repacked_types(platform.machine()))
    request = Request(context_length=load.context, cache_type=load.cache, parallel=load.parallel)
    found = estimate(subject.weights, subject.shape, request)
    assert found is not None
    return found


async def _used(weights: Path, load: Load) -> tuple[int, int]:
    """Bytes that a process occupies after a short prompt, and when its context was full."""
    header = read_header(weights)
    config = RunnerConfig(
        weights=str(weights),
        context_length=load.context,
        parallel=load.parallel,
        threads=2,
        cache_type=load.cache,
        mapped=not repacked_size(header, repacked_types(platform.machine())),
        embedding=header.is_embedding,
        pooling="",
    )
    runner = await Runner.start(config, folder=None)
    try:
        await _prompts(runner, load, _SHORT, embeds=header.is_embedding)
        first = runner.memory_bytes()
        # Of the second all but the end is known: what it adds is what a request takes by itself.
        for tokens in (load.tokens, load.tokens + 1):
            await _prompts(runner, load, tokens, embeds=header.is_embedding)
        return first, runner.memory_bytes()
    finally:
        await runner.stop()


async def _prompts(runner: Runner, load: Load, tokens: int, *, embeds: bool) -> None:
    """One for each slot, at once."""

    async def prompt(slot: int) -> None:
        text = [3 + (number + slot) % 200 for number in range(tokens)]
        if embeds:
            await runner.call("/v1/embeddings", {"input": [text]})
            return
        async for _ in runner.stream("/completion", {"prompt": text, "n_predict": 2}):
            pass

    await asyncio.gather(*(prompt(slot) for slot in range(load.parallel)))
