"""What settings are once others are merged into them.

Mappings are merged key by key. In a list, an item with a ``name`` takes the place of the one with the same
name; others are added.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from llmstack_tui.base.sentences import Failure

if TYPE_CHECKING:
    from llmstack_tui.editors.types import Value


class NotMergeable(Failure):
    """Settings cannot be merged into a text without a risk for what it has."""


def is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def place_in(items: Sequence[object], item: object) -> int | None:
    """The index of the item that ``item`` replaces; None where it is added."""
    for index, each in enumerate(items):
        if isinstance(each, Mapping) and isinstance(item, Mapping):
            if "name" in item and each.get("name") == item["name"]:
                return index
        elif each == item:
            return index
    return None


def combined(old: object, new: Value) -> object:
    """``old`` with ``new`` merged into it."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return {**old, **{key: combined(old.get(key), value) for key, value in new.items()}}
    if is_list(old) and is_list(new):
        assert isinstance(old, Sequence)  # noqa: S101
        assert isinstance(new, Sequence)  # noqa: S101
        items = [*old]
        for item in new:
            if (index := place_in(items, item)) is None:
                items.append(item)
            else:
                items[index] = combined(items[index], item)
        return items
    return new


def replaced(old: object, new: Value, path: str = "") -> Iterator[str]:
    """The paths of the values in ``old`` that get another one."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in new.keys() & old.keys():
            yield from replaced(old[key], new[key], f"{path}.{key}" if path else key)
    elif isinstance(old, Sequence) and is_list(new) and is_list(old):
        assert isinstance(new, Sequence)  # noqa: S101
        for item in new:
            if (index := place_in(old, item)) is not None and isinstance(item, Mapping):
                yield from replaced(old[index], item, f"{path}.{item['name']}")
    elif old != new:
        yield path
