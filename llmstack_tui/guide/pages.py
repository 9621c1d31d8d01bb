"""The pages of the guide: Markdown that is read as it is, too, in ``LANGUAGE/TOPIC.md`` beside this file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from llmstack_tui.base.languages import current

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parent
TOPICS = (
    "start",
    "models",
    "chat",
    "memory",
    "guard",
    "updates",
    "downloads",
    "catalog",
    "disk",
    "servers",
    "engine",
    "ollama",
    "variables",
    "editors",
    "prompts",
    "keys",
    "providers",
    "library",
    "install",
    "settings",
    "themes",
    "scripts",
    "languages",
    "service",
    "trouble",
)
"""The names of the pages, the same in every language, in the order in which they are read."""
_MOST_NEAR = 4


class Page(NamedTuple):
    """A page in the language of now.

    Attributes:
        title: its heading.
        purpose: the sentence under that.
        text: all of it, with these two.
    """

    topic: str
    title: str
    purpose: str
    text: str


def page(topic: str) -> Page:
    """The page of one of the `TOPICS`."""
    text = (FOLDER / current().code / f"{topic}.md").read_text(encoding="utf-8")
    heading, purpose, _ = text.split("\n\n", 2)
    return Page(topic, heading.removeprefix("# "), purpose.replace("\n", " "), text)


def pages() -> Iterator[Page]:
    return map(page, TOPICS)


def topic_of(word: str) -> str | None:
    """The topic with this name, or the only one that begins so."""
    found = _beginning(word)
    return found[0] if len(found) == 1 else None


def near(word: str) -> list[str]:
    """Topics near a word that is none: those that begin or look like it, then those whose pages say it."""
    from difflib import get_close_matches  # noqa: PLC0415  # only for a word that is wrong

    asked = word.strip().lower()
    counts = {each.topic: each.text.lower().count(asked) for each in pages()} if asked else {}
    having = sorted((topic for topic in counts if counts[topic]), key=lambda topic: -counts[topic])
    return [*dict.fromkeys((*_beginning(word), *get_close_matches(asked, TOPICS), *having))][:_MOST_NEAR]


def _beginning(word: str) -> list[str]:
    asked = word.strip().lower()
    return [topic for topic in TOPICS if asked and topic.startswith(asked)]
