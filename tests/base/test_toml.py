"""Changes in a TOML document: what is around them stays to the letter."""

from __future__ import annotations

import tomllib

import pytest

from llmstack_tui.base.toml import Path, Unchangeable, changed
from llmstack_tui.config.table import example, table

MINE = """\
# mine
hosts = []  # none

[guard]
max_loaded = 2   # two

# about the screen
[ui]
theme = "dark"

# my keys
[ui.keys]
models.activate = "space"
"""


@pytest.mark.parametrize(
    ("place", "value", "before", "after"),
    [
        (("ui", "theme"), '"light"', 'theme = "dark"', 'theme = "light"'),
        (("guard", "max_loaded"), "3", "max_loaded = 2   # two", "max_loaded = 3   # two"),
        (("guard", "max_loaded"), None, "max_loaded = 2   # two\n", ""),
        (("guard", "remote"), "true", "# two\n", "# two\nremote = true\n"),
        (("ui", "ascii"), "true", '"dark"\n', '"dark"\nascii = true\n'),
        (("read_only",), "true", "# none\n", "# none\nread_only = true\n"),
        (("ui", "keys", "models", "activate"), '"x"', '"space"', '"x"'),
        (("ui", "keys", "app.quit"), '"x"', '"space"\n', '"space"\n"app.quit" = "x"\n'),
        (("engine", "port"), "1", '"space"\n', '"space"\n\n[engine]\nport = 1\n'),
        (("engine", "port"), None, "", ""),
    ],
)
def test_one_value_changes_and_nothing_else(place: Path, value: str | None, before: str, after: str) -> None:
    assert changed(MINE, {place: value}) == MINE.replace(before, after)


def test_each_setting_goes_behind_its_line_in_the_example() -> None:
    text = example()
    for setting in table():
        line = f"{setting.key} = {setting.kind.write(setting.default)}"
        assert f"#{line}\n{line}\n" in changed(text, {setting.place: setting.kind.write(setting.default)})


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_ends_of_lines_stay(end: str) -> None:
    after = changed(f"[a]{end or chr(10)}b = 1{end}", {("a", "c"): "2", ("d", "e"): "3"})
    assert tomllib.loads(after) == {"a": {"b": 1, "c": 2}, "d": {"e": 3}}
    assert after.count("\n") == after.count("\r\n") or end != "\r\n"


def test_tables_that_are_apart_are_one() -> None:
    text = '[ui]\ntheme = "dark"\n\n[guard]\n\n[ui.keys]\na = "b"\n'
    assert changed(text, {("ui", "ascii"): "true"}) == text.replace('"dark"\n', '"dark"\nascii = true\n')


@pytest.mark.parametrize("text", ["a = 1\n", "[[a]]\nb = 1\n", "a = [1]\n"])
def test_what_has_no_room_for_a_value_is_left_alone(text: str) -> None:
    with pytest.raises(Unchangeable):
        changed(text, {("a", "b"): "2"})
