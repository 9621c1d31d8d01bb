"""The language of everything that people read: one for the process, as its locale is.

An English text is the key of its translation in ``locale/CODE.po``, of which ``python -m tests.languages``
makes the ``.mo`` that is read here (gettext's formats). Where there is none, the English text stays. JSON,
logs and what the built-in engine answers to its clients are English always.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from gettext import NullTranslations

AUTO = "auto"
FOLDER = Path(__file__).parents[1] / "locale"
# In gettext's order, which is that of the C library.
_LOCALES = ("LC_ALL", "LC_MESSAGES", "LANG")


class Language(NamedTuple):
    """One of `LANGUAGES`.

    Attributes:
        code: its ISO 639-1 code, as in the settings.
        name: what its speakers call it.
        separators: those of numbers, for thousands and decimals.
        conjunctions: what stands in place of a word before what begins like a pattern.
    """

    code: str
    name: str
    separators: str
    conjunctions: tuple[tuple[str, str, str], ...] = ()


ENGLISH = Language("en", "English", ",.")
# Before the same sound: "Ana e Inés", but "agua y hielo"; "siete u ocho" (RAE, «y» and «o»).
_SPANISH_CONJUNCTIONS = ((r"h?[ií](?![aeouáéóú])", "y", "e"), (r"h?[oó]|8", "o", "u"))
LANGUAGES = (ENGLISH, Language("es", "Español", ".,", _SPANISH_CONJUNCTIONS))
_BY_CODE = {each.code: each for each in LANGUAGES}
CODES = frozenset(_BY_CODE)


class _Current:
    """The one value of the process that may change: what is shown has one language at a time."""

    language = ENGLISH
    translations: NullTranslations | None = None


def current() -> Language:
    return _Current.language


def use(code: str) -> None:
    """Show everything in this language from now on. An unknown one is English."""
    _Current.language = _BY_CODE.get(code, ENGLISH)
    _Current.translations = None
    if _Current.language is not ENGLISH:
        from gettext import GNUTranslations  # noqa: PLC0415  # English needs none.

        with (FOLDER / f"{_Current.language.code}.mo").open("rb") as file:
            _Current.translations = GNUTranslations(file)


def chosen(setting: str, environ: Mapping[str, str]) -> str:
    """The code of the language: that of the setting, or with `AUTO` that of the locale, else English.

    ``LANGUAGE`` is a list in order of preference, which counts if the locale is not ``C``, as for gettext.
    """
    if setting != AUTO:
        return setting
    locale = next(filter(None, map(environ.get, _LOCALES)), "")
    if _code(locale) in {"c", "posix"}:
        return ENGLISH.code
    preferred = [*environ.get("LANGUAGE", "").split(":"), locale]
    return next((_code(each) for each in preferred if _code(each) in _BY_CODE), ENGLISH.code)


def _code(locale: str) -> str:
    return locale.partition(".")[0].partition("@")[0].partition("_")[0].lower()


def tr(text: str, /, **values: object) -> str:
    """The text in the current language, with the values in its placeholders."""
    if _Current.translations is not None:
        text = _Current.translations.gettext(text) if text else text
    return filled(text, values) if values else text


def tr_n(one: str, other: str, count: int, /, **values: object) -> str:
    """As `tr`, in the singular or the plural; ``{count}`` is one of the values."""
    return filled(form_for(count, one, other), {"count": count, **values})


def form_for(count: int, one: str, other: str) -> str:
    """The singular or the plural in the current language, with its placeholders as they are."""
    if _Current.translations is None:
        return one if count == 1 else other
    return _Current.translations.ngettext(one, other, count)


def joined(form: str, most: str, last: str) -> str:
    """A form such as "{most} and {last}" with both; its word may depend on how the last one sounds."""
    for beginning, word, instead in current().conjunctions:
        if re.match(rf"[\"'«]?(?:{beginning})", last, re.IGNORECASE):
            form = form.replace(f" {word} {{last}}", f" {instead} {{last}}")
    return filled(form, {"most": most, "last": last})


def later(text: str) -> str:
    """Marks a text that stands in a table; `tr` translates it where it is shown, in the language of then."""
    return text


def later_n(one: str, other: str) -> tuple[str, str]:
    """As `later`, for a singular and a plural: `tr_n` takes both where they are shown."""
    return one, other


def filled(text: str, values: Mapping[str, object]) -> str:
    """The text with the values in its placeholders, and numbers as the language writes them."""
    if _Current.language is ENGLISH:
        return text.format_map(values)
    return _FORMATTER.vformat(text, (), values)


def number(text: str) -> str:
    """A number that was written as in English, such as ``1,234.5``, as the language writes it."""
    separators = _Current.language.separators
    return text if separators == ENGLISH.separators else text.translate(_swapped(separators))


@cache
def _swapped(separators: str) -> dict[int, int]:
    return str.maketrans(ENGLISH.separators, separators)


class _LocalFormatter(Formatter):
    def format_field(self, value: Any, format_spec: str) -> str:  # as the base class has it
        text = str(super().format_field(value, format_spec))
        return number(text) if isinstance(value, int | float) else text


_FORMATTER = _LocalFormatter()
