"""How often something is done, or never."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.config.loading import load_settings
from llmstack_tui.config.settings import Settings
from tests.config.files import load, place

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "every"),
    [
        ('"2h"', timedelta(hours=2)),
        ("90", timedelta(seconds=90)),
        ('"off"', None),
        ("false", None),
        ('"never"', None),
    ],
)
def test_how_often_is_a_length_of_time_or_off(tmp_path: Path, text: str, every: timedelta | None) -> None:
    loaded = load(tmp_path, f"[updates]\ncheck_every = {text}\n")
    assert loaded.problems == ()
    assert loaded.settings.updates.check_every == every


def test_the_environment_says_it_too(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    for text, every in (("6h", timedelta(hours=6)), ("off", None), ("30s", timedelta(seconds=30))):
        loaded = load_settings(file, {"LLMSTACK_UPDATES_CHECK_EVERY": text})
        assert loaded.settings.updates.check_every == every


@pytest.mark.parametrize("text", ['"0s"', '"-1h"', "true", '"soon"', "[]"])
def test_all_else_is_named_and_the_default_stays(tmp_path: Path, text: str) -> None:
    loaded = load(tmp_path, f"[updates]\ncheck_every = {text}\n")
    assert loaded.settings == Settings()
    assert place(loaded.problems[0]) == (2, "updates.check_every")


@pytest.mark.parametrize(
    ("written", "limit"),
    [('"5MB/s"', 5_000_000), ('"512 KiB/s"', 512 * 1024), ('"1MB"', 1_000_000), ("0", 0)],
)
def test_the_limit_of_downloads(tmp_path: Path, written: str, limit: int) -> None:
    loaded = load(tmp_path, f"[updates]\nlimit = {written}\n")
    assert (loaded.settings.updates.limit, loaded.problems) == (limit, ())


@pytest.mark.parametrize("written", ['"fast"', "-1", '"5MB/h"', '"/s"', "true"])
def test_a_wrong_limit_is_none(tmp_path: Path, written: str) -> None:
    loaded = load(tmp_path, f"[updates]\nlimit = {written}\n")
    assert loaded.settings.updates.limit == 0
    assert len(loaded.problems) == 1
