"""Where loaded models are, from what servers and devices say."""

from __future__ import annotations

import pytest

from llmstack_tui.base.kinds import HostKind
from llmstack_tui.base.sentences import Sentence
from llmstack_tui.base.structs import replace
from llmstack_tui.hardware.readings import DeviceKind
from llmstack_tui.hosts.types import RunningModel, Snapshot
from llmstack_tui.lifecycle.placement import device_bytes, differ, fallback, model_devices, server_bytes
from tests.support.seeded import CARD, HOT_CARD, machine, snapshot

GB = 10**9
RUNNING = RunningModel(name="m", digest="d", size=5 * GB, size_vram=5 * GB, pid=7, resident=2 * GB)
ON = replace(CARD, processes={7: 6 * GB, 8: GB})


def of(running: RunningModel, kind: HostKind = HostKind.OLLAMA, url: str = "http://127.0.0.1:1") -> Snapshot:
    return snapshot((), (running,), kind=kind, url=url)


def test_without_a_card_models_are_in_main_memory() -> None:
    reading = machine()
    assert model_devices(reading) == (reading.ram,)
    assert device_bytes(RUNNING, reading) == 2 * GB
    assert server_bytes(RUNNING, reading) == 5 * GB


def test_with_cards_they_are_on_these() -> None:
    reading = machine(ON, replace(HOT_CARD, processes={7: GB}))
    assert [device.id for device in model_devices(reading)] == [CARD.id, HOT_CARD.id]
    assert device_bytes(RUNNING, reading) == 7 * GB
    assert server_bytes(replace(RUNNING, size_vram=4 * GB), reading) == 4 * GB


def test_a_lost_card_and_one_that_is_cut_into_slices_hold_nothing() -> None:
    lost = replace(CARD, lost=True)
    assert model_devices(machine(lost)) == (machine(lost).ram,)
    piece = replace(CARD, id="slice", parent=CARD.id)
    assert model_devices(machine(CARD, piece)) == (piece,)


@pytest.mark.parametrize(
    "running", [replace(RUNNING, pid=None), replace(RUNNING, pid=99)], ids=["no process", "another's process"]
)
def test_what_no_card_tells_is_unknown(running: RunningModel) -> None:
    assert device_bytes(running, machine(ON)) is None
    assert device_bytes(RUNNING, machine(replace(ON, processes=None))) is None
    assert device_bytes(RUNNING, machine(replace(ON, processes={7: None}))) is None


@pytest.mark.parametrize(
    ("said", "measured", "apart"),
    [
        (5 * GB, 5 * GB, False),
        (5 * GB, 5_500_000_000, False),
        (5 * GB, 6 * GB, True),
        (12 * GB, 90 * GB, True),
        (190_000_000, 240_000_000, False),
        (None, 5 * GB, False),
        (5 * GB, None, False),
    ],
)
def test_figures_that_are_apart(said: int | None, measured: int | None, apart: bool) -> None:
    assert differ(said, measured) is apart


def test_a_model_that_is_wholly_on_the_card_is_in_order() -> None:
    assert fallback(RUNNING, of(RUNNING), machine(ON)) is None
    unknown = replace(RUNNING, size_vram=None)
    assert fallback(unknown, of(unknown), machine(ON)) is None


def test_a_part_that_did_not_fit_is_told_with_its_size() -> None:
    partly = replace(RUNNING, size_vram=3 * GB)
    found = fallback(partly, of(partly), machine(ON))
    assert found is not None
    assert (found.percent, found.cause) == (40, Sentence("fallback.partly", {"missing": 2 * GB}))
    # Of another machine its server alone can tell.
    assert fallback(partly, of(partly, url="http://10.0.0.9:1"), machine()) == found
    nearly = replace(RUNNING, size_vram=5 * GB - 1)
    assert (fallback(nearly, of(nearly), None) or found).percent == 1


def test_why_nothing_is_on_the_card() -> None:
    on_cpu = replace(RUNNING, size_vram=0)

    def cause(*cards: object, running: RunningModel = on_cpu) -> str:
        found = fallback(running, of(running), machine(*cards))  # type: ignore[arg-type]
        assert found is not None
        assert found.percent == 100
        return found.cause.kind

    assert cause(CARD) == "fallback.unused_nvidia"
    assert cause(replace(CARD, lost=True)) == "fallback.lost_card"
    assert cause(CARD, running=replace(on_cpu, size=50 * GB)) == "fallback.too_large"
    assert cause(replace(CARD, kind=DeviceKind.AMD)) == "fallback.unused_card"


def test_what_is_meant_to_be_on_the_processor_is_in_order() -> None:
    on_cpu = replace(RUNNING, size_vram=0)
    assert fallback(on_cpu, of(on_cpu), machine()) is None, "there is no card"
    assert fallback(on_cpu, of(on_cpu), None) is None, "nobody knows yet"
    assert fallback(on_cpu, of(on_cpu, HostKind.BUILTIN), machine(CARD)) is None, "its wheel says so"
    assert fallback(on_cpu, of(on_cpu, url="http://10.0.0.9:1"), machine(CARD)) is None, "it has other cards"
