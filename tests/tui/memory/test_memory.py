"""The memory of the machine as lines of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual.geometry import Size

from llmstack_tui.base.sentences import quoted
from llmstack_tui.base.structs import replace
from llmstack_tui.core.state import HostState
from llmstack_tui.hardware.readings import DeviceKind, Pressure, Space, Throttle
from llmstack_tui.hosts.errors import Unreachable
from llmstack_tui.tui.draw.marks import ASCII, UNICODE
from llmstack_tui.tui.draw.text import content_of
from llmstack_tui.tui.memory.gauges import UsageHistory, device_details
from llmstack_tui.tui.memory.pane import memory_lines
from tests.support import seeded

if TYPE_CHECKING:
    from llmstack_tui.core.state import StackState
    from llmstack_tui.hardware.readings import Device, MachineReading
    from llmstack_tui.hosts.types import Snapshot
    from llmstack_tui.tui.draw.marks import Marks

NOW = 50_000.0
GPU = replace(
    seeded.CARD,
    kind=DeviceKind.APPLE,
    id="apple-gpu",
    name="Apple M3 Pro",
    shared=True,
    total=12_700_000_000,
    used=4_100_000_000,
    temperature=None,
    power=None,
)


def cards(count: int) -> tuple[Device, ...]:
    return tuple(replace(seeded.CARD, id=f"card-{index}", index=index) for index in range(count))


def state(*devices: Device, reading: MachineReading | None = None) -> StackState:
    return replace(seeded.typical(), machine=reading or seeded.machine(*devices, taken_at=NOW))


def lines(
    of: StackState, width: int = 120, most: int = 6, marks: Marks = UNICODE, now: float = NOW
) -> list[str]:
    history = UsageHistory()
    if of.machine is not None:
        history.add(of.machine)
    return [line.plain for line in memory_lines(of, history, now, Size(width, most), marks)]


@pytest.mark.parametrize("width", range(60, 201, 7))
@pytest.mark.parametrize("most", [2, 4, 10])
@pytest.mark.parametrize("count", [0, 1, 2, 8])
def test_every_width_and_number_of_cards(width: int, most: int, count: int) -> None:
    shown = memory_lines(
        replace(seeded.two_cards(), machine=seeded.machine(*cards(count), taken_at=NOW)),
        UsageHistory(),
        NOW,
        Size(width, most),
        UNICODE,
    )
    assert 2 <= len(shown) <= most
    assert max(line.cell_length for line in shown) <= width
    text = "\n".join(line.plain for line in shown)
    assert "7.9 of 16.5 GB" in text
    assert ("GPU" in text) == (count > 0)
    if most > 2:
        assert "Ollama says 5.3 GB" in text


def test_without_a_card_it_is_the_main_memory_and_who_has_it() -> None:
    ram, who, servers = lines(state())
    assert ram.startswith(" RAM █")
    assert "7.9 of 16.5 GB   48 %" in ram
    assert who.startswith(" █ qwen2.5-coder:7b 5.1 GB   ▓ smollm2:135m 180 MB   ▒ others 2.6 GB")
    assert servers == " Ollama says 5.3 GB for 2 models   120 GB free on the disk"


def test_a_card_says_what_it_knows() -> None:
    card = lines(state(seeded.CARD), 140)[0]
    for text in ("GPU 0 RTX 2070 SUPER VRAM", "5.6 of 8.6 GB", "65 %", "61 °C", "118 W", "▆"):
        assert text in card
    assert "GPU 0 VRAM" in lines(state(seeded.CARD), 60)[0]


def test_what_a_card_does_not_tell_is_left_out_or_unknown() -> None:
    silent = replace(seeded.CARD, total=None, used=None, temperature=None, power=None, throttles=None)
    card = lines(state(silent))[0]
    assert card.split()[-1] == "?"
    assert "0 %" not in card
    assert "0 W" not in card
    half = lines(state(replace(seeded.CARD, used=None)))[0]
    assert "? of 8.6 GB" in half


def test_why_a_card_is_slow_is_a_word() -> None:
    assert lines(state(seeded.CARD, seeded.HOT_CARD))[1].endswith("slowed: heat")
    both = replace(seeded.CARD, throttles=(Throttle.HEAT, Throttle.POWER_LIMIT))
    assert lines(state(both))[0].endswith("slowed: heat, power limit")


@pytest.mark.parametrize("width", range(60, 130))
def test_the_sparkline_gives_way_to_the_heat_and_shrinks_before_it_is_hidden(width: int) -> None:
    hot = lines(state(seeded.CARD, seeded.HOT_CARD), width)[1]
    assert hot.endswith("slowed: heat")
    assert ("█  slowed" in hot) == (width >= 71)


def test_a_sleeping_card_says_so_and_shows_no_figure() -> None:
    asleep = replace(seeded.CARD, asleep=True, used=None, temperature=None, power=None)
    shown = lines(state(asleep))
    assert shown[0].endswith("asleep")
    assert "GB" not in shown[0]


def test_a_lost_card_says_so_and_shows_no_figure() -> None:
    error = "RTX no longer answers: restart the machine if it does not come back."
    lost = replace(seeded.CARD, lost=True, total=None, used=None, temperature=None, power=None)
    reading = replace(seeded.machine(lost, taken_at=NOW), errors=(quoted(error),))
    shown = lines(state(reading=reading))
    assert shown[0].endswith("lost: it does not answer")
    assert not any(digit in shown[0].replace("GPU 0", "").replace("2070", "") for digit in "0123456789")
    assert shown[-1].strip() == error


def test_old_figures_say_how_old_they_are() -> None:
    of = state(seeded.CARD)
    assert not any("old" in line for line in lines(of, now=NOW + 12))
    assert [line.endswith("  3 min old") for line in lines(of, now=NOW + 200)] == [True, True, False]
    behind = replace(seeded.CARD, taken_at=NOW - 30)
    assert [line.endswith("  30 s old") for line in lines(state(behind))] == [True, False, False]


def test_a_server_that_reckons_wrong_is_told() -> None:
    of = seeded.two_cards()
    assert "the card says" not in lines(of)[-1]
    wrong = replace(seeded.CARD, used=8_000_000_000, processes={4101: 6_000_000_000, 4102: 190_000_000})
    told = lines(replace(of, machine=seeded.machine(wrong, taken_at=NOW)), 160)[-1]
    assert "Ollama says 5.3 GB, 3.4 GB of it VRAM, for 2 models   the card says 6.2 GB   qwen" in told


def test_swap_and_pressure_are_told_when_there_are_any() -> None:
    reading = seeded.machine(taken_at=NOW, swap=Space(total=4_000_000_000, used=1_200_000_000))
    assert lines(state(reading=reading))[0].endswith("swap 1.2 of 4.0 GB")
    unused = replace(reading, swap=Space(total=4_000_000_000, used=0))
    assert "swap" not in lines(state(reading=unused))[0]
    short = replace(reading, pressure=Pressure.WARNING)
    assert "memory is short  swap" in lines(state(reading=short))[0]


def test_apple_and_amd_are_called_what_they_have() -> None:
    assert "GPU Apple M3 Pro unified memory" in lines(state(GPU))[0]
    amd = replace(seeded.CARD, kind=DeviceKind.AMD, id="amd", name="Radeon RX 7900")
    shown = lines(state(seeded.CARD, amd), 160)
    assert "NVIDIA 0 RTX 2070 SUPER VRAM" in shown[0]
    assert "AMD 0 Radeon RX 7900 VRAM" in shown[1]


def test_slices_of_a_card_are_told_apart() -> None:
    slices = tuple(
        replace(seeded.CARD, id=f"MIG-{number}", parent="GPU-1", name="NVIDIA A100 MIG 1g.5gb")
        for number in range(2)
    )
    shown = lines(state(*slices), 160)
    assert "GPU 0 slice 1 A100 MIG 1g.5gb VRAM" in shown[0]
    assert "GPU 0 slice 2 A100 MIG 1g.5gb VRAM" in shown[1]


def test_more_cards_than_lines_are_summed_up() -> None:
    eight = (*cards(6), replace(cards(7)[6], lost=True, used=None, total=None), seeded.HOT_CARD)
    shown = lines(state(*eight), 160, 4)
    assert len(shown) == 4
    for text in ("8 GPUs VRAM", "45.9 of 64.4 GB", "71 %", "max 87 °C", "1 lost", "1 slowed"):
        assert text in shown[0]
    assert "6 lost" in shown[1]
    assert "5 65 %" in shown[1]
    unknown = (*cards(7), replace(seeded.CARD, used=None))
    assert "? of 68.7 GB" in lines(state(*unknown), 160, 4)[0]


def test_a_model_that_fell_back_to_the_processor_is_named() -> None:
    shown = lines(seeded.two_cards(), 160, now=0)
    assert (
        "Ollama says 5.3 GB, 3.4 GB of it VRAM, for 2 models   qwen2.5-coder:7b 38 % on the CPU: slow"
        in shown[-1]
    )
    # Without a card there is nothing that it fell back from.
    assert "CPU" not in "".join(lines(state()))


def other(of: Snapshot, url: str) -> StackState:
    both = (*state(seeded.CARD).hosts, HostState(replace(of, url=url), ()))
    return replace(state(seeded.CARD), hosts=both)


def test_models_of_other_machines_are_not_counted_here() -> None:
    snapshot = seeded.typical().hosts[0].snapshot
    shown = lines(other(snapshot, "http://192.168.1.7:11434"))[-1]
    assert "Ollama says 5.3 GB" in shown
    assert "2 models on other machines" in shown


def test_each_server_of_this_machine_says_its_own() -> None:
    snapshot = seeded.typical().hosts[0].snapshot
    shown = lines(other(snapshot, "http://localhost:11435"))[-1]
    assert "Ollama 11434 says 5.3 GB" in shown
    assert "Ollama 11435 says 5.3 GB" in shown


def test_a_server_that_is_away_said_it() -> None:
    of = state()
    away = replace(of.hosts[0].snapshot, error=Unreachable("quoted", text="Gone.", host=seeded.URL))
    assert "Ollama said 5.3 GB" in lines(replace(of, hosts=(HostState(away, ()),)))[1]
    empty = replace(away, running=())
    assert "no model loaded" not in "".join(lines(replace(of, hosts=(HostState(empty, ()),))))


def test_a_figure_that_a_server_does_not_give_is_unknown() -> None:
    snapshot = state().hosts[0].snapshot
    unsized = replace(snapshot, running=tuple(replace(each, size=None) for each in snapshot.running))
    assert "Ollama says ? for 2 models" in lines(replace(state(), hosts=(HostState(unsized, ()),)))[1]


def test_before_the_first_reading() -> None:
    assert lines(replace(state(), machine=None)) == [" not read yet"]


def test_ascii_is_ascii() -> None:
    shown = lines(
        replace(seeded.two_cards(), machine=seeded.machine(seeded.HOT_CARD, taken_at=NOW)), 140, 6, ASCII
    )
    assert "\n".join(shown).isascii()
    assert "87 C" in shown[0]
    assert "#" in shown[0]


def test_names_from_outside_are_harmless() -> None:
    evil = replace(seeded.CARD, name="\x1b[31m[/red]" + "x" * 300)
    shown = lines(state(evil), 160)
    assert "\x1b" not in shown[0]
    assert "\x1b" not in content_of(device_details(seeded.machine(evil, taken_at=NOW))).plain


def test_what_has_no_room_is_told_by_the_tooltip() -> None:
    reading = replace(seeded.machine(seeded.CARD, taken_at=NOW), errors=(quoted("Something is wrong."),))
    assert device_details(reading) == (
        "NVIDIA GeForce RTX 2070 SUPER: 8.6 GB of VRAM, 215 W at most, driver 575.64.03, CUDA 12.9\n"
        "Something is wrong."
    )
