"""The catalogues of translations: ``locale/CODE.po``, which people edit, and ``CODE.mo``, which is read."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from llmstack_tui.base.languages import ENGLISH, LANGUAGES
from tests.languages.sources import PACKAGE, texts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from babel.messages.catalog import Message

    from tests.languages.sources import Text

    Translation = str | tuple[str, ...] | list[str] | None

CODES = tuple(each.code for each in LANGUAGES if each is not ENGLISH)
_FOLDER = PACKAGE / "locale"


class _Plain(Catalog):
    """A catalogue whose header has no dates and no versions, which would change with every run.

    It has two forms of the plural: for round millions Spanish has a third, and here nothing is counted in
    those.
    """

    num_plurals = 2
    plural_expr = "(n != 1)"
    plural_forms = "nplurals=2; plural=(n != 1);"

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        return [
            ("Language", str(self.locale_identifier)),
            ("MIME-Version", "1.0"),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Transfer-Encoding", "8bit"),
            ("Plural-Forms", self.plural_forms),
        ]

    @mime_headers.setter
    def mime_headers(self, _headers: object) -> None:
        """What a file says of itself is not kept."""


def source(code: str) -> Path:
    return _FOLDER / f"{code}.po"


def compiled(code: str) -> Path:
    return _FOLDER / f"{code}.mo"


def read(code: str) -> Catalog:
    return _catalogue(code, _translations(code))


def update(code: str) -> list[Text]:
    """Write the catalogue with today's texts and the translations that it has; returns those without one."""
    known = _translations(code)
    now = _catalogue(code, {text: known.get(text, "") for text in texts()})
    source(code).write_bytes(_po(now))
    compiled(code).write_bytes(mo(now))
    return missing(now)


def _translations(code: str) -> dict[Text, Translation]:
    if not source(code).exists():
        return {}
    with source(code).open("rb") as file:
        found = read_po(file, locale=code, abort_invalid=True)
    return {text_of(each): each.string for each in found if each.id}


def _catalogue(code: str, translations: Mapping[Text, Translation]) -> Catalog:
    made = _Plain(
        locale=code,
        header_comment="# Written by `python -m tests.languages`: only the translations are written by hand.",
        fuzzy=False,
    )
    for text, translation in sorted(translations.items(), key=_order):
        made.add(text, translation)
    return made


def _order(of: tuple[Text, object]) -> str:
    return of[0] if isinstance(of[0], str) else of[0][0]


def missing(catalogue: Catalog) -> list[Text]:
    """The texts without a translation."""
    return [text_of(each) for each in catalogue if each.id and not all(forms(each))]


def forms(message: Message) -> tuple[str, ...]:
    """The translation of a text: one form, or the singular and the plural."""
    return tuple(message.string) if isinstance(message.string, tuple | list) else (message.string or "",)


def text_of(message: Message) -> Text:
    return message.id if isinstance(message.id, str) else (message.id[0], message.id[1])


def mo(catalogue: Catalog) -> bytes:
    out = BytesIO()
    write_mo(out, catalogue)
    return out.getvalue()


def _po(catalogue: Catalog) -> bytes:
    out = BytesIO()
    write_po(out, catalogue, width=110, no_location=True, sort_output=True)
    return out.getvalue()
