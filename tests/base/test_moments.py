"""Times, as Go writes them."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmstack_tui.base.durations import format_time, parse_time

whole_minutes = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda count: timezone(timedelta(minutes=count)))


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-21T07:49:56.937389294Z", datetime(2026, 11, 21, 7, 49, 56, 937389, UTC)),
        ("2026-11-21T07:49:56Z", datetime(2026, 11, 21, 7, 49, 56, 0, UTC)),
        ("2026-11-21T07:49:56.9+02:00", datetime(2026, 11, 21, 5, 49, 56, 900000, UTC)),
        ("2319-03-03T07:44:11.810436658Z", datetime(2319, 3, 3, 7, 44, 11, 810436, UTC)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
    ],
)
def test_reads_what_servers_send(text: str, time: datetime) -> None:
    assert parse_time(text) == time


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "2026-11-21",
        "2026-11-21T07:49:56",
        "2026-13-01T00:00:00Z",
        "2026-11-21T07:49:56.Z",
        "٢026-11-21T07:49:56Z",
    ],
)
def test_refuses_what_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_time(text)


def test_writes_as_go_does() -> None:
    assert format_time(datetime(2026, 11, 21, 7, 49, 56, 937000, UTC)) == "2026-11-21T07:49:56.937Z"
    assert format_time(datetime(2026, 11, 21, 7, 49, 50, 0, UTC)) == "2026-11-21T07:49:50Z"
    east = timezone(timedelta(hours=5, minutes=30))
    assert format_time(datetime(2026, 11, 21, 7, 49, 56, 0, east)) == "2026-11-21T07:49:56+05:30"


def test_a_time_without_a_zone_is_not_written() -> None:
    with pytest.raises(ValueError, match="zone"):
        format_time(datetime(2026, 11, 21))  # noqa: DTZ001


@given(st.datetimes(timezones=whole_minutes))
def test_what_is_written_is_read_again(time: datetime) -> None:
    again = parse_time(format_time(time))
    assert (again.replace(tzinfo=None), again.utcoffset()) == (time.replace(tzinfo=None), time.utcoffset())


@given(st.text())
def test_any_text_is_a_time_or_a_value_error(text: str) -> None:
    with suppress(ValueError):
        assert parse_time(text).tzinfo is not None
