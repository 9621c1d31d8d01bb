"""What is said of newer versions, without a screen."""

from __future__ import annotations

from datetime import timedelta

import pytest

from llmstack_tui.base.sentences import quoted
from llmstack_tui.base.structs import replace
from llmstack_tui.base.units import ago_text
from llmstack_tui.core.wording import text
from llmstack_tui.downloads.types import DownloadState
from llmstack_tui.tui.draw.marks import ASCII, UNICODE
from llmstack_tui.tui.draw.updates import more_update_rows, progress_cell, update_rows
from llmstack_tui.tui.models.arrangement import ModelColumn, ModelOrder, matching, ordered
from llmstack_tui.tui.models.list import ColumnWidths
from llmstack_tui.tui.models.rows import Rows
from llmstack_tui.tui.view import Moment
from llmstack_tui.updates.rules import LeftAlone
from tests.support import outdated, seeded
from tests.support.outdated import CHANGED_HERE, CURRENT, NOW, STALE, TEMPLATE_ONLY, UNKNOWN, coming

STATE = outdated.judged(seeded.typical())
AT = Moment(NOW, 1000.0)


def cells(state: object = STATE, marks: object = UNICODE) -> dict[str, str]:
    return {row.name: row.update for row in Rows().make(state, AT, marks)}  # type: ignore[arg-type]


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
    rows = Rows()
    before = {row.name: row for row in rows.make(STATE, AT, UNICODE)}
    again = {
        row.name: row for row in rows.make(replace(STATE, downloads=(coming("mistral:7b"),)), AT, UNICODE)
    }
    inactive = {"llama3.2-vision:11b-instruct-q4_K_M", "phi4:14b", "gpt-oss:120b-cloud"}
    assert all(again[name] is before[name] for name in inactive)
    assert again["mistral:7b"] is not before["mistral:7b"]
    back = {row.name: row for row in rows.make(STATE, AT, UNICODE)}
    assert back["mistral:7b"] == before["mistral:7b"]


def test_updates_are_a_column_to_sort_by_and_a_word_to_find() -> None:
    rows = Rows().make(STATE, AT, UNICODE)
    first, second = (row.name for row in ordered(rows, ModelOrder(ModelColumn.UPDATE))[:2])
    assert (first, second) == ("mistral:7b", "smollm2:135m")
    assert [row.name for row in matching(rows, "stale")] == ["smollm2:135m", "mistral:7b"]


@pytest.mark.parametrize("width", range(40, 200))
def test_the_column_goes_where_there_is_no_room_and_where_there_is_nothing(width: int) -> None:
    with_updates = ColumnWidths.of(width, updates=True)
    assert ColumnWidths.of(width).update == 0
    assert with_updates.update in {0, 10}
    assert sum(each.cells for each in with_updates.headings()) <= max(width, 34)
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
    assert dict(more_update_rows(UNKNOWN, NOW)) == {"Update note": text(*UNKNOWN.problems)}
    failed = replace(STALE, problems=(quoted("The registry answers 500."),))
    assert dict(more_update_rows(failed, NOW))["Last check"] == "The registry answers 500."
    left = replace(STALE, left_alone=LeftAlone.FOR_GOOD)
    assert dict(update_rows(left, NOW))["Wanted"] == "no: left alone for good"
    assert list(update_rows(None, NOW)) == list(more_update_rows(None, NOW)) == []
