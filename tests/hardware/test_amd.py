"""AMD devices, in a tree like the kernel's. Figures as people published them of such devices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmstack_tui.hardware.amd import Amd
from llmstack_tui.hardware.readings import DeviceKind

if TYPE_CHECKING:
    from pathlib import Path

GIB = 2**30
# A Radeon RX 6800: 16 GB, its table of metrics is of the first format.
CARD = {
    "vendor": b"0x1002\n",
    "device": b"0x73bf\n",
    "uevent": b"DRIVER=amdgpu\nPCI_CLASS=30000\nPCI_ID=1002:73BF\nPCI_SLOT_NAME=0000:03:00.0\n",
    "gpu_busy_percent": b"73\n",
    "mem_info_vram_total": b"17163091968\n",
    "mem_info_vram_used": b"4294967296\n",
    "mem_info_gtt_total": b"33554432000\n",
    "mem_info_gtt_used": b"52428800\n",
    "mem_info_vram_vendor": b"samsung\n",
    "gpu_metrics": bytes([0x78, 0, 1, 3, 0xFF]),
    "hwmon/hwmon2/temp1_input": b"58000\n",
    "hwmon/hwmon2/power1_average": b"214000000\n",
    "hwmon/hwmon2/power1_cap": b"317000000\n",
}
# A Ryzen AI MAX+ 395 with 4 GiB set aside of 128 GB: 96 GiB more from the main memory.
APU = {
    "vendor": b"0x1002\n",
    "device": b"0x1586\n",
    "uevent": b"PCI_SLOT_NAME=0000:c3:00.0\n",
    "gpu_busy_percent": b"4\n",
    "mem_info_vram_total": b"4294967296\n",
    "mem_info_vram_used": b"1073741824\n",
    "mem_info_gtt_total": b"103079215104\n",
    "mem_info_gtt_used": b"67645734912\n",
    "mem_info_vram_vendor": b"unknown\n",
    "gpu_metrics": bytes([0x08, 1, 3, 0]),
    "hwmon/hwmon5/temp1_input": b"41000\n",
    "hwmon/hwmon5/power1_input": b"15021000\n",
}


def tree(root: Path, **cards: dict[str, bytes]) -> Path:
    for name, files in cards.items():
        for file, content in files.items():
            path = root / "sys/class/drm" / name / "device" / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    return root


def without(files: dict[str, bytes], *names: str) -> dict[str, bytes]:
    return {name: content for name, content in files.items() if name not in names}


def test_a_card(tmp_path: Path) -> None:
    tree(tmp_path, card1=CARD)
    (tmp_path / "sys/class/drm/card1-DP-1").mkdir()
    (device,) = Amd(tmp_path).read().devices
    assert (device.kind, device.id, device.index) == (DeviceKind.AMD, "0000:03:00.0", 0)
    assert device.name == "AMD GPU 73bf"
    assert (device.total, device.used, device.free) == (17163091968, 4294967296, 17163091968 - 4294967296)
    assert (device.utilization_percent, device.temperature) == (73, 58.0)
    assert (device.power, device.power_limit) == (214.0, 317.0)
    assert not device.shared
    assert device.memory_word == "VRAM"


def test_a_processor_with_graphics_has_what_is_set_aside_and_a_share_of_the_memory(tmp_path: Path) -> None:
    (device,) = Amd(tree(tmp_path, card0=APU)).read().devices
    assert device.shared
    assert device.total == 100 * GIB
    assert device.used == GIB + 67645734912
    assert (device.temperature, device.power, device.power_limit) == (41.0, 15.021, None)
    assert device.memory_word == "unified memory"


def test_a_processor_with_much_set_aside_has_just_that(tmp_path: Path) -> None:
    apu = APU | {"mem_info_vram_total": b"%d\n" % (96 * GIB), "mem_info_gtt_total": b"%d\n" % (16 * GIB)}
    (device,) = Amd(tree(tmp_path, card0=apu)).read().devices
    assert (device.total, device.used, device.shared) == (96 * GIB, GIB, False)


def test_a_small_card_beside_much_memory_is_still_a_card(tmp_path: Path) -> None:
    """A Radeon RX 6400 has 4 GB and may use half of the main memory, which does not make it a processor."""
    card = CARD | {"mem_info_vram_total": b"4278190080\n"}
    (device,) = Amd(tree(tmp_path, card0=card)).read().devices
    assert (device.total, device.shared) == (4278190080, False)


@pytest.mark.parametrize(("files", "shared"), [(CARD, False), (APU, True)])
def test_older_ones_without_a_table_of_metrics(tmp_path: Path, files: dict[str, bytes], shared: bool) -> None:
    (device,) = Amd(tree(tmp_path, card0=without(files, "gpu_metrics"))).read().devices
    assert device.shared is shared


def test_cards_of_other_makers_and_screens_are_left_out(tmp_path: Path) -> None:
    other = without(CARD, "mem_info_vram_total") | {"vendor": b"0x8086\n"}
    nvidia = CARD | {"vendor": b"0x10de\n"}
    tree(tmp_path, card0=other, card1=nvidia, card10=APU, card2=CARD, renderD128=CARD)
    assert [device.id for device in Amd(tmp_path).read().devices] == ["0000:03:00.0", "0000:c3:00.0"]


def test_a_machine_without_any(tmp_path: Path) -> None:
    probed = Amd(tmp_path).read()
    assert (probed.devices, probed.errors) == ((), ())


def test_a_card_that_sleeps_is_not_woken_up(tmp_path: Path) -> None:
    (device,) = Amd(tree(tmp_path, card0=CARD | {"power/runtime_status": b"suspended\n"})).read().devices
    assert (device.utilization_percent, device.temperature, device.power) == (None, None, None)
    assert device.used == 4294967296


def test_what_is_missing_or_garbage_is_unknown(tmp_path: Path) -> None:
    files = CARD | {
        "mem_info_vram_used": b"-1\n",
        "gpu_busy_percent": b"255\n",
        "hwmon/hwmon2/temp1_input": b"\xff\xfe",
        "hwmon/hwmon2/power1_average": b"",
    }
    (device,) = Amd(tree(tmp_path, card0=files)).read().devices
    assert (device.used, device.free, device.utilization_percent) == (None, None, None)
    assert (device.temperature, device.power) == (None, None)
    assert device.total == 17163091968


def test_a_server_card_tells_its_name(tmp_path: Path) -> None:
    (device,) = Amd(tree(tmp_path, card0=CARD | {"product_name": b"AMD Instinct MI210\n"})).read().devices
    assert device.name == "AMD Instinct MI210"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(contents=st.dictionaries(st.sampled_from(sorted(APU)), st.binary(max_size=40)))
def test_any_content_is_a_reading(tmp_path: Path, contents: dict[str, bytes]) -> None:
    files = APU | contents | {"vendor": b"0x1002\n"}
    (device,) = Amd(tree(tmp_path, card0=files)).read().devices
    assert device.total is None or device.total > 0
    assert device.percent is None or 0 <= device.percent <= 100
