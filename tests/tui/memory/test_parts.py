"""Who has the memory of a device."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmstack_tui.base.structs import replace
from llmstack_tui.core.state import HostState
from llmstack_tui.hosts.errors import Unreachable
from llmstack_tui.tui.draw.marks import ASCII, UNICODE
from llmstack_tui.tui.memory.parts import MemoryShare, Owner, held, legend, parts_bar, parts_of, together
from tests.support import seeded

GB = 10**9


def sizes(parts: tuple[MemoryShare, ...]) -> dict[str, int]:
    return {part.name or part.owner: part.size for part in parts}


def test_in_main_memory_mapped_files_count_as_taken() -> None:
    typical = seeded.typical()
    of = typical.hosts[0].snapshot
    coder, tiny = of.running
    running = (replace(coder, resident=5 * GB, mapped=4 * GB), replace(tiny, resident=GB, mapped=0))
    state = replace(seeded.state(replace(of, running=running)), profile=seeded.profile("cpu", 4 * GB))
    (parts,) = parts_of(state).values()
    used, total = 7_900_000_000, 16_500_000_000
    assert sizes(parts) == {
        coder.name: 5 * GB,
        tiny.name: GB,
        "others": used + 4 * GB - 6 * GB,
        "free": total - used - 4 * GB - 4 * GB,
        "reserve": 4 * GB,
    }
    assert held(parts) == used + 4 * GB


def test_on_cards_the_devices_tell() -> None:
    state = seeded.two_cards()
    first, second = parts_of(state).values()
    assert sizes(first)["qwen2.5-coder:7b"] == 3_300_000_000
    assert sizes(first)["others"] == 5_600_000_000 - 3_490_000_000
    assert [part.owner for part in second] == [Owner.OTHERS, Owner.FREE, Owner.RESERVE]
    whole = together([first, second])
    assert [part.owner for part in whole] == ["model", "model", "others", "free", "reserve"]
    assert sum(part.size for part in whole) == 8_589_934_592 + 12_884_901_888
    # The second card has less free than its share of what is to be kept.
    assert sizes(whole)["reserve"] == 600_000_000 + 12_884_901_888 - 12_300_000_000


def test_a_card_that_tells_of_no_processes_has_what_the_server_says_if_it_is_the_only_one() -> None:
    state = seeded.two_cards()
    alone = replace(state, machine=seeded.machine(seeded.CARD))
    (parts,) = parts_of(alone).values()
    assert sizes(parts)["qwen2.5-coder:7b"] == 3_200_000_000
    both = replace(state, machine=seeded.machine(seeded.CARD, seeded.HOT_CARD))
    assert all(part.owner is not Owner.MODEL for parts in parts_of(both).values() for part in parts)


def test_models_of_other_machines_and_of_servers_that_are_away_have_nothing_here() -> None:
    of = seeded.typical().hosts[0].snapshot
    error = Unreachable("gone", host=of.url)
    for changed in (replace(of, url="http://10.0.0.9:11434"), replace(of, error=error)):
        state = replace(seeded.typical(), hosts=(HostState(changed, ()),))
        assert not any(part.owner is Owner.MODEL for part in parts_of(state)["ram"])


def test_nothing_is_known_of_a_device_that_does_not_tell_its_size() -> None:
    silent = replace(seeded.CARD, total=None, used=None)
    assert parts_of(replace(seeded.typical(), machine=seeded.machine(silent))) == {}
    assert parts_of(replace(seeded.typical(), machine=None)) == {}
    assert together([(), (MemoryShare(Owner.FREE, 1),)]) == ()


@given(
    st.lists(st.integers(min_value=0, max_value=2**60), min_size=1, max_size=12),
    st.integers(min_value=0, max_value=60),
)
def test_a_bar_is_as_long_as_it_should_be_and_shows_what_there_is(amounts: list[int], cells: int) -> None:
    parts = [MemoryShare(Owner.MODEL, size, f"m{number}", number) for number, size in enumerate(amounts)]
    shown = parts_bar(parts, cells, UNICODE)
    assert shown.cell_length == (cells if any(amounts) else 0)


@pytest.mark.parametrize("marks", [UNICODE, ASCII])
@pytest.mark.parametrize("width", range(40, 160, 5))
def test_a_legend_names_the_models_first(width: int, marks: object) -> None:
    whole = together([*parts_of(seeded.two_cards()).values()])
    said = legend(whole, width, marks).plain  # type: ignore[arg-type]
    assert "qwen2.5-coder:7b 3.3 GB" in said
    assert len(said) <= max(width, 60)
    assert ("free 2.4 GB" in said) <= ("others" in said)


def test_a_name_is_never_markup() -> None:
    parts = (MemoryShare(Owner.MODEL, GB, "[/red]\x1b[31m"), MemoryShare(Owner.FREE, GB))
    assert "[/red]" in legend(parts, 80, UNICODE).plain
    assert "\x1b" not in legend(parts, 80, UNICODE).plain
