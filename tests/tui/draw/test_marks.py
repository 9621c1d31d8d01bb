"""The signs, and which terminal gets which."""

from __future__ import annotations

import pytest
from msgspec.structs import astuple
from rich.cells import cell_len

from llmstack_tui.tui.draw.marks import ASCII, UNICODE, Marks, speaks_unicode


def test_every_mark_takes_one_cell() -> None:
    signs = [each for each in Marks.__struct_fields__ if each not in {"levels", "parts", "celsius"}]
    assert {cell_len(getattr(UNICODE, name)) for name in signs} == {1}
    assert {cell_len(getattr(ASCII, name)) for name in signs if name not in {"enter", "dots"}} == {1}


def test_as_many_levels_in_ascii_all_of_one_cell() -> None:
    assert len(set(UNICODE.levels)) == len(set(ASCII.levels)) == len(UNICODE.levels) == len(ASCII.levels)
    assert {cell_len(level) for level in UNICODE.levels + ASCII.levels} == {1}


def test_the_twins_are_ascii_and_tell_the_states_apart() -> None:
    assert all(mark.isascii() for mark in astuple(ASCII))
    for marks in (ASCII, UNICODE):
        states = (marks.active, marks.inactive, marks.loading, marks.stopping, marks.cloud)
        assert len(set(states)) == len(states)


@pytest.mark.parametrize(
    ("environ", "encoding", "expected"),
    [
        ({"LANG": "en_US.UTF-8"}, "utf-8", True),
        ({"LANG": "de_DE.utf8@euro"}, "utf-8", True),
        ({}, "utf-8", True),
        ({"LC_CTYPE": "UTF-8"}, "utf-8", True),  # a macOS terminal over ssh
        ({"LC_CTYPE": "C.UTF-8"}, "utf-8", True),
        ({"LANG": "C"}, "utf-8", False),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, "utf-8", False),  # written there by Python itself
        ({"LANG": "C", "LC_ALL": "C.UTF-8"}, "utf-8", True),
        ({"LC_ALL": "POSIX", "LANG": "en_US.UTF-8"}, "utf-8", False),
        ({"LANG": "de_DE.ISO-8859-1"}, "utf-8", False),
        ({"LANG": "de_DE"}, "utf-8", False),
        ({"LANG": "en_US.UTF-8"}, "iso8859-1", False),
        ({"LANG": "en_US.UTF-8"}, "no such encoding", False),
        ({"LANG": "en_US.UTF-8"}, None, False),
        ({"LANG": "en_US.UTF-8", "TERM": "linux"}, "utf-8", False),
    ],
)
def test_which_terminal_shows_more_than_ascii(
    environ: dict[str, str], encoding: str | None, expected: bool
) -> None:
    assert speaks_unicode(environ, encoding) is expected
