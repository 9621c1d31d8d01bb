"""NVIDIA cards as the real pynvml tells them, over a library that does what is asked of it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pynvml
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.hardware import nvidia
from llmstack_tui.hardware.nvidia import Nvidia
from llmstack_tui.hardware.readings import Device, DeviceKind, Throttle
from tests.support.fake_nvml import MIB, NOT_AVAILABLE, FakeCard, FakeNvml, FakeSlice
from tests.support.pci import machine_with_card, suspend

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Install = Callable[[FakeNvml | None], None]


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Puts a library where pynvml loads NVIDIA's; None is a machine without one."""

    def install(library: FakeNvml | None) -> None:
        monkeypatch.setattr(pynvml, "nvmlLib", library)
        monkeypatch.setattr(pynvml, "_nvmlGetFunctionPointer_cache", {})

    yield install
    monkeypatch.undo()


def figures(device: Device) -> tuple[object, ...]:
    return (
        device.total,
        device.used,
        device.free,
        device.utilization_percent,
        device.temperature,
        device.power,
        device.power_limit,
        device.throttles,
        device.processes,
    )


UNKNOWN = (None,) * 9


def test_tells_all_that_a_card_knows(install: Install) -> None:
    card = FakeCard(
        compute={4711: 5100 * MIB}, graphics={4711: 5100 * MIB, 902: 310 * MIB}, throttle=0x04 | 0x20
    )
    install(FakeNvml(card))
    probed = Nvidia().read()
    assert probed.errors == ()
    (device,) = probed.devices
    assert device == Device(
        kind=DeviceKind.NVIDIA,
        id=card.uuid,
        index=0,
        name="NVIDIA GeForce RTX 2070 SUPER",
        total=8192 * MIB,
        used=5632 * MIB,
        free=2370 * MIB,
        utilization_percent=37,
        temperature=61,
        power=118.25,
        power_limit=215.0,
        throttles=(Throttle.HEAT, Throttle.POWER_LIMIT),
        processes={4711: 5100 * MIB, 902: 310 * MIB},
        driver="575.64.03",
        cuda="12.9",
    )
    assert device.throttles
    assert device.memory_word == "VRAM"


