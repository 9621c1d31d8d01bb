"""Text, figures and tables as they reach a terminal."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest

from llmstack_tui.cli import output
from llmstack_tui.cli.commands.ps import until
from llmstack_tui.cli.progress import pull_line
from llmstack_tui.cli.table import cells
from llmstack_tui.downloads.types import DownloadState
from tests.tui import pulls


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
    assert until(now + left, now) == text


@pytest.mark.parametrize("width", [59, 79, 119])
def test_the_figures_of_a_pull_stay_whole_in_every_width(width: int) -> None:
    for name in ("a:1", "hf.co/somebody/a-model-with-a-name-of-sixty-characters:Q4_K_M"):
        running = pulls.pull(1, name, DownloadState.RUNNING, done=(812_000_000, 0, 0), speed=21e6)
        line = pull_line(running, width)
        assert cells(line) <= width
        assert line.endswith("17 % 812 MB of 4.7 GB  21 MB/s  3:04 left")
        assert line.startswith(name[:3])
