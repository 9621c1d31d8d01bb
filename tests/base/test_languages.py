"""The language: which one is chosen, and how texts, plurals and numbers are written in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base import languages
from llmstack_tui.base.languages import AUTO, chosen, number, tr, tr_n
from llmstack_tui.base.sentences import ANY, listed
from llmstack_tui.base.units import bytes_text

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def spanish() -> Iterator[None]:
    languages.use("es")
    yield
    languages.use("en")


@pytest.mark.parametrize(
    ("setting", "environ", "code"),
    [
        (AUTO, {}, "en"),
        (AUTO, {"LANG": "es_ES.UTF-8"}, "es"),
        (AUTO, {"LANG": "es"}, "es"),
        (AUTO, {"LANG": "es_MX@euro"}, "es"),
        (AUTO, {"LANG": "es_ES.UTF-8", "LC_ALL": "en_GB.UTF-8"}, "en"),
        (AUTO, {"LANG": "en_GB.UTF-8", "LC_MESSAGES": "es_ES.UTF-8"}, "es"),
        (AUTO, {"LANG": "es_ES.UTF-8", "LC_ALL": ""}, "es"),
        (AUTO, {"LANG": "es_ES.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
        (AUTO, {"LANG": "C", "LANGUAGE": "es"}, "en"),
        (AUTO, {"LANG": "en_GB.UTF-8", "LANGUAGE": "de:es:en"}, "es"),
        (AUTO, {"LANG": "xx_YY.UTF-8"}, "en"),
        ("es", {"LANG": "en_GB.UTF-8"}, "es"),
        ("en", {"LANG": "es_ES.UTF-8"}, "en"),
    ],
)
def test_the_setting_decides_and_else_the_locale(setting: str, environ: dict[str, str], code: str) -> None:
    assert chosen(setting, environ) == code


def test_a_text_without_a_translation_stays_english(spanish: None) -> None:
    assert tr("There is no such text as {this}.", this="that") == "There is no such text as that."
    assert tr("") == ""


def test_an_unknown_language_is_english() -> None:
    languages.use("tlh")
    assert languages.current() is languages.ENGLISH
    assert tr("{count:,} files", count=1234) == "1,234 files"


def test_numbers_are_written_as_the_language_writes_them(spanish: None) -> None:
    assert number("1,234.5") == "1.234,5"
    assert bytes_text(4_700_000_000) == "4,7 GB"
    assert tr("{count:,} of {share:.1f}, {text}", count=1234, share=0.5, text="v1.5") == "1.234 of 0,5, v1.5"
    assert tr_n("{count:,} x", "{count:,} xs", 1234) == "1.234 xs"


@pytest.mark.parametrize(
    ("last", "both", "any_"),
    [
        ("ui.keys", "hosts y ui.keys", "hosts o ui.keys"),
        ("idle_stop", "hosts e idle_stop", "hosts o idle_stop"),
        ("Historial", "hosts e Historial", "hosts o Historial"),
        ("Hijos", "hosts e Hijos", "hosts o Hijos"),
        ("hielo", "hosts y hielo", "hosts o hielo"),
        ('"openai"', 'hosts y "openai"', 'hosts u "openai"'),
        ("8 más", "hosts y 8 más", "hosts u 8 más"),
    ],
)
def test_and_and_or_are_written_as_they_sound(spanish: None, last: str, both: str, any_: str) -> None:
    assert (listed(("hosts", last)), listed(("hosts", last), ANY)) == (both, any_)
