"""What is said below the list to somebody who has never loaded a model with llmstack."""

from __future__ import annotations

import shlex
from contextlib import suppress
from typing import TYPE_CHECKING

from llmstack_tui.base.languages import tr
from llmstack_tui.base.text import brief
from llmstack_tui.lifecycle.states import ModelState
from llmstack_tui.tui.models.suggestions import HintRow

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from llmstack_tui.tui.models.rows import ModelRow
    from llmstack_tui.tui.shell import Shell
    from llmstack_tui.tui.stack import DashboardStack
    from llmstack_tui.tui.view import Key

_RECALL = "models.first_steps_over"
_NOT_LOADED = frozenset({ModelState.INACTIVE, ModelState.LOADING})


class FirstSteps:
    """How to load the first model; once it is active, how to reach it: below it, or among others a toast."""

    def __init__(self) -> None:
        self._are_over = True  # As long as that is not known.
        self._not_loaded: frozenset[Key] = frozenset()
        self._first: Key | None = None

    async def recall(self, stack: DashboardStack) -> None:
        """Whether an earlier session, also one that did not know of these steps, has loaded a model."""
        from llmstack_tui.core.types import StoreError

        if not await stack.records.recall(_RECALL, False, bool):  # the default
            with suppress(StoreError):
                self._are_over = bool(await stack.records.last_used())

    def hints(self, rows: Sequence[ModelRow], shell: Shell) -> tuple[HintRow, ...]:
        """Take note of the models as they are now; the lines below them."""
        stack = shell.stack
        if stack is None or (self._are_over and self._first is None):
            return ()
        loaded = (row for row in rows if row.state is ModelState.ACTIVE and row.key in self._not_loaded)
        if not self._are_over and (row := next(loaded, None)):
            self._are_over, self._first = True, row.key
            stack.records.remember(_RECALL, True)
            if len(rows) > 1:
                shell.tell("\n".join(_reach(row.key, shell)), title=tr("{model} is active", model=row.name))
        self._not_loaded = frozenset(row.key for row in rows if row.state in _NOT_LOADED)
        if len(rows) != 1:
            return ()
        row, texts = rows[0], list[str]()
        if row.state is ModelState.INACTIVE and not self._are_over and not stack.read_only:
            texts = [tr("Press {key} to load it into memory.", key=shell.view.keys["models.activate"])]
        elif row.state is ModelState.ACTIVE and row.key == self._first:
            texts = [*_reach(row.key, shell)]
        return tuple(HintRow((row.key[0], f"\n{text}"), text) for text in ("", *texts)) if texts else ()


def _reach(key: Key, shell: Shell) -> Iterator[str]:
    (url, name), keys = key, shell.view.keys
    yield tr("It answers at {url}: {key} copies this address.", url=f"{url}/v1", key=keys["models.copy_url"])
    editors = keys["models.editors"]
    yield tr("{key} has the settings of editors and agents for it, and a test from here.", key=editors)
    yield tr("Or try it in another terminal:")
    yield f"  {shlex.join(('llmstack', 'chat', brief(name, 200)))}"
