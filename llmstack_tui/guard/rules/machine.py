"""Which servers share a machine, and with it its memory, and what of each the others reckon with. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.address import is_loopback, server_id
from llmstack_tui.base.structs import replace

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llmstack_tui.guard.situation import LoadedModel


def neighbours(url: str, urls: Iterable[str]) -> tuple[str, ...]:
    """The other servers of this machine, each once; none beside one that is elsewhere."""
    if not is_loopback(url):
        return ()
    places = {server_id(each): each for each in urls if is_loopback(each)}
    return tuple(each for where, each in places.items() if where != server_id(url))


def told(loaded: Iterable[LoadedModel], *, is_guarded: bool) -> tuple[LoadedModel, ...]:
    """What a host holds, as the guards of its neighbours see it.

    Args:
        is_guarded: somebody stops there what has to go; else nobody counts on that.
    """
    return tuple(each if is_guarded else replace(each, spared=True) for each in loaded)
