"""The title of a talk."""

from __future__ import annotations

from llmstack_tui.base.text import clean

LONGEST = 60
"""Characters of a title that is made; a user's own may be longer."""


def title_of(question: str) -> str:
    """A title from the first question: its first line with a word in it, cut between words.

    >>> title_of("  ```python\\n# Why is this slow?  ")
    'Why is this slow?'
    """
    for line in question[:4000].splitlines():
        words = line.strip(" \t#*>-`~=_").split()
        if words and any(each.isalnum() for each in line) and not line.lstrip().startswith("```"):
            text = clean(" ".join(words), None)
            if len(text) <= LONGEST:
                return text
            cut, space, _ = text[:LONGEST].rpartition(" ")
            return (cut if space and len(cut) > LONGEST // 2 else text[: LONGEST - 1]) + "…"
    return clean(" ".join(question[:4000].split()), LONGEST)
