"""What is said of newer versions, without a screen."""

from __future__ import annotations

from datetime import timedelta

import pytest

from llmstack_tui.base.structs import replace
from llmstack_tui.core import HostState
from llmstack_tui.downloads.types import DownloadState
from llmstack_tui.tui.draw.figures import ago_text
from llmstack_tui.tui.draw.glyphs import ASCII, UNICODE
from llmstack_tui.tui.draw.updates import more_update_rows, progress_cell, update_rows
from llmstack_tui.tui.models.headings import Columns
from llmstack_tui.tui.models.ordering import Column, Order, matching, ordered
from llmstack_tui.tui.models.rows import Moment, Rows
from llmstack_tui.tui.updates.lines import Shown, screen_lines, summary
from llmstack_tui.updates.rules import LeftAlone, Update
from tests.support import outdated, seeded
from tests.support.outdated import CHANGED_HERE, CURRENT, NOW, STALE, TEMPLATE_ONLY, UNKNOWN, coming

STATE = outdated.judged(seeded.typical())
SHOWN = Shown(marks=UNICODE, now=NOW, names={})
AT = Moment(NOW, 1000.0)


def cells(state: object = STATE, marks: object = UNICODE) -> dict[str, str]:
    return {row.name: row.update for row in Rows(marks).make(state, AT)}  # type: ignore[arg-type]


def test_a_row_has_the_mark_and_the_cost_of_what_is_wanted_and_nothing_else() -> None:
    shown = {name: text for name, text in cells().items() if text}
    assert shown == {"smollm2:135m": "↑≤12 kB", "mistral:7b": "↑ 4.1 GB"}
    assert cells(marks=ASCII)["smollm2:135m"] == "^<12 kB"
    left = outdated.judged(seeded.typical(), **{"mistral:7b": replace(STALE, left_alone=LeftAlone.VERSION)})
    assert cells(left)["mistral:7b"] == ""


@pytest.mark.parametrize(
    ("download", "text"),
    [
        (coming("mistral:7b"), "↓ 43 %"),
        (coming("mistral:7b", 0, None), "↓ begins"),
        (coming("mistral:7b", 5_000_000, None), "↓ 5 MB"),
        (coming("mistral:7b", state=DownloadState.WAITING), "↓ waiting"),
        (coming("mistral:7b", state=DownloadState.PAUSED), "↓ paused"),
    ],
)
def test_a_pull_that_is_under_way_stands_in_its_place(download: object, text: str) -> None:
    state = replace(STATE, downloads=(download,))  # type: ignore[arg-type]
    assert cells(state)["mistral:7b"] == text
    assert progress_cell(download, ASCII).isascii()  # type: ignore[arg-type]


def test_a_pull_that_is_over_or_of_another_host_does_not() -> None:
    over = replace(STATE, downloads=(coming("mistral:7b", state=DownloadState.DONE),))
    other = replace(STATE, downloads=(replace(coming("mistral:7b"), host="http://elsewhere:11434"),))
    assert cells(over)["mistral:7b"] == cells(other)["mistral:7b"] == "↑ 4.1 GB"
    tagless = replace(STATE, downloads=(coming("nomic-embed-text"),))
    assert cells(tagless)["nomic-embed-text:latest"] == "↓ 43 %"


def test_rows_are_made_again_only_for_what_changed() -> None:
    rows = Rows(UNICODE)
    before = {row.name: row for row in rows.make(STATE, AT)}
    again = {row.name: row for row in rows.make(replace(STATE, downloads=(coming("mistral:7b"),)), AT)}
    inactive = {"llama3.2-vision:11b-instruct-q4_K_M", "phi4:14b", "gpt-oss:120b-cloud"}
    assert all(again[name] is before[name] for name in inactive)
    assert again["mistral:7b"] is not before["mistral:7b"]
    back = {row.name: row for row in rows.make(STATE, AT)}
    assert back["mistral:7b"] == before["mistral:7b"]


def test_updates_are_a_column_to_sort_by_and_a_word_to_find() -> None:
    rows = Rows(UNICODE).make(STATE, AT)
    first, second = (row.name for row in ordered(rows, Order(Column.UPDATE))[:2])
    assert (first, second) == ("mistral:7b", "smollm2:135m")
    assert [row.name for row in matching(rows, "stale")] == ["smollm2:135m", "mistral:7b"]


@pytest.mark.parametrize("width", range(40, 200))
def test_the_column_goes_where_there_is_no_room_and_where_there_is_nothing(width: int) -> None:
    with_updates = Columns.of(width, updates=True)
    assert Columns.of(width).update == 0
    assert with_updates.update in {0, 10}
    assert sum(cells for cells, _ in with_updates.sortable) <= max(width, 34)
    assert (with_updates.update == 10) == (width >= 66)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-9999, "just now"), (59, "just now"), (60, "1 min ago"), (7199, "119 min ago"), (7200, "2 h ago"),
     (2 * 86400, "2 days ago"), (400 * 86400, "400 days ago")],
)  # fmt: skip
def test_how_long_ago(seconds: int, text: str) -> None:
    assert ago_text(NOW - timedelta(seconds=seconds), NOW) == text


def test_the_details_say_it_in_words() -> None:
    assert dict(update_rows(TEMPLATE_ONLY, NOW)) == {
        "Update": "there is a newer version",
        "Changed": "template, licence",
        "Download": "at most 12 kB",
        "Checked": "12 min ago",
    }
    assert dict(update_rows(CURRENT, NOW)) == {"Update": "up to date", "Checked": "12 min ago"}
    assert dict(update_rows(CHANGED_HERE, NOW))["Update"] == "perhaps changed here"
    assert dict(update_rows(UNKNOWN, NOW)) == {"Update": "not known"}
    assert dict(more_update_rows(UNKNOWN, NOW)) == {"Update note": UNKNOWN.reason}
    failed = replace(STALE, problem="The registry answers 500.")
    assert dict(more_update_rows(failed, NOW))["Last check"] == "The registry answers 500."
    left = replace(STALE, left_alone=LeftAlone.FOR_GOOD)
    assert dict(update_rows(left, NOW))["Wanted"] == "no: left alone for good"
    assert list(update_rows(None, NOW)) == list(more_update_rows(None, NOW)) == []


def text(shown: Shown = SHOWN, state: object = STATE) -> str:
    return "\n".join(line.content.plain for line in screen_lines(state, shown))  # type: ignore[arg-type]


def test_the_screen_lists_what_is_newer_first_and_folds_what_is_not_known() -> None:
    lines = screen_lines(STATE, SHOWN)
    assert [line.key[1] for line in lines if line.key] == [
        "smollm2:135m",
        "mistral:7b",
        "llama3.2-vision:11b-instruct-q4_K_M",
    ]
    assert "weights, template\n    published 3 days ago, checked 12 min ago" in text()
    assert "changed here? asks first" in text()
    assert "▸ 1 model not known  The registry registry.example did not answer within 15 s." in text()
    assert "1 up to date, 1 only here, 1 running elsewhere" in text()
    assert "nomic-embed-text" not in text()
    assert "nomic-embed-text:latest" in text(replace(SHOWN, opened={"unknown"}))


def test_a_problem_that_hides_no_verdict_is_told_beside_it() -> None:
    state = outdated.judged(seeded.typical(), **{"mistral:7b": replace(STALE, problem="Status 500.")})
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
    shown = replace(SHOWN, marks=ASCII, opened={"unknown"}, ticked={(seeded.URL, "mistral:7b")})
    state = replace(STATE, downloads=(coming("smollm2:135m"),))
    assert text(shown, state).isascii()
