"""Text from outside, made harmless to show."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmstack_tui.base.text import brief, clean, clean_lines, excerpt, is_harmless, shortened

ANY_TEXT = st.text(alphabet=st.characters(), max_size=60)
REPLACED = "\N{REPLACEMENT CHARACTER}"


@given(ANY_TEXT)
def test_what_is_cleaned_moves_no_cursor_and_hides_nothing(text: str) -> None:
    cleaned = clean(text)
    assert not [c for c in cleaned if unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"}]
    assert not set(cleaned) & set(
        "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\u200d\ufe0f\ufeff"
    )
    assert clean(cleaned) == cleaned
    assert all(clean(line) == line for line in clean_lines(text).replace("\t", " ").split("\n"))
    cleaned.encode()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("evil/[/red]:latest", "evil/[/red]:latest"),
        ("one\ntwo\tthree\r\nfour\u2028five\x85six", "one two three four five six"),
        ("\x1b[31mred\x07", f"{REPLACED}[31mred{REPLACED}"),
        ("\x9b31m\x7f", f"{REPLACED}31m{REPLACED}"),
        ("\u202egnp.exe", f"{REPLACED}gnp.exe"),
        ("mis\u200btral", f"mis{REPLACED}tral"),
        ("\ufefftext", f"{REPLACED}text"),
        ("half \ud83d", f"half {REPLACED}"),
        ("hidden\U000e0041", f"hidden{REPLACED}"),
        ("مرحبا 👩\u200d💻 ❤\ufe0f 名前", "مرحبا 👩💻 ❤ 名前"),
        ("no\xa0break", "no\xa0break"),
    ],
)
def test_each_kind_of_harm(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_lines_and_tabs_are_kept_where_they_are_wanted() -> None:
    assert clean_lines("one\r\n\x1b[31mtwo\n") == f"one\n{REPLACED}[31mtwo\n"
    assert clean_lines("a\n\tb\x1b[2J\r") == f"a\n\tb{REPLACED}[2J\n"


def test_a_long_text_is_cut_before_anything_is_done_with_it() -> None:
    assert len(clean("x" * 10_000_000)) == 1000
    assert shortened("abcdef", 4) == "abc…"
    assert shortened("abcd", 4) == "abcd"
    assert clean_lines("x\n" * 9000, None) == "x\n" * 9000


@given(ANY_TEXT)
def test_an_excerpt_is_one_run_of_words(text: str) -> None:
    assert excerpt(text) == clean(" ".join(text.split()))
    assert len(excerpt(text * 20)) <= 300


def test_what_is_harmless_is_what_nothing_has_to_be_done_with() -> None:
    letters = map(chr, range(0x110000))
    assert [letter for letter in letters if is_harmless(letter) is not (clean(letter) == letter)] == []
    assert is_harmless("two words of ascii")
    assert not is_harmless("two\nlines")


def test_a_name_in_a_sentence_has_no_lines_and_is_short() -> None:
    assert brief("a\r\nb\tc\u2028d", 60) == "a b c d"
    assert brief("abcdef", 4) == "abc…"
    assert brief("x" * 10_000_000, 60) == "x" * 59 + "…"
