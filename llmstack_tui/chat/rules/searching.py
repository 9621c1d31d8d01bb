"""What is looked for in talks, and what was found."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from llmstack_tui.chat.types import FoundTurn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from llmstack_tui.chat.types import Session

_WORD = re.compile(r"\w+")
_MOST_WORDS = 20
# Around what was found in an excerpt, as the table of turns asks SQLite for it.
_MARKED = re.compile("\x02([^\x03]*)\x03")


def query_of(words: str) -> str:
    """The query in FTS5's words: each word as it is, the last one as a beginning; "" if there is none.

    >>> query_of('NEAR("canción')
    '"NEAR" "canción"*'
    """
    found = _WORD.findall(words)[:_MOST_WORDS]
    is_whole = words[-1:].isspace()
    return " ".join(f'"{each}"' for each in found) + ("*" if found and not is_whole else "")


def folded(text: str) -> str:
    """``text`` without case and accents, as the index has it."""
    if text.isascii():
        return text.casefold()
    return "".join(
        each for each in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(each)
    )


def found_sessions(sessions: Iterable[Session], words: str) -> Iterator[FoundTurn]:
    """The sessions whose title has all the words."""
    wanted = [folded(each) for each in _WORD.findall(words)[:_MOST_WORDS]]
    for session in sessions:
        title = folded(session.title)
        if wanted and all(each in title for each in wanted):
            yield FoundTurn(session=session, turn=None, excerpt=((session.title, False),))


def found_turns(matches: Iterable[tuple[int, str, str]], sessions: Sequence[Session]) -> Iterator[FoundTurn]:
    """The turns with these ids, ids of sessions, and excerpts as the store makes them."""
    by_id = {each.id: each for each in sessions}
    for turn, session, excerpt in matches:
        if session in by_id:
            yield FoundTurn(session=by_id[session], turn=turn, excerpt=tuple(_pieces(excerpt)))


def _pieces(excerpt: str) -> Iterator[tuple[str, bool]]:
    for number, piece in enumerate(_MARKED.split(excerpt)):
        if piece:
            yield piece, number % 2 == 1
