"""The keys of the settings: which of them are keys, and what is wrong with the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.binding import Binding, InvalidBinding

from llmstack_tui.tui import keys
from llmstack_tui.tui.features import BINDINGS, FEATURES, OPENING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

# Where the key of a binding was set, as the beginning of a sentence.
Place = Callable[[str], str]


def problems(keymap: Mapping[str, str], place: Place = lambda _: "ui.keys: ") -> list[str]:
    """What is wrong with the keys of the settings, one sentence for each.

    Textual reports a clash only of bindings that have no id, and every one here has.
    """
    known = {binding.id for binding in BINDINGS}
    names = ", ".join(sorted(filter(None, known)))
    found = [
        f"{place(name)}there is no key called {name!r}. Known: {names}."
        for name in keymap
        if name not in known
    ]
    found += [
        f"{place(name)}{key!r} is no key for {name}, which keeps its usual one."
        for name, key in keymap.items()
        if name in known and not _pressed(key)
    ]
    keymap = usable(keymap)
    for feature in (each for each in FEATURES if each.is_tab):
        own = next(iter(feature.keys.values()))
        found += _clashes((*own, *keys.LIST, *OPENING, *keys.APP), keymap, place)
    return list(dict.fromkeys(found))


def _clashes(bindings: Iterable[Binding], keymap: Mapping[str, str], place: Place) -> Iterator[str]:
    """The keys that two of these would get."""
    owners: dict[str, str] = {}
    for binding in bindings:
        for key in _pressed(keymap.get(binding.id or "", binding.key)):
            owner = owners.setdefault(key, binding.id or "")
            if owner != binding.id:
                changed = binding.id if binding.id in keymap else owner
                yield (
                    f"{place(changed or '')}{key!r} is the key of both {owner} and {binding.id}; "
                    "only one of them gets it."
                )


def usual() -> dict[str, str]:
    """The first key of each binding by its id, as long as the settings give it no other."""
    return {binding.id: binding.key.partition(",")[0] for binding in BINDINGS if binding.id}


def usable(keymap: Mapping[str, str]) -> dict[str, str]:
    """The part of the settings' keys that names keys at all."""
    return {name: key for name, key in keymap.items() if _pressed(key)}


def _pressed(key_names: str) -> list[str]:
    """The single keys of "x,delete", by the names that Textual gives them."""
    try:
        return [binding.key for binding in Binding.make_bindings([(key_names, "press")])]
    except InvalidBinding:
        return []
