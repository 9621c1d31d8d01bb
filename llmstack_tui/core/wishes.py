"""What the user wants of the guards: pins, idle times, and whether all is held. All programs share it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.names import model_key
from llmstack_tui.base.sentences import Sentence
from llmstack_tui.lifecycle.changes import EventKind
from llmstack_tui.store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from llmstack_tui.core.session import History
    from llmstack_tui.lifecycle.journal import Journal
    from llmstack_tui.lifecycle.states import ModelStatus
    from llmstack_tui.store.tables.activations import Activation
    from llmstack_tui.store.tables.preferences import ModelPreference


class Wishes:
    """As they were read last; what is wished here counts at once.

    Attributes:
        held: nothing is to be stopped by itself.
    """

    def __init__(self, history: History, journal: Journal) -> None:
        self.held = False
        self._history = history
        self._journal = journal
        self._of: dict[str, Mapping[str, ModelPreference]] = {}
        self._ours: dict[str, frozenset[str]] = {}
        # Counts what was wished here: what was read before it is old.
        self._holds = 0

    def of(self, host_url: str) -> Mapping[str, ModelPreference]:
        """By the keys of the models' names."""
        return self._of.get(host_url, {})

    def ours(self, host_url: str) -> frozenset[str]:
        """The keys of the names of models that we loaded there."""
        return self._ours.get(host_url, frozenset())

    def is_pinned(self, host_url: str, model: str) -> bool:
        wish = self.of(host_url).get(model_key(model))
        return wish is not None and wish.pinned

    def hold(self, held: bool) -> None:
        from llmstack_tui.guard.rules.pins import HELD  # noqa: PLC0415

        self.held, self._holds = held, self._holds + 1
        self._history.write(lambda store: store.screen.remember(HELD, held))
        self._journal.event(EventKind.GUARD, Sentence("guard.held" if held else "guard.released"))

    def pin(self, host_url: str, model: str, *, pinned: bool) -> None:
        """To be read again."""
        key = model_key(model)
        self._history.write(lambda store: store.preferences.pin(host_url, key, model, pinned=pinned))
        sentence = Sentence("guard.pinned" if pinned else "guard.unpinned", {"model": model})
        self._journal.event(EventKind.PIN, sentence, host=host_url, model=model)

    async def read(self, host_urls: Iterable[str]) -> None:
        """Where that cannot be done all stays as it was read before; a notice tells what is wrong."""
        from llmstack_tui.guard.rules.pins import HELD, OURS  # noqa: PLC0415

        holds = self._holds
        try:
            store = await self._history.store()
            held = await store.screen.recall(HELD, default=False, kind=bool)
            self.held = held if holds == self._holds else self.held
            for url in host_urls:
                self._of[url] = await store.preferences.of(url)
                active = await store.activations.active(url)
                self._ours[url] = frozenset(model_key(each.model) for each in active if each.asked_by in OURS)
        except StoreError:
            return

    async def load_of(self, status: ModelStatus) -> Activation | None:
        """How we loaded a model that is idle; None where it was not we, or it was loaded anew since."""
        from llmstack_tui.guard.rules.pins import load_of  # noqa: PLC0415

        try:
            active = await (await self._history.store()).activations.active(status.host)
        except StoreError:
            return None
        return load_of(status, active)
