"""Pulls from the test registry without a server in between."""

from __future__ import annotations

import random
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING

from llmstack_tui.base.names import ModelName
from llmstack_tui.library.library import Library
from llmstack_tui.registry.download.blob import PullOptions
from llmstack_tui.registry.download.pull import Pulls
from tests.support.gguf.files import Llama

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from llmstack_tui.registry.download.pull import PullStep
    from tests.support.registry import Registry, Version

PART = 64 * 1024
# Impatient, and with small parts of small blobs; notes are written with every piece.
QUICK = PullOptions(connections=4, part=PART, silence_s=0.5, tries=3, wait_s=0.01, save_every_s=0, reserve=0)
# Ten parts, and a bit.
_HEADER = bytes(Llama())
WEIGHTS = _HEADER + random.Random(5).randbytes(10 * PART + 17 - len(_HEADER))


@asynccontextmanager
async def pulls_into(own: Path, *others: Path, options: PullOptions = QUICK) -> AsyncIterator[Pulls]:
    pulls = Pulls(Library(own, others), options)
    try:
        yield pulls
    finally:
        await pulls.close()


async def pulled(
    pulls: Pulls, name: str, until: Callable[[PullStep], bool] = lambda step: False
) -> list[PullStep]:
    """All steps, or those up to the one at which the client leaves."""
    steps = []
    async with aclosing(pulls.pull(ModelName.parse(name), insecure=True)) as stream:
        async for step in stream:
            steps.append(step)
            if until(step):
                break
    return steps


def statuses(steps: list[PullStep]) -> list[str]:
    """Each once."""
    return list(dict.fromkeys(step.status for step in steps))


def blobs(own: Path) -> dict[str, int]:
    """The files among the blobs, by the beginning of the digest and what follows it, and their sizes."""
    return {path.name[7:19] + path.name[71:]: path.stat().st_size for path in (own / "blobs").glob("*")}


def texts(version: Version) -> set[str]:
    """The beginnings of the digests of all but the weights: the texts come first."""
    return {layer.digest[7:19] for layer in version.layers if layer.kind != "model"}


def ranges(registry: Registry, version: Version) -> list[tuple[int, int]]:
    """The first byte and the one after the last of each part of the weights that was asked for."""
    found = []
    for asked in registry.requests(f"/data/blobs/{version.weights.digest}"):
        first, _, last = asked.headers["range"].removeprefix("bytes=").partition("-")
        found.append((int(first), int(last) + 1))
    return found
