"""What texts ask for, in English and Spanish, and by patterns of one's own."""

from __future__ import annotations

from time import process_time

import pytest

from llmstack_tui.prompts import Patterns, Query, parse_query
from llmstack_tui.prompts.service import SHIPPED
from llmstack_tui.prompts.types import WrongArgument


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("Explain this function to me", "explain"),
        ("What does this error mean?", "explain"),
        ("Explícame este código, no lo revises", "explain"),
        ("¿Qué hace esta función?", "explain"),
        ("Can you review src/app.py?", "review"),
        ("Revisa este código", "review"),
        ("Write unit tests for it", "tests"),
        ("Escribe tres pruebas para esto", "tests"),
        ("A commit message for this diff", "commit"),
        ("Dame un mensaje de commit", "commit"),
        ("Translate this into German, then explain it", "translate"),
        ("Traduce esto al francés", "translate"),
        ("tl;dr", "summarise"),
        ("Resume el texto", "summarise"),
        ("Resume the download", None),
        ("Extract name and age as JSON", "extract"),
        ("Extrae los nombres", "extract"),
        ("Write a query that counts users", "sql"),
        ("Escribe una consulta", "sql"),
        ("Hello there", None),
        ("", None),
    ],
)
def test_intents(text: str, intent: str | None) -> None:
    assert parse_query(text).intent == intent


def test_every_intent_is_a_prompt() -> None:
    query = parse_query("translate summarise explain review sql extract, unit tests, commit message")
    assert query.intent == "translate"
    names = {file.stem for file in (SHIPPED / "en").iterdir()}
    for text in (
        "translate",
        "summarise",
        "explain",
        "review",
        "unit tests",
        "commit message",
        "extract",
        "sql",
    ):
        assert parse_query(text).intent in names


def test_entities_stand_in_the_order_of_the_text_and_once() -> None:
    text = (
        'Translate "good night" in @notes/a.md and ./src/main.py into Spanish by 2026-05-01, in 5 sentences, '
        "see https://example.org/x.html. Ask ana@example.org about the Python."
    )
    assert [(each.kind, each.value) for each in parse_query(text).entities] == [
        ("quoted", "good night"),
        ("file", "notes/a.md"),
        ("file", "./src/main.py"),
        ("language", "Spanish"),
        ("date", "2026-05-01"),
        ("count", "5"),
        ("url", "https://example.org/x.html"),
        ("email", "ana@example.org"),
        ("code_language", "Python"),
    ]
    for each in parse_query(text).entities:
        assert text[each.start :].startswith(each.value)


def test_of_a_long_text_the_beginning_and_the_end_count() -> None:
    pasted = "lorem ipsum " * 200_000
    assert parse_query(f"Translate this: {pasted}").intent == "translate"
    query = parse_query(f"{pasted} Summarise notas.txt")
    assert query.intent == "summarise"
    (entity,) = query.entities
    assert (entity.value, entity.start) == ("notas.txt", len(pasted) + len(" Summarise "))


def test_no_pattern_of_ours_needs_long_for_any_text() -> None:
    for text in (
        "a" * 8_000,
        "./" * 4_000,
        "a." * 4_000,
        "'" * 8_000,
        "what does " * 800,
        "a-b_" * 2_000 + "@",
    ):
        started = process_time()
        parse_query(text)
        assert process_time() - started < 1


def test_patterns_of_ones_own() -> None:
    own = Patterns(intents={"order": ["pizza"], "pay": ["bill"]}, entities={"n": [r"no\. (?P<value>\d+)"]})
    assert parse_query("The BILL of pizza no. 12", own).intent == "pay"
    assert parse_query("The bill of pizza no. 12", own).all("n") == ("12",)
    assert parse_query("translate", {}) == Query(None)


@pytest.mark.parametrize(
    ("patterns", "said"),
    [
        ({"intents": {"a": ["("]}}, "The pattern of a is no regular expression"),
        ({"intents": ["a"]}, "Patterns are a table"),
        ({"intentions": {}}, "Patterns are a table"),
        ({"entities": {"a": "b"}}, "Patterns are a table"),
    ],
)
def test_patterns_that_are_none(patterns: dict[str, object], said: str) -> None:
    with pytest.raises(WrongArgument) as error:
        parse_query("text", patterns)
    assert said in str(error.value)
