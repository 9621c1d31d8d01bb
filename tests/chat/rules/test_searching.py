"""Words that are looked for."""

import pytest

from llmstack_tui.chat.rules.searching import folded, query_of


@pytest.mark.parametrize(
    ("words", "query"),
    [
        ("canción", '"canción"*'),
        ("two words ", '"two" "words"'),
        ('NOT "a" OR b*', '"NOT" "a" "OR" "b"*'),
        ("text:x -y ^z", '"text" "x" "y" "z"*'),
        ('"" * ( ', ""),
        ("", ""),
    ],
)
def test_what_is_typed_is_no_query_language(words: str, query: str) -> None:
    assert query_of(words) == query


def test_case_and_accents_make_no_difference() -> None:
    assert folded("ÁRBOL Straße") == "arbol strasse"
