"""Gives word of newer versions: a count in the header, and a toast for what is new since the last one."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from llmstack_tui.base.text import clean
from llmstack_tui.tui.deferred import Later
from llmstack_tui.tui.draw.updates import newer_programs, news_text, wanted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from llmstack_tui.core import Stack, StackState
    from llmstack_tui.tui.app import Dashboard
    from llmstack_tui.tui.models.rows import Key
    from llmstack_tui.updates.rules import Update

_REMEMBERED = "updates.told"
_MOST_NAMED = 3


class News:
    """Follows the state. Of one version of a model it speaks once, in whichever session.

    Attributes:
        programs: those of which there is a newer version, with it: "Ollama 0.25.0".
    """

    def __init__(self, app: Dashboard) -> None:
        self._app = app
        self._stack: Stack | None = None
        self._judged: tuple[Mapping[str, Update], ...] = ()
        self._wanted: Mapping[Key, Update] = {}
        self._told: Mapping[str, str] | None = None
        self._is_untold = False
        self.programs: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """How many updates there are that are wanted."""
        return len(self._wanted)

    def follow(self, stack: Stack | None, state: StackState) -> None:
        if stack is not self._stack:
            self._stack, self._told, self._judged = stack, None, ()
        self.programs = tuple(f"{each.program} {each.version}" for each in newer_programs(state))
        judged = tuple(host.updates for host in state.hosts)
        # Most often they are the very same.
        if len(judged) != len(self._judged) or any(map(_is_another, judged, self._judged)):
            self._judged = judged
            self._wanted = wanted(state)
            self._is_untold = any(judged)
        if self._is_untold and not state.checking and stack is not None:
            self._is_untold = False
            self._app.run_worker(
                Later(self._tell, stack, self._wanted, _judged(state)),
                group="news",
                exclusive=True,
                description="Newer versions",
                exit_on_error=False,
            )

    def is_new(self, state: StackState) -> bool:
        """Whether there is an update that nobody was told of yet."""
        return bool(_new(wanted(state), self._told or {}))

    async def _tell(self, stack: Stack, found: Mapping[Key, Update], judged: frozenset[str]) -> None:
        """One toast for all that was not told before. Of a host that is away nothing is forgotten."""
        from llmstack_tui.store.errors import StoreError

        if self._told is None:
            told: dict[str, str] = {}
            with suppress(StoreError):  # Of what is wrong with the state a notice tells.
                told = await stack.recall(_REMEMBERED, told, dict[str, str])
            if stack is not self._stack:
                return
            self._told = told
        before = self._told
        new = _new(found, before)
        self._told = {model: version for model, version in before.items() if model not in judged}
        self._told |= {_model(key): update.digest or "" for key, update in found.items()}
        if self._told != before:
            stack.remember(_REMEMBERED, self._told)
        if new:
            names = sorted(new, key=lambda key: key[1])
            key = self._app.preferences.first_keys["models.updates"]
            title = "1 newer version" if len(new) == 1 else f"{len(new)} newer versions"
            self._app.tell(f"{named(names, found)}\n{key} shows what changed.", title=title)


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
