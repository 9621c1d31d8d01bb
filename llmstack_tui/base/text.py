"""Makes text from outside safe to show: it cannot control the terminal, and nothing in it is invisible.

Names, answers of servers and headers of files can hold anything. Wherever they are shown:

* Line ends and tabs become spaces; `clean_lines` keeps them.
* Joiners and variation selectors are left out. They are legitimate in emoji and some scripts, but terminals
  disagree on the width of such text, so the columns of a table would shift.
* Other characters that control a terminal, change the direction of text or have no width (control
  characters, directional marks, zero-width and tag characters, lone surrogates) become U+FFFD, so that a name
  that imitates another one is seen to differ.
"""

from __future__ import annotations

import re

_ANY = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_LINE_ENDS = re.compile("\r\n?|[\n\v\f\x85\u2028\u2029]")
_JOINERS = re.compile("[\u034f\u180b-\u180d\u180f\u200c\u200d\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_HARMFUL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 and C1, DEL
    "\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"  # directional marks, line and paragraph separators
    "\xad\u115f\u1160\u17b4\u17b5\u180e\u200b\u2060-\u2065\u206a-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb"
    "\ud800-\udfff"  # one half of a pair, which no encoding can carry
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff]"
)


def is_harmless(text: str) -> bool:
    """Whether `clean` has nothing to do; most texts are so, and this is what costs least."""
    return (text.isascii() and text.isprintable()) or _ANY.search(text) is None


def clean(text: str, limit: int | None = 1000) -> str:
    """``text`` on one line of at most ``limit`` characters (None: all)."""
    return clean_lines(text, limit).replace("\n", " ").replace("\t", " ")


def clean_lines(text: str, limit: int | None = 4000) -> str:
    """``text`` in at most ``limit`` characters (None: all), its lines ended by ``\\n`` and its tabs kept."""
    text = shortened(text, limit)
    if is_harmless(text):
        return text
    return _HARMFUL.sub("\N{REPLACEMENT CHARACTER}", _JOINERS.sub("", _LINE_ENDS.sub("\n", text)))


def brief(text: str, limit: int) -> str:
    """``text`` as part of a sentence: on one line, cut to ``limit`` characters. It is not made harmless."""
    return shortened(" ".join(text[: limit + 1].splitlines()).replace("\t", " "), limit)


def excerpt(text: str, limit: int = 300) -> str:
    """``text`` as part of a sentence: as `clean`, with every run of white space as one space."""
    return clean(" ".join(shortened(text, limit).split()), limit)


def shortened(text: str, limit: int | None) -> str:
    """``text``, cut to ``limit`` characters with an ellipsis at the end if it is longer."""
    return text if limit is None or len(text) <= limit else text[: limit - 1] + "…"


def with_full_stop(text: str) -> str:
    """``text`` with a full stop, unless it ends like a sentence."""
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."
