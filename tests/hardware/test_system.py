from __future__ import annotations

from typing import TYPE_CHECKING

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmstack_tui.hardware import system
from llmstack_tui.hardware.readings import Pressure, Space
from llmstack_tui.hardware.system import CpuMeter, parse_pressure, read_disk, read_pressure, read_swap

if TYPE_CHECKING:
    from pathlib import Path

CALM = "some avg10=0.00 avg60=0.10 avg300=0.00 total=12345\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=99\n"


def write(root: Path, name: str, content: str) -> Path:
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)
    return root


@pytest.mark.parametrize(
    ("some", "full", "pressure"),
    [
        ("0.00", "0.00", Pressure.NORMAL),
        ("9.99", "9.99", Pressure.NORMAL),
        ("10.00", "0.00", Pressure.WARNING),
        ("55.12", "9.00", Pressure.WARNING),
        ("55.12", "10.00", Pressure.CRITICAL),
        ("100.00", "100.00", Pressure.CRITICAL),
    ],
)
def test_pressure(some: str, full: str, pressure: Pressure) -> None:
    rest = "avg60=0.00 avg300=0.00 total=1"
    assert parse_pressure(f"some avg10={some} {rest}\nfull avg10={full} {rest}\n") is pressure


def test_pressure_of_the_machine_or_of_the_container(tmp_path: Path) -> None:
    assert read_pressure(tmp_path) is None
    write(tmp_path, "proc/pressure/memory", CALM)
    assert read_pressure(tmp_path) is Pressure.NORMAL
    write(tmp_path, "proc/self/cgroup", "0::/app\n")
    assert read_pressure(tmp_path) is Pressure.NORMAL
    write(tmp_path, "sys/fs/cgroup/app/memory.pressure", CALM.replace("some avg10=0.00", "some avg10=20.00"))
    assert read_pressure(tmp_path) is Pressure.WARNING


@given(st.text())
def test_any_text_is_a_pressure_or_none(text: str) -> None:
    parse_pressure(text)
    parse_pressure(CALM + text)


def test_swap(tmp_path: Path) -> None:
    write(tmp_path, "proc/meminfo", "MemTotal: 1 kB\nSwapTotal:  2097152 kB\nSwapFree:  1048576 kB\n")
    assert read_swap(tmp_path) == Space(2**31, 2**30)
    write(tmp_path, "proc/meminfo", "SwapTotal: -1 kB\nSwapFree: 3 kB\n")
    assert read_swap(tmp_path) is None


def test_swap_where_there_is_no_such_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    swap = psutil.swap_memory()
    monkeypatch.setattr(psutil, "swap_memory", lambda: swap)
    assert read_swap(tmp_path) == Space(swap.total, swap.used)
    monkeypatch.setattr(psutil, "swap_memory", _refuse)
    assert read_swap(tmp_path) is None


def _refuse(*_: object) -> None:
    raise PermissionError("no")


def test_the_disk_of_a_folder_that_is_not_there_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = read_disk(tmp_path / "models" / "blobs")
    assert disk is not None
    assert disk.total == psutil.disk_usage(str(tmp_path)).total
    assert 0 < disk.free < disk.total
    monkeypatch.setattr(psutil, "disk_usage", _refuse)
    assert read_disk(tmp_path) is None


def test_how_busy_the_processors_are(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter([(10.0, 100.0), (15.0, 120.0), (15.0, 120.0), (5.0, 130.0), (35.0, 135.0)])
    monkeypatch.setattr(system, "_cpu_seconds", lambda: next(seconds))
    meter = CpuMeter()
    # At first nothing is known, and no time went by before the third; seconds that went back are no work.
    assert [meter.read() for _ in range(5)] == [None, 25.0, None, 0.0, 100.0]


def test_how_busy_this_machine_is() -> None:
    meter = CpuMeter()
    meter.read()
    busy = None
    while busy is None:
        busy = meter.read()
    assert 0 <= busy <= 100
