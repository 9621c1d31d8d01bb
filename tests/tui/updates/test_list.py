"""What the list of updates says, row by row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.sentences import quoted
from llmstack_tui.base.structs import replace
from llmstack_tui.core.state import HostState
from llmstack_tui.tui.draw.marks import ASCII, UNICODE
from llmstack_tui.tui.updates.screen import UpdateRow, UpdatesContext, summary, updates_rows
from tests.support import outdated, seeded
from tests.support.outdated import CURRENT, NOW, STALE, UNKNOWN, coming

if TYPE_CHECKING:
    from llmstack_tui.core.state import StackState
    from llmstack_tui.updates.rules import Update

STATE = outdated.judged(seeded.typical())
SHOWN = UpdatesContext(marks=UNICODE, now=NOW, names={})


def text(shown: UpdatesContext = SHOWN, state: StackState = STATE) -> str:
    """What the rows say, without their columns."""
    found: list[str] = []
    for row in updates_rows(state, shown):
        if isinstance(row, UpdateRow):
            found += [f"{row.mark} {row.name} {row.cost}  {row.changed}", f"    {row.note}"]
        else:
            found += ["".join(piece for piece, _ in line) for line in row.lines]
    return "\n".join(found)


def test_the_screen_lists_what_is_newer_first_and_folds_what_is_not_known() -> None:
    assert [row.key[1] for row in updates_rows(STATE, SHOWN) if isinstance(row, UpdateRow)] == [
        "smollm2:135m",
        "mistral:7b",
        "llama3.2-vision:11b-instruct-q4_K_M",
    ]
    assert "weights, template\n    published 3 days ago, checked 12 min ago" in text()
    assert "changed here? asks first" in text()
    assert "▸ 1 model not known  The registry registry.example did not answer within 15 s." in text()
    assert "1 up to date, 1 local, 1 in the cloud" in text()
    assert "nomic-embed-text" not in text()
    assert "nomic-embed-text:latest" in text(replace(SHOWN, opened={"unknown"}))


def test_a_problem_that_hides_no_verdict_is_told_beside_it() -> None:
    state = outdated.judged(
        seeded.typical(), **{"mistral:7b": replace(STALE, problems=(quoted("Status 500."),))}
    )
    assert "▸ 1 model whose last check failed  Status 500." in text(state=state)
    assert "mistral:7b" in text(state=state)


def test_several_hosts_have_their_headings() -> None:
    host = STATE.hosts[0]
    other = HostState(replace(host.snapshot, url="http://box:11434"), (), updates={"a:latest": CURRENT})
    state = replace(STATE, hosts=(host, other))
    shown = replace(SHOWN, names={"http://box:11434": "the [box]"})
    assert "127.0.0.1:11434\n" in text(shown, state)
    assert "the [box]  box:11434  nothing newer" in text(shown, state)


@pytest.mark.parametrize(
    ("updates", "said"),
    [
        ({}, "No model was compared with its registry yet."),
        ({"a": CURRENT}, "Nothing newer is known."),
        ({"a": UNKNOWN}, "No model was compared with its registry yet."),
    ],
)
def test_nothing_newer_is_said(updates: dict[str, Update], said: str) -> None:
    host = replace(STATE.hosts[0], updates=updates)
    assert said in text(state=replace(STATE, hosts=(host,)))


def test_the_title_says_what_all_of_them_cost() -> None:
    assert summary(STATE) == "2, at most 4.1 GB"
    assert summary(seeded.typical()) == ""
    sizeless = outdated.judged(seeded.typical(), **{"mistral:7b": replace(STALE, download=None)})
    assert summary(replace(sizeless, checking=True)) == "2, at most 12 kB and 1 of unknown size, checking"


def test_all_of_it_is_ascii_where_the_terminal_needs_that() -> None:
    shown = replace(SHOWN, marks=ASCII, opened={"unknown"})
    state = replace(STATE, downloads=(coming("smollm2:135m"),))
    assert text(shown, state).isascii()


def test_names_that_are_not_listed_are_counted() -> None:
    updates = {f"m{number:04}": UNKNOWN for number in range(503)}
    state = replace(STATE, hosts=(replace(STATE.hosts[0], updates=updates),))
    said = text(replace(SHOWN, opened={"unknown"}), state)
    assert "m0499 and 3 more" in said
    assert "m0500" not in said
