"""The characters that the dashboard draws with, and their twins for terminals that have only ASCII."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping


class Marks(Struct, frozen=True, kw_only=True):
    """The characters to draw with, one cell each. ``cursor`` marks the row that the keys act on.

    ``levels`` are heights from low to high, one character each; ``celsius`` is a unit, of one or two;
    ``dots`` go after a word; ``parts`` are the models in a bar, one character each.
    """

    active: str
    inactive: str
    loading: str
    stopping: str
    cloud: str
    cursor: str
    full: str
    empty: str
    parts: str
    others: str
    reserve: str
    ellipsis: str
    dots: str
    dot: str
    enter: str
    up: str
    down: str
    tick: str
    at_most: str
    newer: str
    pulling: str
    folded: str
    unfolded: str
    levels: str
    celsius: str
    client: str
    warning: str
    failed: str
    paused: str
    pinned: str
    shared: str
    hidden: str


UNICODE = Marks(
    active="●", inactive="○", loading="◌", stopping="◐", cloud="☁", cursor="▌",
    full="█", empty="░", parts="█▓", others="▒", reserve="·",
    ellipsis="…", dots="…", dot="·", enter="↵", up="▲", down="▼", tick="✓",
    at_most="≤", newer="↑", pulling="↓", folded="▸", unfolded="▾",
    levels="▁▂▃▄▅▆▇█", celsius="°C",
    client="»", warning="!", failed="✗", paused="‖", pinned="◆", shared="≡", hidden="•",
)  # fmt: skip
ASCII = Marks(
    active="*", inactive="o", loading=".", stopping="~", cloud="@", cursor=">",
    full="#", empty="-", parts="#=%", others="+", reserve=".",
    ellipsis="~", dots="...", dot="-", enter="enter", up="^", down="v", tick="+",
    at_most="<", newer="^", pulling="v", folded="+", unfolded="-",
    levels="_.-:=+*#", celsius="C",
    client=">", warning="!", failed="x", paused="=", pinned="P", shared="&", hidden="*",
)  # fmt: skip
# Signs of texts, and names of keys, which are no marks.
_SIGNS = {"«": '"', "»": '"', "←": "left", "→": "right", "≥": ">="}


def speaks_unicode(environ: Mapping[str, str], encoding: str | None) -> bool:
    """Whether the terminal is likely to show more than ASCII.

    Args:
        environ: of the process.
        encoding: of the stream that the dashboard is written to.
    """
    if environ.get("TERM") == "linux":
        return False  # The console's font has 512 signs, and ◌ ◐ ☁ are not among them.
    if not encoding or not _is_utf8(encoding):
        return False
    named = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or ""
    if not environ.get("LC_ALL") and environ.get("LANG") in {"C", "POSIX"} and named == "C.UTF-8":
        # Python itself writes LC_CTYPE=C.UTF-8 into its environment when the locale is C (PEP 538).
        named = environ["LANG"]
    # Without any of the three (in a container, a bare ssh) assume UTF-8, as today's terminals use it.
    return not named or _is_utf8(named.rpartition(".")[2].partition("@")[0])


def _is_utf8(encoding: str) -> bool:
    try:
        return codecs.lookup(encoding).name == "utf-8"
    except LookupError:
        return False


def with_marks(text: str, marks: Marks) -> str:
    """A text that is written with the marks of `UNICODE`, with these."""
    if marks is UNICODE:
        return text
    twins = {getattr(UNICODE, name): getattr(marks, name) for name in Marks.__struct_fields__}
    return text.translate(
        str.maketrans({each: twin for each, twin in twins.items() if len(each) == 1} | _SIGNS)
    )
