"""The installed models that share the process of a loaded model with another name.

Two models with the same weights share a process if it would be started with the same files and options for
both. The server lists it under the name that loaded it (Ollama 0.24, ``needsReload`` in its
``server/sched.go``; the built-in engine does the same). Only ``/api/show`` tells the files and options. They
never change for a digest, so each digest is asked once, and only if its model resembles a loaded one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from llmstack_tui.base.names import model_key
from llmstack_tui.base.structs import replace
from llmstack_tui.hosts.errors import HostError, NotFound

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping

    from llmstack_tui.hosts.types import Model, ModelDetails, RunningModel

_FILES = re.compile(r"^(?:FROM|ADAPTER) .*sha256[-:]([0-9a-f]{64})", flags=re.MULTILINE)
_START_OPTIONS = frozenset({"num_ctx", "num_batch", "num_gpu", "main_gpu", "num_thread", "use_mmap"})
# Models with the same weights differ in template, system prompt, parameters and licence: less than this.
_MAX_DIFFERENCE_BYTES = 1 << 20
# So that no poll takes long; the next one asks for the rest. A command looks only once.
_SHOWS_PER_POLL = 16


class _StartedFrom(NamedTuple):
    """The files and options that a process is started with. ``weights``: the digest of the first file."""

    weights: str | None
    all: frozenset[str] = frozenset()


class SharedProcesses:
    """The files and options that models' processes are started with, by the models' digests, if known.

    Args:
        show: asks for the details of a model by its name.

    Attributes:
        installed: the models of the server, as it listed them last.
    """

    def __init__(self, show: Callable[[str], Awaitable[ModelDetails]]) -> None:
        self.installed: tuple[Model, ...] = ()
        self._show = show
        self._starts: dict[str, _StartedFrom] = {}

    async def with_shared(self, running: tuple[RunningModel, ...]) -> tuple[RunningModel, ...]:
        """The running models, each with the digests of the other models that share its process, if known."""
        if not running:
            return ()
        by_digest = {model.digest: model for model in self.installed if model.digest and not model.is_cloud}
        alike = {each.digest: tuple(self._alike(each, by_digest)) for each in running}
        missing = {
            model.digest: model.name
            for models in alike.values()
            for model in models
            if model.digest not in self._starts
        }
        for digest, name in [*missing.items()][:_SHOWS_PER_POLL]:
            await self._learn(digest, name)
        return tuple(self._with_others(each, alike[each.digest]) for each in running)

    def _alike(self, running: RunningModel, by_digest: Mapping[str, Model]) -> Iterator[Model]:
        """The installed models that may have the same weights, itself included, one for each digest."""
        mine = by_digest.get(running.digest)
        if mine is None:
            # Its name was removed: it can be compared only with the models known so far.
            yield from (model for digest, model in by_digest.items() if digest in self._starts)
        elif mine.parameters is not None:
            yield mine
            yield from (
                model for model in by_digest.values() if model is not mine and _may_share(mine, model)
            )

    def learn(self, details: ModelDetails) -> None:
        """Keep details that were asked for another purpose."""
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
            # The list of loaded models is right in any case; the next poll asks again.
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
        abs(one.size - other.size) < _MAX_DIFFERENCE_BYTES
    )


def _start(details: ModelDetails) -> _StartedFrom:
    files = _FILES.findall(details.modelfile)
    lines = (" ".join(line.split()) for line in details.parameters.splitlines())
    options = [line for line in lines if line.partition(" ")[0] in _START_OPTIONS]
    return _StartedFrom(files[0], frozenset([*files, *options])) if files else _StartedFrom(None)
