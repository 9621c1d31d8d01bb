"""How values are kept."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping  # noqa: TC003  # as `struct_of` reads the annotations
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from llmstack_tui.store.database.values import struct_of, to_optional_length, to_sql, to_time


class Kept(Struct, frozen=True):
    number: int
    details: Mapping[str, object]
    at: datetime | None = None


def row(**columns: object) -> sqlite3.Row:
    columns = {"at": None, **columns}
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.row_factory = sqlite3.Row
        names = ", ".join(f":{name} AS {name}" for name in columns)
        found: sqlite3.Row = connection.execute(f"SELECT {names}", columns).fetchone()
        return found


@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-9, minutes=-30))])))
def test_a_time_comes_back_to_the_microsecond(time: datetime) -> None:
    kept = to_sql(time)
    assert isinstance(kept, int)
    assert to_time(kept) == time
    assert to_time(kept).tzinfo is UTC


@given(st.timedeltas(min_value=timedelta(days=-100_000), max_value=timedelta(days=100_000)))
def test_a_length_of_time_comes_back(length: timedelta) -> None:
    kept = to_sql(length)
    assert isinstance(kept, int)
    assert to_optional_length(kept) == length


def test_later_times_are_larger_numbers() -> None:
    first, second = datetime(1969, 12, 31, tzinfo=UTC), datetime(2319, 1, 1, tzinfo=UTC)
    assert to_sql(first) == -86_400_000_000
    assert to_sql(second) == 11_013_321_600_000_000


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(TypeError):
        to_sql(datetime(2026, 3, 1))  # noqa: DTZ001


@pytest.mark.parametrize("number", [0, -1, 2**53 + 1, 2**63 - 1, -(2**63)])
def test_integers_keep_every_digit(number: int) -> None:
    assert to_sql(number) == number


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**40])
def test_what_no_column_can_hold_is_unknown(number: int) -> None:
    assert to_sql(number) is None


def test_text_that_is_not_unicode_becomes_visible() -> None:
    assert to_sql("model-\udcff.gguf") == "model-\\udcff.gguf"


def test_mappings_come_back_whatever_they_are_made_of() -> None:
    details = MappingProxyType(
        {"inner": MappingProxyType({"list": (1, 2.5, None)}), "ü": "\udcff", "n": 10**30}
    )
    kept = to_sql(details)
    assert isinstance(kept, str)
    there = {"inner": {"list": [1, 2.5, None]}, "ü": "\udcff", "n": 10**30}
    assert struct_of(Kept, row(number=1, details=kept)) == Kept(1, there)


@pytest.mark.parametrize("changes", [{"number": "many"}, {"details": "[]"}, {"details": "{"}, {"at": "soon"}])
def test_a_row_that_is_no_such_struct_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises((ValueError, TypeError)):
        struct_of(Kept, row(**{"number": 1, "details": "{}", "at": None, **changes}))


def test_what_json_cannot_say_is_refused() -> None:
    with pytest.raises(TypeError):
        to_sql({"object": object()})
