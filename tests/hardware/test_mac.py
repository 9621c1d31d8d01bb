"""The tools of a Mac, by what they wrote on real ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmstack_tui.hardware import mac
from llmstack_tui.hardware.mac import Mac, run_tool
from llmstack_tui.hardware.readings import DeviceKind, Pressure, Space

if TYPE_CHECKING:
    from collections.abc import Sequence

GIB = 2**30
RECORDED = Path(__file__).parent / "recorded"


def recorded(name: str) -> str:
    return (RECORDED / name).read_text()


class Clock:
    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now


class Tools:
    """A Mac's tools that answer what was recorded."""

    def __init__(self, **outputs: str | Exception) -> None:
        self.outputs: dict[str, str | Exception] = {
            "sysctl": recorded("sysctl/m3_pro_18gb.txt"),
            "vm_stat": recorded("vm_stat/mac_studio_96gb.txt"),
            "ioreg": recorded("ioreg/m4.txt"),
            **outputs,
        }
        self.calls: list[str] = []

    def __call__(self, command: Sequence[str]) -> str:
        tool = Path(command[0]).name
        self.calls.append(tool)
        output = self.outputs[tool]
        if isinstance(output, Exception):
            raise output
        return output


def test_memory_in_use_is_what_activity_monitor_says() -> None:
    """It said about 50 % of 96 GiB; a sum of active and wired pages would say a third."""
    used = mac.parse_vm_stat(recorded("vm_stat/mac_studio_96gb.txt"))
    assert used == (2805832 - 29393 + 321922 + 610) * 16384
    assert 0.48 < used / (96 * GIB) < 0.52


def test_memory_in_use_with_a_model_that_holds_most_of_it() -> None:
    """Wired, compressed (as it is, not as it was) and anonymous pages less those that may go."""
    used = mac.parse_vm_stat(recorded("vm_stat/128gb_with_a_model.txt"))
    assert used == (4913635 + 682369 + 1848551 - 22890) * 16384
    assert used < 128 * GIB


def test_the_size_of_a_page_is_what_the_header_says() -> None:
    used = mac.parse_vm_stat(recorded("vm_stat/intel_4096.txt"))
    assert used == (485320 + 628646 + 430715 + 715958 - 11820 - 1080348) * 4096


@pytest.mark.parametrize(
    "missing", ["page size", "Pages wired", "Pages purgeable", "File-backed", "occupied"]
)
def test_memory_in_use_is_unknown_when_a_figure_is_missing(missing: str) -> None:
    lines = recorded("vm_stat/mac_studio_96gb.txt").splitlines()
    assert mac.parse_vm_stat("\n".join(line for line in lines if missing not in line)) is None


def test_a_negative_count_is_unknown() -> None:
    text = recorded("vm_stat/mac_studio_96gb.txt").replace("321922", "-321922")
    assert mac.parse_vm_stat(text) is None


def test_more_spare_pages_than_pages_is_nothing_in_use() -> None:
    text = recorded("vm_stat/intel_4096.txt").replace("1080348", str(2**40))
    assert mac.parse_vm_stat(text) == 0


def test_counts_over_two_to_the_53_are_exact() -> None:
    text = recorded("vm_stat/mac_studio_96gb.txt").replace("321922", str(2**53 + 1))
    assert mac.parse_vm_stat(text) == (2805832 - 29393 + 2**53 + 1 + 610) * 16384


@pytest.mark.parametrize(
    ("file", "used", "busy"),
    [
        ("ioreg/m4.txt", 351141888, 21.0),
        ("ioreg/m5_pro.txt", 925630464, 0.0),
        ("ioreg/intel_and_radeon.txt", 268435456 + 134217728, 64.0),
    ],
)
def test_memory_of_the_graphics_unit(file: str, used: int, busy: float) -> None:
    assert mac.parse_ioreg(recorded(file)) == (used, busy)


def test_the_drivers_own_memory_is_not_the_memory_in_use() -> None:
    assert mac.parse_ioreg('"PerformanceStatistics" = {"In use system memory (driver)"=77}').used is None


