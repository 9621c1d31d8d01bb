"""Which lines are shown, without a screen."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from llmstack_tui.base.structs import replace
from llmstack_tui.core.state import StackState
from llmstack_tui.tui.draw.marks import UNICODE
from llmstack_tui.tui.models.arrangement import ModelColumn, ModelOrder, matching, ordered
from llmstack_tui.tui.models.rows import ModelRow, Rows
from llmstack_tui.tui.view import Moment
from tests.support import seeded

NOW = Moment(datetime.now(UTC), 1000.0)
TYPICAL = Rows().make(seeded.typical(), NOW, UNICODE)


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
def test_every_word_must_be_in_name_family_quantization_or_state(text: str, found: list[str]) -> None:
    assert names(matching(TYPICAL, text)) == found


def test_no_word_lets_everything_through() -> None:
    assert matching(TYPICAL, "") == matching(TYPICAL, "  ") == TYPICAL


def test_names_from_outside_are_found_as_they_are_shown() -> None:
    state = seeded.state(seeded.snapshot(tuple(seeded.model(name) for name in seeded.HOSTILE_NAMES)))
    rows = Rows().make(state, NOW, UNICODE)
    assert names(matching(rows, "[/red]")) == ["evil/[/red]:latest"]
    assert len(matching(rows, "نموذج")) == 1
    assert len(matching(rows, "🦙")) == 1


def test_a_thousand_models_are_filtered_in_time() -> None:
    rows = Rows().make(seeded.many(1000), NOW, UNICODE)
    took: list[float] = []
    for _ in range(5):
        began = time.thread_time()
        found = matching(rows, "model-099 q4 inactive")
        took.append(time.thread_time() - began)
        assert len(found) == 10
    assert min(took) < 0.005


@pytest.mark.parametrize(
    ("order", "first", "last"),
    [
        (ModelOrder(), "qwen2.5-coder:7b", "gpt-oss:120b-cloud"),
        (ModelOrder(reverse=True), "gpt-oss:120b-cloud", "qwen2.5-coder:7b"),
        (ModelOrder(ModelColumn.NAME), "gpt-oss:120b-cloud", "smollm2:135m"),
        (ModelOrder(ModelColumn.NAME, reverse=True), "smollm2:135m", "gpt-oss:120b-cloud"),
        (ModelOrder(ModelColumn.SIZE), "phi4:14b", "gpt-oss:120b-cloud"),
        (ModelOrder(ModelColumn.SIZE, reverse=True), "smollm2:135m", "gpt-oss:120b-cloud"),
        (ModelOrder(ModelColumn.MEMORY), "qwen2.5-coder:7b", "gpt-oss:120b-cloud"),
        (ModelOrder(ModelColumn.MEMORY, reverse=True), "smollm2:135m", "gpt-oss:120b-cloud"),
        (ModelOrder(ModelColumn.STATE), "smollm2:135m", "gpt-oss:120b-cloud"),
        (ModelOrder(ModelColumn.STATE, reverse=True), "gpt-oss:120b-cloud", "smollm2:135m"),
        (ModelOrder(ModelColumn.QUANTIZATION), "nomic-embed-text:latest", "gpt-oss:120b-cloud"),
        (ModelOrder(ModelColumn.QUANTIZATION, reverse=True), "qwen2.5-coder:7b", "gpt-oss:120b-cloud"),
        (ModelOrder(ModelColumn.VERSION), "qwen2.5-coder:7b", "gpt-oss:120b-cloud"),
        (ModelOrder(ModelColumn.SPEED), "qwen2.5-coder:7b", "gpt-oss:120b-cloud"),
        (ModelOrder(ModelColumn.LEAVES), "smollm2:135m", "gpt-oss:120b-cloud"),
        (ModelOrder(ModelColumn.LEAVES, reverse=True), "qwen2.5-coder:7b", "gpt-oss:120b-cloud"),
    ],
)
def test_every_order_puts_what_is_unknown_last(order: ModelOrder, first: str, last: str) -> None:
    found = names(ordered(TYPICAL, order))
    assert (found[0], found[-1]) == (first, last)
    assert sorted(found) == sorted(names(TYPICAL))


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("column", [ModelColumn.SIZE, ModelColumn.MEMORY, ModelColumn.STATE])
def test_what_is_alike_stays_as_the_server_lists_it(column: ModelColumn, reverse: bool) -> None:
    rows = Rows().make(seeded.many(20), NOW, UNICODE)
    assert ordered(rows, ModelOrder(column, reverse)) == rows


def test_what_is_busy_comes_first_and_what_is_longest_idle_last() -> None:
    names_of = [f"{name}:latest" for name in ("unknown", "long", "busy", "short")]
    models = tuple(map(seeded.model, names_of))
    host = seeded.state(seeded.snapshot(models, tuple(map(seeded.running, models)))).hosts[0]
    signs = ((False, None), (False, 100.0), (True, None), (False, 900.0))
    told = tuple(
        replace(status, busy=busy, idle_since_s=since)
        for status, (busy, since) in zip(host.models, signs, strict=True)
    )
    rows = Rows().make(StackState((replace(host, models=told),)), NOW, UNICODE)
    by_work = ["busy:latest", "short:latest", "long:latest", "unknown:latest"]
    assert names(ordered(rows, ModelOrder(ModelColumn.STATE))) == by_work
    assert names(ordered(rows, ModelOrder(ModelColumn.STATE, reverse=True))) == by_work[::-1]


def test_an_order_goes_through_the_columns_that_are_there() -> None:
    shown = {ModelColumn.SERVER, ModelColumn.NAME, ModelColumn.LEAVES}
    assert ModelOrder(ModelColumn.NAME).next(shown) == ModelOrder(ModelColumn.LEAVES)
    assert ModelOrder(ModelColumn.SPEED).next(shown) == ModelOrder(ModelColumn.LEAVES)
    assert ModelOrder(ModelColumn.LEAVES).next(shown) == ModelOrder()


def test_the_orders_go_round_and_a_second_click_reverses() -> None:
    order, seen = ModelOrder(), []
    for _ in ModelColumn:
        seen.append(order.column)
        order = order.next()
    assert (seen, order) == ([*ModelColumn], ModelOrder())
    assert ModelOrder(ModelColumn.SIZE, reverse=True).next() == ModelOrder(ModelColumn.MEMORY)
    assert ModelOrder().chosen(ModelColumn.SIZE) == ModelOrder(ModelColumn.SIZE)
    assert ModelOrder(ModelColumn.SIZE).chosen(ModelColumn.SIZE) == ModelOrder(ModelColumn.SIZE, reverse=True)


def test_a_thousand_models_are_sorted_in_time() -> None:
    rows = Rows().make(seeded.many(1000), NOW, UNICODE)
    for column in ModelColumn:
        took: list[float] = []
        for _ in range(5):
            began = time.thread_time()
            ordered(rows, ModelOrder(column, reverse=True))
            took.append(time.thread_time() - began)
        assert min(took) < 0.005, column
