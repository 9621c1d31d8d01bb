"""The settings of the guard: sizes, and times by the names of models."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmstack_tui.config import kinds
from llmstack_tui.config.loading import load_settings
from llmstack_tui.core.wording import text

if TYPE_CHECKING:
    from pathlib import Path

    from llmstack_tui.config.settings import GuardSettings


def _read(tmp_path: Path, content: str, **environ: str) -> tuple[GuardSettings, tuple[str, ...]]:
    file = tmp_path / "config.toml"
    file.write_text(content)
    loaded = load_settings(file, environ)
    return loaded.settings.guard, tuple(map(text, loaded.problems))


def test_all_of_them(tmp_path: Path) -> None:
    guard, problems = _read(
        tmp_path,
        """[guard]
max_loaded = 1
memory_budget = "6.5GB"
idle_stop = "90s"
over_limit = "stop"
others = false
temperature_limit = 85
remote = true
[guard.models]
"mistral:7b" = "1h"
qwen2.5 = 0
""",
    )
    assert problems == ()
    assert guard.max_loaded == 1
    assert guard.memory_budget == 6_500_000_000
    assert guard.idle_stop == timedelta(seconds=90)
    assert guard.models == {"mistral:7b": timedelta(hours=1), "qwen2.5": timedelta(0)}
    assert (guard.over_limit, guard.others, guard.temperature_limit) == ("stop", False, 85)
    assert guard.remote


def test_the_environment_comes_first(tmp_path: Path) -> None:
    guard, problems = _read(
        tmp_path,
        "[guard]\nmax_loaded = 1\n",
        LLMSTACK_GUARD_MAX_LOADED="3",
        LLMSTACK_GUARD_IDLE_STOP="90s",
        LLMSTACK_GUARD_MODELS="qwen2.5:7b=1h mistral=0",
        LLMSTACK_GUARD_MEMORY_BUDGET="512MiB",
    )
    assert problems == ()
    assert guard.max_loaded == 3
    assert guard.idle_stop == timedelta(seconds=90)
    assert guard.models == {"qwen2.5:7b": timedelta(hours=1), "mistral": timedelta(0)}
    assert guard.memory_budget == 512 * 2**20


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("max_loaded = 0", 'must be a whole number from 1 to 1000, or "auto", not 0'),
        ('memory_budget = "much"', 'must be a size such as "6GB" or "512MiB" (0: no limit), or "auto"'),
        ("memory_budget = -1", "must be a size"),
        ('memory_budget = "6 parsecs"', "must be a size"),
        ('memory_budget = "999999999999TB"', "must be a size"),
        ('idle_stop = "soon"', '"10m" or "1h30m" (0 or negative: never)'),
        ('over_limit = "never"', 'must be "ask", "stop" or "refuse"'),
        ("temperature_limit = 500", "must be a whole number from 40 to 120"),
        ("models = 1", 'must be a table of lengths of time such as { "mistral:7b" = "1h" }'),
        ('models = { a = "1h", b = "soon" }', 'guard.models.b must be a length of time such as "10m"'),
        ("max_load = 1", "is not a setting. Known here: enabled, max_loaded, memory_budget"),
    ],
)
def test_what_is_wrong_is_told_with_what_would_be_right(tmp_path: Path, line: str, told: str) -> None:
    _, problems = _read(tmp_path, f"[guard]\n{line}\n")
    assert len(problems) == 1
    assert told in problems[0]
    assert problems[0].startswith("config.toml line 2: guard.")


@given(st.integers(0, 2**60 - 1))
def test_a_size_is_read_as_it_was_written(size: int) -> None:
    kind = kinds.size()
    assert kind.read(kind.write(size).strip('"'), lambda *_: None) == size


def test_sizes_are_written_as_people_do() -> None:
    assert [kinds.size().write(size) for size in (0, 6 * 10**9, 6 * 2**30, 1536, 1001)] == [
        "0",
        '"6GB"',
        '"6GiB"',
        '"1536B"',
        '"1001B"',
    ]