def test_nothing_is_said_of_no_graphics_unit() -> None:
    assert mac.parse_ioreg("") == (None, None)
    assert mac.parse_ioreg('"In use system memory"=-1,"Device Utilization %"=4294967295') == (None, None)


def test_ioreg_spread_over_lines() -> None:
    text = '{\n  "In use system memory (driver)" = 0\n  "In use system memory" = 1048576\n}'
    assert mac.parse_ioreg(text).used == 1048576


@pytest.mark.parametrize(
    ("text", "swap"),
    [
        ("total = 7168.00M  used = 6119.06M  free = 1048.94M  (encrypted)", Space(7168 * 2**20, 6416299458)),
        ("total = 7168,00M  used = 6119,50M  free = 1048,50M", Space(7168 * 2**20, 12239 * 2**19)),
        ("total = 0.00M  used = 0.00M  free = 0.00M", Space(0, 0)),
        ("total = -1.00M  used = 0.00M", None),
        ("no swap", None),
    ],
)
def test_swap(text: str, swap: Space | None) -> None:
    assert mac.parse_swap(text) == swap


@pytest.mark.parametrize(
    ("brand", "key"),
    [
        ("Apple M1", "apple_m1"),
        ("Apple M3 Pro", "apple_m3_pro"),
        ("Apple M4 Max\n", "apple_m4_max"),
        ("Apple M2 Ultra", "apple_m2_ultra"),
        ("Apple M5", "apple_m5"),
        ("Apple A18 Pro", "apple_a18_pro"),
        ("Apple processor", "apple"),
        ("Intel(R) Core(TM) i7-9750H CPU @ 2.60GHz", None),
        ("VirtualApple @ 2.50GHz", None),
        ("", None),
    ],
)
def test_chips(brand: str, key: str | None) -> None:
    assert mac.chip(brand) == key


@pytest.mark.parametrize(
    ("gib", "macos", "megabytes"),
    [
        # Each from a log of llama.cpp that somebody published; before macOS 26 …
        (16, 15, 11453.25),
        (24, 15, 17179.89),
        (32, 14, 22906.50),
        (36, 15, 28991.03),
        (64, 13, 51539.61),
        (96, 13, 77309.41),
        # … and since.
        (16, 26, 12713.12),
        (18, 26, 14302.25),
        (24, 26, 19069.67),
        (32, 26, 26800.60),
        (36, 26, 30150.67),
        (48, 26, 40200.90),
        (64, 26, 55662.79),
        (128, 26, 115448.73),
    ],
)
def test_the_limit_of_the_graphics_unit_is_metals(gib: int, macos: int, megabytes: float) -> None:
    # To the page, and to the second digit that the log shows.
    assert mac.gpu_limit(gib * GIB, 0, macos) / 1e6 == pytest.approx(megabytes, abs=0.0164 + 0.005)


def test_the_limits_that_the_project_knows() -> None:
    """11.84 of 16 GB and 107.5 of 128 GiB were seen; of 8 GiB, 5.3."""
    assert mac.gpu_limit(16 * GIB, None, 26) / GIB == pytest.approx(11.84, abs=0.001)
    assert mac.gpu_limit(16 * GIB, None, 26) == 12713115648
    assert mac.gpu_limit(128 * GIB, None, 26) / GIB == pytest.approx(107.52, abs=0.001)
    assert mac.gpu_limit(8 * GIB, None, 26) / GIB == pytest.approx(5.33, abs=0.01)


def test_the_user_overrides_the_limit() -> None:
    """112.00 of 128 GiB was seen with 114688."""
    assert mac.gpu_limit(128 * GIB, 114688, 26) == 112 * GIB
    assert mac.gpu_limit(16 * GIB, 10**9, 26) == 16 * GIB


def test_an_unknown_system_gets_the_lower_limit() -> None:
    assert mac.gpu_limit(16 * GIB, None, None) == mac.gpu_limit(16 * GIB, None, 15)


