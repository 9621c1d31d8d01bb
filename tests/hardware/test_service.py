from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.hardware.machine import Machine
from llmstack_tui.hardware.readings import Device, DeviceKind, MachineReading
from llmstack_tui.hardware.service import MachineService
from tests.support.waiting import settle, wait_until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from llmstack_tui.hardware.profile import Profile
    from llmstack_tui.hardware.service import MachineReader

RAM = Device(kind=DeviceKind.RAM, id="ram", name="RAM")


class Slow:
    """A machine that answers when it is let."""

    def __init__(self) -> None:
        self.reads = 0
        self.at_once = 0
        self.most_at_once = 0
        self.closed_by: str | None = None
        self.threads: set[str] = set()
        self.let = threading.Event()
        self.let.set()
        self.failure: Exception | None = None

    def read(self) -> MachineReading:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.threads.add(threading.current_thread().name)
        self.reads += 1
        reads = self.reads
        self.let.wait(30)
        self.at_once -= 1
        if self.failure:
            raise self.failure
        return MachineReading(taken_at=float(reads), ram=RAM)

    def close(self) -> None:
        self.closed_by = threading.current_thread().name


def reading(
    machine: MachineReader, seen: list[MachineReading] | None = None, *, every_s: float = 1.0
) -> MachineService:
    def heard(reading: MachineReading, _: Profile) -> None:
        if seen is not None:
            seen.append(reading)

    return MachineService(
        on_reading=heard, on_notice=lambda notice: pytest.fail(notice.kind), machine=machine, every_s=every_s
    )


@contextlib.asynccontextmanager
async def running(service: MachineService) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(service.run())
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_reads_again_and_again_in_one_thread_of_its_own() -> None:
    machine, seen = Slow(), list[MachineReading]()
    service = reading(machine, seen, every_s=0.01)
    async with running(service):
        await wait_until(lambda: len(seen) >= 5)
    assert machine.threads == {"hardware"}
    assert machine.closed_by == "hardware"
    assert [reading.taken_at for reading in seen] == [float(n) for n in range(1, len(seen) + 1)]
    await wait_until(lambda: not any(thread.name == "hardware" for thread in threading.enumerate()))


async def test_never_two_readings_at_once() -> None:
    machine = Slow()
    machine.let.clear()
    service = reading(machine, every_s=0.001)
    async with running(service):
        await wait_until(lambda: machine.reads == 1)
        for number in range(20):
            service.set_visible(number % 2 == 1)
            await settle(1)
        assert machine.reads == 1
        machine.let.set()
        await wait_until(lambda: machine.reads > 3)
    assert machine.most_at_once == 1


async def test_at_once_when_somebody_looks() -> None:
    machine, seen = Slow(), list[MachineReading]()
    service = reading(machine, seen, every_s=60)
    async with running(service):
        await wait_until(lambda: seen)
        service.set_visible(False)
        service.set_visible(True)
        await wait_until(lambda: machine.reads == 2)


async def test_the_pause_of_a_hidden_one_is_ten_times_as_long(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    timeout = asyncio.timeout

    def noted(seconds: float) -> asyncio.Timeout:
        pauses.append(seconds)
        return timeout(seconds)

    machine = Slow()
    service = reading(machine, every_s=1.0)
    with monkeypatch.context() as patch:
        patch.setattr(asyncio, "timeout", noted)
        async with running(service):
            await wait_until(lambda: pauses == [1.0])
            service.set_visible(False)
            service.set_visible(True)
            service.set_visible(False)
            await wait_until(lambda: pauses == [1.0, 10.0])


async def test_a_driver_that_hangs_keeps_neither_the_loop_nor_the_end_waiting() -> None:
    machine = Slow()
    machine.let.clear()
    service = reading(machine, every_s=0.01)
    started = time.monotonic()
    async with running(service):
        await wait_until(lambda: machine.reads == 1)
    assert time.monotonic() - started < 5
    assert machine.closed_by is None
    thread = next(thread for thread in threading.enumerate() if thread.name == "hardware")
    assert thread.daemon
    machine.let.set()
    thread.join(5)
    assert not thread.is_alive()
    assert machine.closed_by == "hardware"


def test_a_driver_that_comes_back_after_the_loop_is_gone_harms_nobody() -> None:
    machine = Slow()
    machine.let.clear()

    async def once() -> None:
        async with running(reading(machine)):
            await wait_until(lambda: machine.reads == 1)

    asyncio.run(once())
    thread = next(thread for thread in threading.enumerate() if thread.name == "hardware")
    machine.let.set()
    thread.join(5)
    assert not thread.is_alive()


async def test_a_failure_is_raised_where_the_service_runs() -> None:
    machine = Slow()
    machine.failure = ValueError("broken")
    with pytest.raises(ValueError, match="broken"):
        await reading(machine).run()
    assert machine.closed_by == "hardware"


async def test_this_machine() -> None:
    seen: list[MachineReading] = []
    async with running(reading(Machine(), seen, every_s=0.01)):
        await wait_until(lambda: seen and seen[-1].cpu_percent is not None)
    assert seen[-1].ram.used


async def test_a_card_that_sleeps_at_the_start_gives_the_profile_when_it_wakes_up() -> None:
    card = Device(kind=DeviceKind.NVIDIA, id="0", name="A card", asleep=True)

    class Laptop:
        def read(self) -> MachineReading:
            return MachineReading(taken_at=0.0, ram=RAM, devices=(card,))

        def close(self) -> None:
            """Nothing is open."""

    seen: list[Profile] = []
    service = MachineService(
        on_reading=lambda _, profile: seen.append(profile), on_notice=lambda _: None, machine=Laptop()
    )
    await service.read_once()
    card = Device(kind=DeviceKind.NVIDIA, id="0", name="A card", total=8 * 2**30)
    await service.read_once()
    card = Device(kind=DeviceKind.NVIDIA, id="0", name="A card", total=8 * 2**30, asleep=True)
    await service.read_once()
    assert [profile.name for profile in seen] == ["cpu", "nvidia_8gb", "nvidia_8gb"]
