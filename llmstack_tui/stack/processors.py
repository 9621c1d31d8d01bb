"""How much the models of a server of this machine compute, for servers that do not say it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from llmstack_tui.config.address import is_loopback

if TYPE_CHECKING:
    from llmstack_tui.hardware.processes import ModelProcesses
    from llmstack_tui.hosts.types import RunningModel


class Processors:
    """Adds the processor time to what the server at ``url`` lists as loaded."""

    def __init__(self, url: str) -> None:
        self._is_here = is_loopback(url)
        self._processes: ModelProcesses | None = None

    async def timed(self, running: tuple[RunningModel, ...]) -> tuple[RunningModel, ...]:
        digests = {each.weights_digest for each in running if each.requests is None and each.weights_digest}
        if not digests or not self._is_here:
            return running
        used = await asyncio.to_thread(self._read, digests)
        return tuple(replace(each, processor_s=used.get(each.weights_digest or "")) for each in running)

    def _read(self, digests: set[str]) -> dict[str, float]:
        if self._processes is None:
            from llmstack_tui.hardware.processes import ModelProcesses  # noqa: PLC0415 (with its own imports)

            self._processes = ModelProcesses()
        return dict(self._processes.processor_s(digests))