@given(
    st.integers(0, 2**64 - 1), st.none() | st.integers(0, 2**64 - 1), st.none() | st.integers(0, 2**64 - 1)
)
def test_the_limit_is_never_more_than_the_memory(memory: int, wired: int | None, macos: int | None) -> None:
    assert 0 <= mac.gpu_limit(memory, wired, macos) < memory + 16384


@given(st.text() | st.from_regex(r"(Pages [a-z]+|File-backed pages): +-?[0-9]{1,30}[.,]?", fullmatch=True))
def test_any_text_is_a_reading_with_unknowns(text: str) -> None:
    header = "Mach Virtual Memory Statistics: (page size of 16384 bytes)\n"
    for sample in (text, header + text, recorded("vm_stat/intel_4096.txt") + text):
        assert (mac.parse_vm_stat(sample) or 0) >= 0
    mac.parse_swap(text)
    mac.parse_pressure(text)
    mac.chip(text)
    mac.macos_major(mac.parse_sysctl(text))
    used, busy = mac.parse_ioreg(text)
    assert used is None or used >= 0
    assert busy is None or 0 <= busy <= 100
    reading = Mac(run=Tools(sysctl=text, vm_stat=text, ioreg=text)).read()
    assert reading.errors == ()


def test_a_mac_as_a_whole() -> None:
    clock = Clock()
    reading = Mac(run=Tools(), clock=clock).read()
    assert reading.taken_at == 50.0
    assert reading.memory_used == mac.parse_vm_stat(recorded("vm_stat/mac_studio_96gb.txt"))
    assert reading.swap == Space(7168 * 2**20, 6416299458)
    assert reading.pressure is Pressure.WARNING
    gpu = reading.gpu
    assert gpu is not None
    assert (gpu.kind, gpu.name, gpu.total) == (DeviceKind.APPLE, "Apple M3 Pro", 14302248960)
    assert (gpu.used, gpu.free) == (351141888, 14302248960 - 351141888)
    assert (gpu.utilization_percent, gpu.shared, gpu.memory_word) == (21.0, True, "unified memory")
    assert gpu.taken_at == 50.0


def test_the_tools_are_asked_every_ten_seconds() -> None:
    clock, tools = Clock(), Tools()
    mac = Mac(run=tools, clock=clock)
    first = mac.read()
    clock.now += 9.9
    assert mac.read() is first
    assert len(tools.calls) == 3
    clock.now += 0.1
    assert mac.read().taken_at == 60.0
    assert sorted(tools.calls) == sorted(["sysctl", "vm_stat", "ioreg"] * 2)


def test_a_mac_with_a_processor_of_another_maker_has_no_device() -> None:
    sysctl = "hw.memsize: 17179869184\nmachdep.cpu.brand_string: Intel(R) Core(TM) i7-9750H CPU @ 2.60GHz\n"
    reading = Mac(run=Tools(sysctl=sysctl, ioreg=recorded("ioreg/intel_and_radeon.txt"))).read()
    assert reading.gpu is None
    assert reading.errors == ()


def test_a_tool_that_is_missing_or_hangs_is_named_and_the_others_count() -> None:
    reading = Mac(
        run=Tools(vm_stat=FileNotFoundError("no such file"), ioreg=TimeoutError("no answer"))
    ).read()
    assert reading.memory_used is None
    assert reading.gpu is not None
    assert (reading.gpu.used, reading.gpu.total) == (None, 14302248960)
    assert [each.params["tool"] for each in reading.errors] == ["vm_stat", "ioreg"]


def test_a_tool_is_run_without_a_shell_and_its_failure_does_not_count() -> None:
    assert run_tool(["/bin/sh", "-c", 'echo "$LC_ALL"; exit 3']) == "C\n"
    with pytest.raises(OSError, match="nowhere"):
        run_tool(["/nowhere/vm_stat"])


def test_a_tool_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmstack_tui.hardware.mac._TIMEOUT_S", 0.05)
    with pytest.raises(TimeoutError):
        run_tool(["/bin/sleep", "20"])
