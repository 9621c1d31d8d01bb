from __future__ import annotations

import logging
import sys
import time
from typing import TYPE_CHECKING

import psutil

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.hardware import machine as module
from llmstack_tui.hardware.amd import Amd
from llmstack_tui.hardware.mac import Mac
from llmstack_tui.hardware.machine import Machine
from llmstack_tui.hardware.nvidia import Nvidia
from llmstack_tui.hardware.readings import Device, DeviceKind, MachineReading, Pressure, Space, VendorReading
from tests.hardware.test_mac import Clock, Tools

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

GIB = 2**30


class Cards(Nvidia):
    """NVIDIA cards that are what the test says."""

    def __init__(self, *devices: Device, errors: tuple[Sentence, ...] = ()) -> None:
        super().__init__()
        self.probed = VendorReading(devices, errors)
        self.closed = False

    def read(self) -> VendorReading:
        return self.probed

    def close(self) -> None:
        self.closed = True


CARD = Device(kind=DeviceKind.NVIDIA, id="GPU-1", name="A card", total=8 * GIB, used=GIB)


def test_this_machine(tmp_path: Path) -> None:
    before = time.monotonic()
    machine = Machine(tmp_path)
    machine.read()
    reading = machine.read()
    machine.close()
    assert before <= reading.taken_at <= time.monotonic()
    assert reading.errors == ()
    assert reading.ram.total
    assert reading.ram.used
    assert reading.ram.free == reading.ram.total - reading.ram.used
    assert reading.ram.memory_word == "RAM"
    assert reading.disk is not None
    assert reading.disk.free > 0
    assert reading.swap is not None


def test_all_devices_are_told_and_what_is_wrong_with_them(tmp_path: Path) -> None:
    cards = Cards(CARD, errors=(Sentence("card.mismatch"),))
    machine = Machine(root=tmp_path, nvidia=cards)
    reading = machine.read()
    assert reading.devices == (CARD,)
    assert reading.errors == (Sentence("card.mismatch"),)
    assert reading.disk is None
    machine.close()
    assert cards.closed


def test_a_mistake_in_reading_one_thing_does_not_hide_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_self: Amd) -> VendorReading:
        raise ZeroDivisionError

    monkeypatch.setattr(Amd, "read", broken)
    with caplog.at_level(logging.ERROR):
        reading = Machine(root=tmp_path, nvidia=Cards(CARD)).read()
    assert reading.devices == (CARD,)
    assert reading.ram.total is not None
    assert reading.errors == (Sentence("unread.figures", {"what": "AMD"}),)
    assert "ZeroDivisionError" in caplog.text


def test_an_unknown_main_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise OSError("no")

    monkeypatch.setattr(psutil, "virtual_memory", refuse)
    reading = Machine(root=tmp_path, nvidia=Cards()).read()
    assert (reading.ram.total, reading.ram.used, reading.ram.percent) == (None, None, None)
    assert reading.errors == (Sentence("unread.figures", {"what": "RAM"}),)


def test_a_mac(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two looks of the tools the memory in use moves as psutil sees it move."""
    memory = psutil.virtual_memory()._replace(total=96 * GIB, available=60 * GIB)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
    clock = Clock()
    machine = Machine(root=tmp_path, nvidia=Cards(), mac=Mac(run=Tools(), clock=clock), clock=clock)
    first = machine.read()
    told = (2805832 - 29393 + 321922 + 610) * 16384
    assert first.ram.used == told
    assert (first.swap, first.pressure) == (Space(7168 * 2**20, 6416299458), Pressure.WARNING)
    (gpu,) = first.devices
    assert gpu.kind is DeviceKind.APPLE
    clock.now += 4
    memory = memory._replace(available=55 * GIB)
    second = machine.read()
    assert second.ram.used == told + 5 * GIB
    assert (second.age(None, clock.now), second.age(second.devices[0], clock.now)) == (0, 4)
    clock.now += 6
    assert machine.read().ram.used == told
    memory = memory._replace(available=0)
    assert machine.read().ram.used == 96 * GIB
    assert machine.read().devices[0].free == 0


def test_a_mac_is_known_by_its_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "Mac", lambda: Mac(run=Tools(), clock=Clock()))
    monkeypatch.setattr(sys, "platform", "linux")
    assert [each.kind for each in Machine(nvidia=Cards()).read().devices] == []
    monkeypatch.setattr(sys, "platform", "darwin")
    assert [each.kind for each in Machine(nvidia=Cards()).read().devices] == [DeviceKind.APPLE]


def test_figures_that_nobody_refreshed_grow_old() -> None:
    ram = Device(kind=DeviceKind.RAM, id="ram", name="RAM")
    slow = Device(kind=DeviceKind.APPLE, id="apple-gpu", name="Apple M1", taken_at=91.0)
    reading = MachineReading(taken_at=100.0, ram=ram, devices=(slow, CARD))
    assert [reading.age(device, 130.0) for device in (None, slow, CARD)] == [30.0, 39.0, 30.0]
    assert reading.age(None, 99.0) == 0.0


def test_shares() -> None:
    assert (CARD.percent, CARD.throttles) == (12.5, None)
    assert Space(0, 0).percent == 0
    assert (Space(10, 4).free, Space(10, 4).percent, Space(10, 12).free) == (6, 40, 0)
