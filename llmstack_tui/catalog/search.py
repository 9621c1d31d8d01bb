"""Finding entries by words. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llmstack_tui.catalog.types import Entry


def search(entries: Iterable[Entry], text: str) -> tuple[Entry, ...]:
    """The entries that have all words of ``text`` somewhere; all of them if there are no words.

    Those come first that have them in the name, then in the family, the uses, the licence and last in what
    they are good for; of equals the one with the higher priority. Upper and lower case do not count.
    """
    words = text.casefold().split()
    ranked = [(ranks, entry) for entry in entries if None not in (ranks := _ranks(entry, words))]
    ranked.sort(key=lambda each: (sum(rank or 0 for rank in each[0]), each[1].priority))
    return tuple(entry for _, entry in ranked)


def _ranks(entry: Entry, words: list[str]) -> list[int | None]:
    """For each word where it was found, 0 for the whole name; None for a word that is nowhere."""
    name = entry.name.casefold()
    places = (
        name,
        entry.family.casefold(),
        " ".join(entry.uses),
        entry.license.value.casefold() if entry.license else "",
        f"{entry.good_for} {entry.parameters.value}".casefold(),
    )
    return [_rank(word, name, places) for word in words]


def _rank(word: str, name: str, places: tuple[str, ...]) -> int | None:
    if word in (name, name.partition(":")[0]):
        return 0
    if name.startswith(word):
        return 1
    return next((number for number, place in enumerate(places, 2) if word in place), None)
