"""Which installed models are answered by the process of a loaded one that goes by another name.

Two names over the same weights share a process, unless something differs that it is started with; it is
listed under the name that loaded it (0.24, and ``needsReload`` in Ollama's ``server/sched.go``; the built-in
engine does the same). Only ``/api/show`` tells what a name is started with. It never changes for a digest, so
it is asked once for each, and only of models that look like a loaded one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from llmstack_tui.base.names import model_key
from llmstack_tui.base.structs import replace
from llmstack_tui.hosts.errors import HostError, NotFound

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from llmstack_tui.hosts.types import Model, ModelDetails, RunningModel

_FILES = re.compile(r"^(?:FROM|ADAPTER) .*sha256[-:]([0-9a-f]{64})", flags=re.MULTILINE)
_START_OPTIONS = frozenset({"num_ctx", "num_batch", "num_gpu", "main_gpu", "num_thread", "use_mmap"})
# Names over the same weights differ by their template, system prompt, parameters and licence.
_MOST_APART_BYTES = 1 << 20
# So that a poll never takes long; what is left is asked at the next one.
_SHOWS_A_POLL = 4


class _StartedFrom(NamedTuple):
    """The files and options that a process is started with; the first file are the weights."""

    weights: str | None
    all: frozenset[str] = frozenset()


class SharedProcesses:
    """What is known of how the processes of models are started, by digest.

    Args:
        show: asks for the details of a model by its name.

    Attributes:
        installed: the models of the server as it listed them last.
    """

    def __init__(self, show: Callable[[str], Awaitable[ModelDetails]]) -> None:
        self.installed: tuple[Model, ...] = ()
        self._show = show
        self._starts: dict[str, _StartedFrom] = {}

    async def with_answered(self, running: tuple[RunningModel, ...]) -> tuple[RunningModel, ...]:
        """The same, and the digests of other models that each of them answers for, as far as it is known."""
        alike = {each.digest: tuple(self._alike(each)) for each in running}
        missing = {
            model.digest: model.name
            for models in alike.values()
            for model in models
            if model.digest not in self._starts
        }
        for digest, name in [*missing.items()][:_SHOWS_A_POLL]:
            await self._learn(digest, name)
        return tuple(self._with_others(each, alike[each.digest]) for each in running)

    def _alike(self, running: RunningModel) -> Iterator[Model]:
        """Installed models that may have its weights, one for each digest, with that of its own digest."""
        by_digest = {model.digest: model for model in self.installed if model.digest and not model.is_cloud}
        mine = by_digest.get(running.digest)
        if mine is None:
            # Its name was removed: what was learned before says who has its weights.
            yield from (model for digest, model in by_digest.items() if digest in self._starts)
        elif mine.parameters is not None:
            yield mine
            yield from (
                model for model in by_digest.values() if model is not mine and _may_share(mine, model)
            )

    def learn(self, details: ModelDetails) -> None:
        """Keep what was asked for another purpose."""
        key = model_key(details.name)
        digest = next((each.digest for each in self.installed if model_key(each.name) == key), "")
        if digest:
            self._starts[digest] = _start(details)

    async def _learn(self, digest: str, name: str) -> None:
        try:
            self._starts[digest] = _start(await self._show(name))
        except NotFound:
            self._starts[digest] = _StartedFrom(None)
        except HostError:
            # Whatever is wrong, the list of what is loaded is right; it is asked again at the next poll.
            return

    def _with_others(self, running: RunningModel, alike: tuple[Model, ...]) -> RunningModel:
        start = self._starts.get(running.digest)
        if start is None or start.weights is None:
            return running
        others = {model.digest for model in alike if self._starts.get(model.digest) == start}
        others.discard(running.digest)
        return replace(running, weights_digest=start.weights, answers_for=frozenset(others))


def _may_share(one: Model, other: Model) -> bool:
    if one.size is None or other.size is None:
        return False
    kind = (one.family, one.parameters, one.quantization)
    return kind == (other.family, other.parameters, other.quantization) and (
        abs(one.size - other.size) < _MOST_APART_BYTES
    )


def _start(details: ModelDetails) -> _StartedFrom:
    files = _FILES.findall(details.modelfile)
    lines = (" ".join(line.split()) for line in details.parameters.splitlines())
    options = [line for line in lines if line.partition(" ")[0] in _START_OPTIONS]
    return _StartedFrom(files[0], frozenset([*files, *options])) if files else _StartedFrom(None)
