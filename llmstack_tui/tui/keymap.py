"""The keys of the settings: which can be used, and what is wrong with the others. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

from textual.binding import Binding, InvalidBinding

from llmstack_tui.base.languages import later
from llmstack_tui.base.sentences import Sentence
from llmstack_tui.config.kinds import wrong
from llmstack_tui.tui import keys

if TYPE_CHECKING:
    from collections.abc import Iterator

Contexts = Mapping[str, Sequence[Binding]]
"""The bindings that are used at the same place, by their title in the help."""

EVERYWHERE = later("Keys everywhere")
"""The title of those that hold on every screen."""

_MOST_NEAR = 5
_MOVING = {"cursor_up", "scroll_up", "keep"}


def usable_keys(keymap: Mapping[str, str]) -> dict[str, str]:
    """The entries of the settings' keys that name real keys."""
    return {name: key for name, key in keymap.items() if pressed(key)}


def pressed(key_names: str) -> list[str]:
    """The single keys of "x,delete", by Textual's names for them."""
    try:
        return [binding.key for binding in Binding.make_bindings([(key_names, "press")])]
    except InvalidBinding:
        return []


def faults(contexts: Contexts, keymap: Mapping[str, str]) -> Iterator[tuple[str, Sentence]]:
    """The faults in the keys of the settings: pairs of the id of an action, and the sentence about it.

    Textual reports clashes only between bindings without an id, and all of ours have one.
    """
    usual = {each.id: pressed(each.key) for bindings in contexts.values() for each in bindings if each.id}
    usable = {name: key for name, key in usable_keys(keymap).items() if name in usual}
    told: set[frozenset[str]] = set()
    for name, key in keymap.items():
        if name not in usual:
            yield name, Sentence("setting.unknown_key", {"near": _near(name, sorted(usual))})
        elif name not in usable:
            yield name, wrong(Sentence("allowed.key"), key)
        for each in pressed(key) if name in usable else ():
            others = sharing(contexts, usable, name, each) if each not in usual[name] else ()
            others = tuple(other for other in others if frozenset((name, other)) not in told)
            told.update(frozenset((name, other)) for other in others)
            if others:
                yield name, Sentence("setting.key_taken", {"key": repr(each), "others": others})


def sharing(contexts: Contexts, keymap: Mapping[str, str], name: str, key: str) -> tuple[str, ...]:
    """The ids of other actions that have this key where the action with this id can be used."""
    found: dict[str, None] = {}
    for title, bindings in contexts.items():
        here = (*bindings, *_around(contexts, title))
        if any(each.id == name for each in here):
            for each in here:
                if each.id and each.id != name and key in pressed(keymap.get(each.id, each.key)):
                    found[each.id] = None
    return tuple(found)


def _around(contexts: Contexts, title: str) -> Iterator[Binding]:
    """The bindings that can be used beside those of a title: those of all screens, and those of lists."""
    if title in keys.CONTEXTS or title == EVERYWHERE:
        return
    yield from contexts.get(EVERYWHERE, ())
    if not any(each.action in _MOVING for each in contexts[title]):
        yield from keys.LIST


def _near(name: str, known: Sequence[str]) -> tuple[str, ...]:
    """The ids that look like ``name``, else what all begin with."""
    alike = get_close_matches(name, known, _MOST_NEAR)
    return tuple(alike or dict.fromkeys(f"{each.partition('.')[0]}.*" for each in known))
