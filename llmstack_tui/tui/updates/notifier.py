"""A toast for the versions that are new since the last one."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from llmstack_tui.base.text import clean
from llmstack_tui.tui.draw.updates import news_text, wanted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from llmstack_tui.core.stack import Stack
    from llmstack_tui.core.state import StackState
    from llmstack_tui.tui.shell import Key, Shell
    from llmstack_tui.updates.rules import Update

_REMEMBERED = "updates.told"
_MOST_NAMED = 3


class UpdateNotifier:
    """Follows the state. Of one version of a model it speaks once, in whichever session."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._stack: Stack | None = None
        self._judged: tuple[Mapping[str, Update], ...] = ()
        self._wanted: Mapping[Key, Update] = {}
        self._told: Mapping[str, str] | None = None
        self._is_untold = False

    def follow(self, stack: Stack | None, state: StackState) -> None:
        if stack is not self._stack:
            self._stack, self._told, self._judged = stack, None, ()
        judged = tuple(host.updates for host in state.hosts)
        # Most often they are the very same.
        if len(judged) != len(self._judged) or any(map(_is_another, judged, self._judged)):
            self._judged = judged
            self._wanted = wanted(state)
            self._is_untold = any(judged)
        if self._is_untold and not state.checking and stack is not None:
            self._is_untold = False
            work = partial(self._tell, stack, self._wanted, _judged(state))
            self._shell.start("Newer versions", work, group="updates", exclusive=True)

    def is_new(self, state: StackState) -> bool:
        """Whether there is an update that nobody was told of yet."""
        return bool(_new(wanted(state), self._told or {}))

    async def _tell(self, stack: Stack, found: Mapping[Key, Update], judged: frozenset[str]) -> None:
        """One toast for all that was not told before. Of a host that is away nothing is forgotten."""
        from llmstack_tui.store.errors import StoreError

        if self._told is None:
            told: dict[str, str] = {}
            with suppress(StoreError):  # Of what is wrong with the state a notice tells.
                told = await stack.records.recall(_REMEMBERED, told, dict[str, str])
            if stack is not self._stack:
                return
            self._told = told
        before = self._told
        new = _new(found, before)
        self._told = {model: version for model, version in before.items() if model not in judged}
        self._told |= {_model(key): update.digest or "" for key, update in found.items()}
        if self._told != before:
            stack.records.remember(_REMEMBERED, self._told)
        if new:
            names = sorted(new, key=lambda key: key[1])
            key = self._shell.key_for("models.updates")
            title = "1 newer version" if len(new) == 1 else f"{len(new)} newer versions"
            self._shell.tell(f"{named(names, found)}\n{key} shows what changed.", title=title)


def named(keys: Iterable[Key], updates: Mapping[Key, Update]) -> str:
    """A line for each of the first few models, and how many more there are."""
    keys = tuple(keys)
    lines = [f"{clean(key[1], limit=80)}: {news_text(updates[key])}" for key in keys[:_MOST_NAMED]]
    if len(keys) > _MOST_NAMED:
        lines.append(f"and {len(keys) - _MOST_NAMED} more")
    return "\n".join(lines)


def _is_another(one: object, other: object) -> bool:
    return one is not other


def _model(key: Key) -> str:
    return "\n".join(key)


def _judged(state: StackState) -> frozenset[str]:
    """The models of which it is known now whether they are up to date."""
    return frozenset(_model((host.snapshot.url, name)) for host in state.hosts for name in host.updates)


def _new(found: Mapping[Key, Update], told: Mapping[str, str]) -> list[Key]:
    """Those of whose version nobody was told."""
    return [key for key, update in found.items() if told.get(_model(key)) != (update.digest or "")]
