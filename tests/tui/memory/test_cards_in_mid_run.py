"""NVIDIA's library that fails while the dashboard is open: a real stack over the real machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pynvml

from llmstack_tui.config.settings import Settings
from llmstack_tui.core.options import StackOptions
from llmstack_tui.core.stack import Stack
from llmstack_tui.hardware.machine import Machine
from llmstack_tui.hardware.nvidia import Nvidia
from llmstack_tui.tui.app import Dashboard
from tests.support import seeded
from tests.support.fake_nvml import FakeCard, FakeNvml
from tests.support.waiting import wait_until
from tests.tui.driving import Desk
from tests.tui.fakes import FakeServices, FakeStack

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest


class RealStack(FakeServices):
    """A stack of no hosts over a machine."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(FakeStack(seeded.typical()))
        self._machine = machine

    async def open(self, hosts: Sequence[str]) -> Stack:
        return Stack((), StackOptions(machine=self._machine, machine_every_s=0.05))


async def test_a_card_that_is_lost_while_the_dashboard_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    cards = FakeCard(), FakeCard(name="NVIDIA GeForce RTX 3060", uuid="GPU-2")
    monkeypatch.setattr(pynvml, "nvmlLib", FakeNvml(*cards))
    monkeypatch.setattr(pynvml, "_nvmlGetFunctionPointer_cache", {})
    services = RealStack(Machine(nvidia=Nvidia()))
    app = Dashboard(Settings(), services)
    async with app.run_test(size=(120, 40)) as pilot:
        desk = Desk(app, cast("object", pilot))  # type: ignore[arg-type]
        await desk.until_shown("GPU 0 VRAM", "GPU 1 VRAM", "5.9 of 8.6 GB", "61 °C")
        cards[0].fails["*"] = pynvml.NVML_ERROR_GPU_IS_LOST
        await desk.until_shown("lost: it does not answer", "5.9 of 8.6 GB", "no longer answers")
        cards[1].fails["*"] = pynvml.NVML_ERROR_UNKNOWN
        await wait_until(lambda: "5.9 of 8.6 GB" not in desk.text, what="no figure of a card that is silent")
        assert "GPU 1" in desk.text
        await desk.press("?")
        await desk.until_shown("First steps")
        await desk.press("escape")
        await desk.until_shown("lost: it does not answer")
