"""Text, figures and tables as they reach a terminal."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest

from llmstack_tui.cli import output
from llmstack_tui.cli.commands.ps import _until


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain [/red] text", "plain [/red] text"),
        ("\x1b[31mred\x07", "\ufffd[31mred\ufffd"),
        ("a\nb\tc\r", "a\ufffdb\ufffdc\ufffd"),
        ("\x9b31m\x7f", "\ufffd31m\ufffd"),
        ("\u202egnp.exe", "\ufffdgnp.exe"),
        ("مرحبا 👩‍💻 名前", "مرحبا 👩‍💻 名前"),
    ],
)
def test_nothing_from_outside_drives_the_terminal(text: str, shown: str) -> None:
    assert output.plain(text) == shown


def test_prose_keeps_its_lines() -> None:
    assert output.plain_prose("a\n\tb\x1b[2J\r") == "a\n\tb\ufffd[2J\ufffd"


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (None, "?"),
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (541_944, "542 kB"),
        (999_600, "1 MB"),
        (4_683_087_332, "4.7 GB"),
        (999_499_999, "999 MB"),
        (123_456_789_012, "123 GB"),
        (5_000_000_000_000_000, "5000 TB"),
    ],
)
def test_sizes(count: int | None, text: str) -> None:
    assert output.size(count) == text


def test_columns_are_set_by_the_cells_that_a_text_takes(capsys: pytest.CaptureFixture[str]) -> None:
    output.write_table(["", "NAME", ">SIZE"], [["●", "名前", "1 B"], ["○", "a\x1b[0m", "100 kB"]])
    assert capsys.readouterr().out.splitlines() == [
        "   NAME     SIZE",
        "●  名前      1 B",
        "○  a\ufffd[0m  100 kB",
    ]


@pytest.mark.parametrize(
    ("encoding", "marks"), [("utf-8", "●○◌◐☁"), ("latin-1", "*o.~@"), ("ascii", "*o.~@")]
)
def test_marks_have_ascii_twins(monkeypatch: pytest.MonkeyPatch, encoding: str, marks: str) -> None:
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BytesIO(), encoding=encoding))
    states = ("active", "inactive", "loading", "stopping", "cloud")
    assert "".join(output.mark(state) for state in states) == marks


@pytest.mark.parametrize(
    ("left", "text"),
    [
        (timedelta(seconds=-3), "in use"),
        (timedelta(seconds=299.6), "4:59 from now"),
        (timedelta(hours=2, minutes=5), "2:05:00 from now"),
        (timedelta(days=290 * 365), "for ever"),
    ],
)
def test_when_a_model_leaves(left: timedelta, text: str) -> None:
    now = datetime(2026, 7, 1, tzinfo=UTC)
    assert _until(now + left, now) == text
