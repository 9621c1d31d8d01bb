"""What the models of a server of this machine compute and hold, for servers that do not say it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from llmstack_tui.base.address import is_loopback
from llmstack_tui.base.structs import replace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmstack_tui.hardware.processes import ModelProcesses, ProcessUse, Wanted
    from llmstack_tui.hosts.types import RunningModel


# Less is not worth a word.
_GRAIN = 2**18


class Processors:
    """Adds what the system says of its process to what the server at ``url`` lists as loaded."""

    def __init__(self, url: str) -> None:
        self._is_here = is_loopback(url)
        self._processes: ModelProcesses | None = None

    async def timed(self, running: tuple[RunningModel, ...]) -> tuple[RunningModel, ...]:
        """``running`` with what is known of those whose process runs on this machine."""
        if not self._is_here:
            # What another machine calls a process is another one here.
            return tuple(replace(each, pid=None) if each.pid is not None else each for each in running)
        wanted = {key for each in running if (key := _key(each))}
        if not wanted:
            return running
        used = await asyncio.to_thread(self._read, wanted)
        return tuple(_used(each, use) if (use := used.get(_key(each))) else each for each in running)

    def _read(self, wanted: set[Wanted]) -> Mapping[Wanted, ProcessUse]:
        if self._processes is None:
            from llmstack_tui.hardware.processes import ModelProcesses  # noqa: PLC0415 (with its own imports)

            self._processes = ModelProcesses()
        return self._processes.used(wanted)


def _key(running: RunningModel) -> Wanted:
    return running.pid or running.weights_digest or ""


def _used(running: RunningModel, use: ProcessUse) -> RunningModel:
    return replace(
        running,
        pid=use.pid,
        # One that counts its requests is known to work without.
        processor_s=use.processor_s if running.requests is None else None,
        resident=use.resident // _GRAIN * _GRAIN,
        mapped=use.mapped // _GRAIN * _GRAIN,
    )
