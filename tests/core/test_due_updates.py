"""What is updated without anybody's asking."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from llmstack_tui.base.structs import replace
from llmstack_tui.core.auto_update import due
from llmstack_tui.downloads.types import DownloadState
from llmstack_tui.updates.rules import LeftAlone
from tests.support import outdated, seeded
from tests.support.outdated import CHANGED_HERE, NOW, STALE, coming

if TYPE_CHECKING:
    from llmstack_tui.core.state import StackState

STATE = outdated.judged(seeded.typical())


def names(state: StackState) -> tuple[str, ...]:
    return due(state).get(seeded.URL, ())


def test_what_is_newer_and_at_rest() -> None:
    # smollm2 is newer, too, and answers a request.
    assert due(STATE) == {seeded.URL: ("mistral:7b",)}


def test_never_what_was_changed_here_or_left_alone() -> None:
    for update in (
        replace(STALE, left_alone=LeftAlone.VERSION),
        replace(STALE, left_alone=LeftAlone.FOR_GOOD),
        CHANGED_HERE,
    ):
        assert names(outdated.judged(seeded.typical(), **{"mistral:7b": update})) == ()


def test_an_active_model_that_is_idle_is_updated_too() -> None:
    assert names(outdated.judged(seeded.typical(), **{"qwen2.5-coder:7b": STALE})) == (
        "qwen2.5-coder:7b",
        "mistral:7b",
    )


def test_what_was_tried_is_not_tried_again_until_there_is_another_version() -> None:
    for of in (DownloadState.WAITING, DownloadState.RUNNING, DownloadState.PAUSED, DownloadState.FAILED):
        assert names(replace(STATE, downloads=(coming("mistral:7b", state=of),))) == ()
    done = coming("mistral:7b", state=DownloadState.DONE)
    assert names(replace(STATE, downloads=(done,))) == ("mistral:7b",)
    cancelled = coming("mistral:7b", state=DownloadState.CANCELLED)
    assert names(replace(STATE, downloads=(cancelled,))) == ()
    before = replace(cancelled, asked_at=NOW - timedelta(days=5))
    assert names(replace(STATE, downloads=(before,))) == ("mistral:7b",)
