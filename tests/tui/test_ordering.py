"""Which lines are shown, without a screen."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from llmstack_tui.tui.marks import UNICODE
from llmstack_tui.tui.ordering import matching
from llmstack_tui.tui.rows import ModelRow, Moment, Rows
from tests.tui import seeded

NOW = Moment(datetime.now(UTC), 1000.0)
TYPICAL = Rows(UNICODE).make(seeded.typical(), NOW)


def names(rows: tuple[ModelRow, ...]) -> list[str]:
    return [row.name for row in rows]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("mistral", ["mistral:7b"]),
        ("  MISTRAL ", ["mistral:7b"]),
        ("q4_0", ["mistral:7b"]),
        ("active busy", ["smollm2:135m"]),
        ("7b active", ["qwen2.5-coder:7b", "mistral:7b"]),
        ("7b inactive", ["mistral:7b"]),
        ("qwen2 f16", ["nomic-embed-text:latest"]),
        ("cloud", ["gpt-oss:120b-cloud"]),
        ("mistral f16", []),
        ("[bold]", []),
        ("7bqwen2", []),
    ],
)
def test_every_word_must_be_in_name_family_quantisation_or_state(text: str, found: list[str]) -> None:
    assert names(matching(TYPICAL, text)) == found


def test_no_word_lets_everything_through() -> None:
    assert matching(TYPICAL, "") == matching(TYPICAL, "  ") == TYPICAL


def test_names_from_outside_are_found_as_they_are_shown() -> None:
    state = seeded.state(seeded.snapshot(tuple(seeded.model(name) for name in seeded.HOSTILE_NAMES)))
    rows = Rows(UNICODE).make(state, NOW)
    assert names(matching(rows, "[/red]")) == ["evil/[/red]:latest"]
    assert len(matching(rows, "نموذج")) == 1
    assert len(matching(rows, "🦙")) == 1


def test_a_thousand_models_are_filtered_in_time() -> None:
    rows = Rows(UNICODE).make(seeded.many(1000), NOW)
    took: list[float] = []
    for _ in range(5):
        began = time.perf_counter()
        found = matching(rows, "model-099 q4 inactive")
        took.append(time.perf_counter() - began)
        assert len(found) == 10
    assert min(took) < 0.005
