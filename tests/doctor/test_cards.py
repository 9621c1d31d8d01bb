"""Cards without a driver, without access, asleep, or not used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pynvml
import pytest

from llmstack_tui.base.kinds import HostKind
from llmstack_tui.doctor.facts import ServerFacts
from llmstack_tui.doctor.rules.cards import used
from llmstack_tui.doctor.types import FindingState
from llmstack_tui.hardware.readings import Device, DeviceKind, MachineReading
from llmstack_tui.hosts.types import RunningModel
from tests.doctor.checkups import NOBODY, said
from tests.support.fake_nvml import FakeCard, FakeNvml
from tests.support.pci import machine_with_card, suspend

if TYPE_CHECKING:
    from pathlib import Path

    from tests.doctor.checkups import Surroundings

GB = 10**9
RAM = Device(kind=DeviceKind.RAM, id="ram", name="RAM", total=32 * GB)
CARD = Device(kind=DeviceKind.NVIDIA, id="0", name="RTX 2070", total=8 * GB)


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> FakeNvml:
    """NVIDIA's library, with a card."""
    library = FakeNvml(FakeCard())
    monkeypatch.setattr(pynvml, "nvmlLib", library)
    monkeypatch.setattr(pynvml, "_nvmlGetFunctionPointer_cache", {})
    return library


@pytest.mark.usefixtures("library")
async def test_a_card_with_its_driver(here: Surroundings, tmp_path: Path) -> None:
    here.root = machine_with_card(tmp_path / "root")
    finding = await here.find("gpu.driver")
    assert finding.state is FindingState.FINE
    assert "RTX 2070 SUPER, driver 575.64.03, CUDA up to 12.9" in said(finding)


@pytest.mark.parametrize(
    ("driver", "words"),
    [("nouveau", "A card of NVIDIA has the driver nouveau."), ("", "in slot 0000:01:00.0 has no driver.")],
)
async def test_a_card_without_its_driver(here: Surroundings, tmp_path: Path, driver: str, words: str) -> None:
    here.root = machine_with_card(tmp_path / "root", driver=driver)
    finding = await here.find("gpu.driver")
    assert finding.state is FindingState.WARNING
    assert words in said(finding)


async def test_a_driver_that_does_not_suit_its_library(
    here: Surroundings, tmp_path: Path, library: FakeNvml
) -> None:
    library.init_code = 18  # NVML_ERROR_LIB_RM_VERSION_MISMATCH
    here.root = machine_with_card(tmp_path / "root")
    finding = await here.find("gpu.driver")
    assert finding.state is FindingState.BROKEN
    assert "restart the machine" in said(finding)


async def test_no_card(here: Surroundings, tmp_path: Path) -> None:
    here.root = tmp_path
    report = await here.examine()
    states = {each.id: each.state for each in report.findings if each.id.startswith("gpu.")}
    assert states.pop("gpu.engine") is FindingState.FINE
    assert set(states.values()) == {FindingState.DOES_NOT_APPLY}


async def test_a_suspended_card_is_left_asleep(here: Surroundings, tmp_path: Path, library: FakeNvml) -> None:
    here.root = machine_with_card(tmp_path / "root")
    suspend(here.root)
    finding = await here.find("gpu.asleep")
    assert (finding.state, library.calls) == (FindingState.FINE, 0)
    assert said(finding).startswith("NVIDIA card 0: suspended, and left asleep.")


@pytest.mark.parametrize(
    ("file", "state"), [("null", FindingState.WARNING), ("nvidiactl", FindingState.FINE)]
)
async def test_a_container(here: Surroundings, tmp_path: Path, file: str, state: FindingState) -> None:
    here.root = machine_with_card(tmp_path / "root", driver="")
    (here.root / ".dockerenv").touch()
    (here.root / "dev").mkdir()
    (here.root / "dev" / file).touch()
    assert (await here.find("gpu.container")).state is state


async def test_a_card_that_the_engines_build_does_not_use(here: Surroundings, tmp_path: Path) -> None:
    here.root = tmp_path
    vendor = tmp_path / "sys/class/drm/card0/device/vendor"
    vendor.parent.mkdir(parents=True)
    vendor.write_text("0x1002\n")
    finding = await here.find("gpu.engine")
    assert finding.state is FindingState.ADVICE
    assert "graphics card of AMD" in said(finding)


def model(size: int, on_card: int) -> RunningModel:
    return RunningModel(name="a:1", digest="d", size=size, size_vram=on_card)


WHOLE, HALF, NONE = model(5 * GB, 5 * GB), model(9 * GB, 5 * GB), model(GB, 0)


@pytest.mark.parametrize(
    ("kind", "loaded", "measured", "state"),
    [
        (HostKind.OLLAMA, (), (), FindingState.DOES_NOT_APPLY),
        (HostKind.OLLAMA, (WHOLE,), (NONE,), FindingState.FINE),
        (HostKind.OLLAMA, (WHOLE, NONE), (), FindingState.WARNING),
        (HostKind.OLLAMA, (HALF,), (), FindingState.WARNING),
        (HostKind.OLLAMA, (), (HALF,), FindingState.WARNING),
        (HostKind.OLLAMA, (), (WHOLE,), FindingState.FINE),
        # Its build computes on the processor, which `gpu.engine` tells.
        (HostKind.BUILTIN, (NONE,), (), FindingState.DOES_NOT_APPLY),
    ],
)
def test_whether_the_card_is_used(
    kind: HostKind,
    loaded: tuple[RunningModel, ...],
    measured: tuple[RunningModel, ...],
    state: FindingState,
) -> None:
    machine = MachineReading(taken_at=0.0, ram=RAM, devices=(CARD,))
    server = ServerFacts(url=NOBODY, named=False, kind=kind, loaded=loaded, measured=measured)
    (finding,) = used("gpu.used", machine, (server,))
    assert finding.state is state
    assert ("validate NAME" in said(finding)) == (not loaded and not measured)