def test_a_machine_without_a_driver_has_no_cards_and_nothing_is_wrong(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(None)
    monkeypatch.setattr(pynvml, "CDLL", _no_library)
    probed = Nvidia().read()
    assert (probed.devices, probed.errors) == ((), ())


def _no_library(name: str) -> object:
    raise OSError(f"{name}: cannot open shared object file")


def test_a_driver_that_is_not_loaded_is_no_driver(install: Install) -> None:
    library = FakeNvml(FakeCard())
    library.init_code = pynvml.NVML_ERROR_DRIVER_NOT_LOADED
    install(library)
    assert Nvidia().read().errors == ()


def test_without_pynvml_there_are_no_cards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    probed = Nvidia().read()
    assert (probed.devices, probed.errors) == ((), ())


def test_a_driver_and_a_library_of_two_versions_are_named(install: Install) -> None:
    library = FakeNvml(FakeCard())
    library.init_code = pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH
    install(library)
    probed = Nvidia().read()
    assert probed.devices == ()
    (error,) = probed.errors
    assert error == Sentence("card.mismatch")


@pytest.mark.parametrize("code", [pynvml.NVML_ERROR_UNKNOWN, 12345])
def test_a_driver_that_fails_to_start_is_tried_again_later(install: Install, code: int) -> None:
    library, clock = FakeNvml(FakeCard()), Clock()
    library.init_code = code
    install(library)
    cards = Nvidia(clock=clock)
    (error,) = cards.read().errors
    assert error.kind == "card.no_driver"
    library.init_code = 0
    clock.now += 29
    assert cards.read().errors == (error,)
    clock.now += 1
    probed = cards.read()
    assert probed.errors == ()
    assert probed.devices[0].used == 5632 * MIB


def test_an_old_library_leaves_figures_unknown_and_falls_back_to_older_functions(install: Install) -> None:
    library = FakeNvml(FakeCard(compute={7: MIB}))
    library.missing = {
        "nvmlDeviceGetMemoryInfo_v2",
        "nvmlDeviceGetCurrentClocksEventReasons",
        "nvmlDeviceGetComputeRunningProcesses_v3",
        "nvmlDeviceGetGraphicsRunningProcesses_v3",
        "nvmlDeviceGetGraphicsRunningProcesses_v2",
        "nvmlDeviceGetMigMode",
        "nvmlSystemGetCudaDriverVersion_v2",
        "nvmlDeviceGetEnforcedPowerLimit",
    }
    install(library)
    probed = Nvidia().read()
    assert probed.errors == ()
    (device,) = probed.devices
    assert device.used == (5632 + 190) * MIB
    assert device.processes == {7: MIB}
    assert device.throttles == ()
    assert device.cuda is None
    assert device.power_limit is None
    assert device.temperature == 61


def test_a_library_with_nothing_but_cards_shows_a_card_without_figures(install: Install) -> None:
    library = FakeNvml(FakeCard())
    kept = {"nvmlInitWithFlags", "nvmlShutdown", "nvmlDeviceGetCount_v2", "nvmlDeviceGetHandleByIndex_v2"}
    library.missing = {name for name in dir(FakeNvml) if name.startswith("nvml")} - kept
    install(library)
    (device,) = Nvidia().read().devices
    assert figures(device) == UNKNOWN
    assert device.name == "NVIDIA card 0"
    assert not device.lost


def test_a_card_that_fails_in_mid_run_stays_and_comes_back(install: Install) -> None:
    card, clock = FakeCard(), Clock()
    library = FakeNvml(card)
    install(library)
    cards = Nvidia(clock=clock)
    healthy = cards.read().devices
    card.fails["*"] = pynvml.NVML_ERROR_UNKNOWN
    probed = cards.read()
    (device,) = probed.devices
    assert (device.name, device.id) == (healthy[0].name, healthy[0].id)
    assert figures(device) == UNKNOWN
    assert not device.lost
    assert probed.errors == (Sentence("card.no_memory", {"name": device.name, "why": "Unknown Error"}),)
    card.fails.clear()
    assert cards.read().devices == healthy
    clock.now += 30
    assert cards.read() == Nvidia(clock=clock).read()
    assert library.started == 3


def test_a_lost_card_is_a_state_and_is_looked_for_again(install: Install) -> None:
    card = FakeCard(name="NVIDIA GeForce RTX 3060", uuid="GPU-lost")
    other, clock = FakeCard(uuid="GPU-other"), Clock()
    library = FakeNvml(other, card)
    install(library)
    cards = Nvidia(clock=clock)
    healthy = cards.read().devices
    card.fails["*"] = pynvml.NVML_ERROR_GPU_IS_LOST
    probed = cards.read()
    for _ in range(3):
        probed = cards.read()
        assert probed.devices[0] == healthy[0]
        lost = probed.devices[1]
        assert lost.lost
        assert (lost.name, lost.index, figures(lost)) == ("NVIDIA GeForce RTX 3060", 1, UNKNOWN)
        (error,) = probed.errors
        assert error == Sentence("card.lost", {"name": lost.name})
        assert library.started == 1
        clock.now += 1
    # Anew: its handle is refused now, and it is still the same card.
    clock.now += 30
    assert cards.read().devices == probed.devices
    assert library.started == 2
    library.cards.remove(card)
    clock.now += 30
    assert cards.read().devices == probed.devices
    library.cards.append(card)
    card.fails.clear()
    clock.now += 30
    assert cards.read().devices == healthy
    assert cards.read().errors == ()
    assert library.sessions == 1


def test_a_card_that_was_lost_from_the_start_is_shown_by_its_number(install: Install) -> None:
    card, clock = FakeCard(fails={"*": pynvml.NVML_ERROR_GPU_IS_LOST}), Clock()
    install(FakeNvml(card))
    cards = Nvidia(clock=clock)
    (device,) = cards.read().devices
    assert device.lost
    assert device.name == "NVIDIA card 0"
    card.fails.clear()
    clock.now += 30
    (device,) = cards.read().devices
    assert (device.id, device.lost) == (card.uuid, False)


def test_all_known_cards_are_lost_when_the_driver_goes(install: Install) -> None:
    card, clock = FakeCard(), Clock()
    library = FakeNvml(card)
    install(library)
    cards = Nvidia(clock=clock)
    cards.read()
    card.fails["*"] = pynvml.NVML_ERROR_GPU_IS_LOST
    library.init_code = pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH
    cards.read()
    clock.now += 30
    probed = cards.read()
    (device,) = probed.devices
    assert (device.id, device.lost) == (card.uuid, True)
    assert probed.errors == (Sentence("card.mismatch"),)


def test_on_wsl_the_processes_are_unknown_and_nothing_is_wrong(install: Install) -> None:
    unknown = pynvml.NVML_ERROR_UNKNOWN
    fails = {
        f"nvmlDeviceGet{kind}RunningProcesses_v{v}": unknown
        for kind in ("Compute", "Graphics")
        for v in (2, 3)
    }
    install(
        FakeNvml(FakeCard(fails=fails | {"nvmlDeviceGetUtilizationRates": pynvml.NVML_ERROR_NOT_SUPPORTED}))
    )
    probed = Nvidia().read()
    (device,) = probed.devices
    assert device.processes is None
    assert device.utilization_percent is None
    assert device.used == 5632 * MIB
    assert probed.errors == ()


def test_a_process_of_unknown_size_is_known_to_be_there(install: Install) -> None:
    install(FakeNvml(FakeCard(compute={10: NOT_AVAILABLE, 11: 2**54 + 1}, graphics={10: NOT_AVAILABLE})))
    (device,) = Nvidia().read().devices
    assert device.processes == {10: None, 11: 2**54 + 1}


def test_a_card_that_uses_the_main_memory_says_so(install: Install) -> None:
    """As a DGX Spark does: both functions answer "not supported" (nvitop's pull request 208)."""
    code = pynvml.NVML_ERROR_NOT_SUPPORTED
    fails = {"nvmlDeviceGetMemoryInfo": code, "nvmlDeviceGetMemoryInfo_v2": code}
    install(FakeNvml(FakeCard(name="NVIDIA GB10", fails=fails)))
    probed = Nvidia().read()
    (device,) = probed.devices
    assert device.shared
    assert device.total is None
    assert device.memory_word == "unified memory"
    assert probed.errors == ()


def test_a_card_in_slices_is_its_slices(install: Install) -> None:
    first = FakeSlice(
        "NVIDIA A100-SXM4-40GB MIG 3g.20gb", "MIG-1", 19968 * MIB, 14366 * MIB, {31: 14000 * MIB}
    )
    second = FakeSlice("NVIDIA A100-SXM4-40GB MIG 1g.5gb", "MIG-2", 4864 * MIB, 13 * MIB)
    fails = {"nvmlDeviceGetUtilizationRates": pynvml.NVML_ERROR_NOT_SUPPORTED}
    card = FakeCard(name="NVIDIA A100-SXM4-40GB", uuid="GPU-a100", slices=[first, None, second], fails=fails)
    whole = FakeCard(uuid="GPU-whole")
    install(FakeNvml(card, whole))
    probed = Nvidia().read()
    assert probed.errors == ()
    one, two, three = probed.devices
    assert (one.name, one.id, one.parent, one.index) == (first.name, "MIG-1", "GPU-a100", 0)
    assert (one.total, one.used, one.processes) == (19968 * MIB, 14366 * MIB, {31: 14000 * MIB})
    assert (one.temperature, one.power, one.utilization_percent) == (61, 118.25, None)
    assert (two.id, two.used, two.processes) == ("MIG-2", 13 * MIB, {})
    assert (three.id, three.parent) == ("GPU-whole", None)


def test_a_slice_in_a_container_that_may_not_see_the_card(install: Install) -> None:
    """There the card itself answers "insufficient permissions" (nvidia-container-toolkit's issue 842)."""
    code = pynvml.NVML_ERROR_NO_PERMISSION
    slice_ = FakeSlice("NVIDIA H100 MIG 1g.10gb", "MIG-9", 9856 * MIB, 100 * MIB)
    install(
        FakeNvml(
            FakeCard(
                slices=[slice_], fails={"nvmlDeviceGetMemoryInfo": code, "nvmlDeviceGetMemoryInfo_v2": code}
            )
        )
    )
    probed = Nvidia().read()
    (device,) = probed.devices
    assert (device.id, device.total, device.shared) == ("MIG-9", 9856 * MIB, False)
    assert probed.errors == ()


def test_a_card_made_for_slices_without_any_is_useless_and_says_so(install: Install) -> None:
    install(FakeNvml(FakeCard(slices=[])))
    probed = Nvidia().read()
    assert len(probed.devices) == 1
    assert probed.errors[0].kind == "card.no_instance"


@pytest.mark.parametrize(
    ("bits", "reasons"),
    [
        (0x0, ()),
        (0x1 | 0x2 | 0x10 | 0x100, ()),
        (0x40, (Throttle.HEAT,)),
        (0x20 | 0x40, (Throttle.HEAT,)),
        (0x80 | 0x08, (Throttle.POWER_SUPPLY, Throttle.HARDWARE)),
    ],
)
def test_what_slows_a_card_down(install: Install, bits: int, reasons: tuple[Throttle, ...]) -> None:
    install(FakeNvml(FakeCard(throttle=bits)))
    (device,) = Nvidia().read().devices
    assert device.throttles == reasons


def test_the_bits_are_those_of_nvml() -> None:
    names = {
        Throttle.HEAT: pynvml.nvmlClocksEventReasonSwThermalSlowdown
        | pynvml.nvmlClocksEventReasonHwThermalSlowdown,
        Throttle.POWER_LIMIT: pynvml.nvmlClocksEventReasonSwPowerCap,
        Throttle.POWER_SUPPLY: pynvml.nvmlClocksEventReasonHwPowerBrakeSlowdown,
        Throttle.HARDWARE: pynvml.nvmlClocksEventReasonHwSlowdown,
    }
    assert {reason: mask for mask, reason in nvidia.THROTTLES} == names


def test_figures_beyond_reason_are_unknown(install: Install) -> None:
    install(FakeNvml(FakeCard(utilization=2**32 - 1, temperature=2**32 - 1, power=2**32 - 1)))
    (device,) = Nvidia().read().devices
    assert (device.utilization_percent, device.temperature, device.power) == (None, None, None)
    assert device.used is not None


def test_a_name_that_is_no_text_is_replaced(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    def name(_self: FakeNvml, _handle: object, text: object, _length: object) -> int:
        text.value = b"\xff\xfe"  # type: ignore[attr-defined]
        return 0

    monkeypatch.setattr(FakeNvml, "nvmlDeviceGetName", name)
    install(FakeNvml(FakeCard()))
    (device,) = Nvidia().read().devices
    assert device.name == "NVIDIA card 0"


def test_nothing_is_loaded_before_the_first_reading_and_closing_ends_the_session(install: Install) -> None:
    library = FakeNvml(FakeCard())
    install(library)
    cards = Nvidia()
    cards.close()
    assert library.calls == 0
    cards.read()
    assert library.sessions == 1
    cards.close()
    assert library.sessions == 0
    assert len(cards.read().devices) == 1
    cards.close()


FUNCTIONS = sorted(name for name in dir(FakeNvml) if name.startswith("nvmlDevice"))
CODES = sorted(value for name, value in vars(pynvml).items() if name.startswith("NVML_ERROR_"))


@given(
    steps=st.lists(
        st.dictionaries(st.sampled_from([*FUNCTIONS, "*"]), st.sampled_from(CODES), max_size=4), max_size=6
    ),
    missing=st.sets(st.sampled_from(FUNCTIONS), max_size=4),
    wait=st.floats(0, 60),
)
def test_whatever_fails_the_card_stays_and_nothing_is_raised(
    steps: list[dict[str, int]], missing: set[str], wait: float
) -> None:
    card, clock = FakeCard(compute={1: MIB}), Clock()
    library = FakeNvml(card)
    library.missing = missing - {
        "nvmlDeviceGetCount_v2",
        "nvmlDeviceGetHandleByIndex_v2",
        "nvmlDeviceGetUUID",
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pynvml, "nvmlLib", library)
        patch.setattr(pynvml, "_nvmlGetFunctionPointer_cache", {})
        cards = Nvidia(clock=clock)
        assert cards.read().devices[0].id == card.uuid
        for fails in steps:
            clock.now += wait
            card.fails = dict(fails)
            probed = cards.read()
            (device,) = probed.devices
            assert device.index == 0
            assert probed.errors or not device.lost
        card.fails.clear()
        clock.now += 30
        cards.read()
        (device,) = cards.read().devices
        assert device.id == card.uuid
        assert not device.lost
        cards.close()
        assert library.sessions == 0


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere the library is asked in any case")
@pytest.mark.parametrize(
    "trace", ["", "proc/driver/nvidia/version", "dev/nvidiactl", "dev/nvhost-gpu", "dev/nvgpu", "dev/dxg"]
)
def test_the_library_is_loaded_where_something_speaks_for_a_card(
    install: Install, tmp_path: Path, trace: str
) -> None:
    install(FakeNvml(FakeCard()))
    for file in ("dev/nvme0", "dev/nvram", trace or "dev/null"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    assert len(Nvidia(tmp_path).read().devices) == (1 if trace else 0)


def test_a_driver_that_comes_later_is_found(install: Install, tmp_path: Path) -> None:
    install(FakeNvml(FakeCard()))
    clock = Clock()
    cards = Nvidia(tmp_path, clock=clock)
    assert cards.read().devices == ()
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/nvidia0").touch()
    clock.now += 60
    assert len(cards.read().devices) == 1


@pytest.fixture
def laptop(tmp_path: Path) -> Path:
    """The folder of a machine with one card, in the state that its `runtime_status` tells."""
    return machine_with_card(tmp_path, status="active")


def test_a_suspended_card_is_left_asleep(install: Install, laptop: Path) -> None:
    library = FakeNvml(FakeCard())
    install(library)
    nvidia = Nvidia(laptop)
    (awake,) = nvidia.read().devices
    assert (awake.used, awake.asleep) == (5632 * MIB, False)
    calls = library.calls
    suspend(laptop)
    assert nvidia.read().devices == (
        Device(
            kind=DeviceKind.NVIDIA,
            id=awake.id,
            index=0,
            name=awake.name,
            total=8192 * MIB,
            driver=awake.driver,
            cuda=awake.cuda,
            asleep=True,
        ),
    )
    assert library.calls == calls
    suspend(laptop, status="active")
    assert nvidia.read().devices == (awake,)


def test_a_card_that_sleeps_at_the_start_is_not_woken_up(install: Install, laptop: Path) -> None:
    library = FakeNvml(FakeCard())
    install(library)
    suspend(laptop)
    reading = Nvidia(laptop).read()
    assert (library.calls, reading.errors) == (0, ())
    (card,) = reading.devices
    assert (card.id, card.asleep, card.total) == ("nvidia-0000:01:00.0", True, None)


def test_cards_of_which_one_is_awake_are_asked(install: Install, laptop: Path) -> None:
    install(FakeNvml(FakeCard()))
    suspend(machine_with_card(laptop, slot="0000:02:00.0"), slot="0000:02:00.0")
    assert [device.asleep for device in Nvidia(laptop).read().devices] == [False]
