"""This machine's readings and its profile, into the state of the stack."""

from __future__ import annotations

import asyncio
import importlib
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from llmstack_tui.hardware.profile import Profile
    from llmstack_tui.hardware.readings import MachineReading
    from llmstack_tui.hardware.sampler import Readable, Sampler


class OnReading(Protocol):
    """Is told each reading, with the profile that was worked out from the first one."""

    def __call__(self, reading: MachineReading, profile: Profile) -> None: ...


class Hardware:
    """Reads the machine again and again within `run`.

    Args:
        machine: None is this machine.
        models: the folder whose disk is told of.
        profile: the name of a profile that the user chose, or None.
        on_notice: is told when there is no such profile.
    """

    def __init__(
        self,
        *,
        on_reading: OnReading,
        on_notice: Callable[[str], None],
        machine: Readable | None = None,
        models: Path | None = None,
        profile: str | None = None,
        every_s: float = 1.0,
    ) -> None:
        self._on_reading = on_reading
        self._on_notice = on_notice
        self._machine = machine
        self._models = models
        self._wanted = profile
        self._every_s = every_s
        self._profile: Profile | None = None
        self._sampler: Sampler | None = None
        self._visible = True

    def set_visible(self, visible: bool) -> None:
        self._visible = visible
        if self._sampler is not None:
            self._sampler.visible = visible

    async def run(self) -> None:
        # Not at the top, and not on the event loop: the libraries behind take a while to import.
        for name in ("machine", "sampler", "profile"):
            await asyncio.to_thread(importlib.import_module, f"llmstack_tui.hardware.{name}")
        from llmstack_tui.hardware.machine import Machine  # noqa: PLC0415
        from llmstack_tui.hardware.sampler import Sampler  # noqa: PLC0415

        machine = self._machine or Machine(self._models)
        self._sampler = Sampler(machine, on_reading=self._read, every_s=self._every_s)
        self._sampler.visible = self._visible
        await self._sampler.run()

    def _read(self, reading: MachineReading) -> None:
        self._profile = self._profile or self._worked_out(reading)
        self._on_reading(reading, self._profile)

    def _worked_out(self, reading: MachineReading) -> Profile:
        from llmstack_tui.hardware.profile import UnknownProfile, detect, named  # noqa: PLC0415

        if self._wanted is None:
            return detect(reading)
        try:
            return named(self._wanted, reading)
        except UnknownProfile as error:
            self._on_notice(str(error))
            return detect(reading)
