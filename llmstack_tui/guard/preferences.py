"""The user's wishes for the guard: pins, idle limits, hold, and whether it may stop models of other programs.

All running programs share them.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from llmstack_tui.base.kinds import EventKind
from llmstack_tui.base.names import model_key
from llmstack_tui.base.sentences import Sentence
from llmstack_tui.guard.rules.limits import idle_limit, times
from llmstack_tui.guard.types import Consent
from llmstack_tui.lifecycle.load_request import OURS
from llmstack_tui.store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from llmstack_tui.config.settings import GuardSettings
    from llmstack_tui.lifecycle.journal import Journal
    from llmstack_tui.store.session import StoreSession
    from llmstack_tui.store.tables.activations import Activation
    from llmstack_tui.store.tables.events import Event
    from llmstack_tui.store.tables.preferences import ModelPreference

# The key of the stored flag, and those of the answers about models of other programs.
HELD = "guard.held"
_OTHERS = "guard.others {}"
# How long a model stays that the user wants over the limits. Loading a large one takes minutes, and the first
# question half a minute.
SPARED_S = 300.0
_INSISTED = "guard.insisted"


class GuardPreferences:
    """The preferences as last read from the store. A change made here takes effect at once.

    Attributes:
        held: the guard is on hold: it unloads nothing.
    """

    def __init__(self, session: StoreSession, journal: Journal) -> None:
        self.held = False
        self._session = session
        self._journal = journal
        self._of: dict[str, Mapping[str, ModelPreference]] = {}
        self._loads: dict[str, tuple[Activation, ...]] = {}
        self._others: dict[str, Consent] = {}
        self._insisted: dict[str, dict[str, float]] = {}
        self._heard = 0
        # Counts the changes made here: a value read before the last change is out of date.
        self._holds = 0

    def of(self, host_url: str) -> Mapping[str, ModelPreference]:
        """The preferences for models of a host, by `model_key`."""
        return self._of.get(host_url, {})

    def loads(self, host_url: str) -> Sequence[Activation]:
        """The recorded loads of the models that are in memory there."""
        return self._loads.get(host_url, ())

    def ours(self, host_url: str) -> frozenset[str]:
        """The keys (`model_key`) of the models that llmstack loaded there."""
        return frozenset(model_key(each.model) for each in self.loads(host_url) if each.asked_by in OURS)

    def is_pinned(self, host_url: str, model: str) -> bool:
        preference = self.of(host_url).get(model_key(model))
        return preference is not None and preference.pinned

    def hold(self, held: bool) -> None:
        self.held, self._holds = held, self._holds + 1
        self._session.write(lambda store: store.screen.remember(HELD, held))
        self._journal.event(EventKind.GUARD, Sentence("guard.held" if held else "guard.released"))

    def others(self, host_url: str) -> Consent:
        """The user's answer about models there that other programs loaded."""
        return self._others.get(host_url, Consent.ASK)

    async def answer(self, host_url: str, others: Consent) -> None:
        self._session.write(lambda store: store.screen.remember(_OTHERS.format(host_url), others.value))
        self._journal.event(EventKind.GUARD, others_sentence(others), host=host_url)
        await self.read((host_url,))

    def insist(self, host_url: str, models: Sequence[str]) -> None:
        """Record that the user wants these models though they exceed a limit."""
        said = Sentence(_INSISTED, {"models": tuple(models)})
        self._journal.event(EventKind.GUARD, said, host=host_url)

    def news(self, host_url: str) -> Mapping[str, float]:
        """For how many more seconds models there are wanted over the limits. Each is told once."""
        return self._insisted.pop(host_url, {})

    async def pin(self, host_url: str, model: str, *, pinned: bool) -> None:
        key = model_key(model)
        self._session.write(lambda store: store.preferences.pin(host_url, key, model, pinned=pinned))
        sentence = Sentence("guard.pinned" if pinned else "guard.unpinned", {"model": model})
        self._journal.event(EventKind.PIN, sentence, host=host_url, model=model)
        await self.read((host_url,))

    async def set_idle_limit(
        self, host_url: str, model: str, length: timedelta | None, settings: GuardSettings
    ) -> timedelta:
        """Set how long a model may be idle, None for as long as the settings say; returns the new limit."""
        key = model_key(model)
        self._session.write(lambda store: store.preferences.set_idle_stop(host_url, key, model, length))
        await self.read((host_url,))
        limit = idle_limit(settings, key, self.of(host_url).get(key), times(settings))
        sentence = idle_sentence(model, limit, is_default=length is None)
        self._journal.event(EventKind.GUARD, sentence, host=host_url, model=model)
        return limit

    async def read(self, host_urls: Iterable[str]) -> None:
        """Read the preferences of these hosts. If that fails, the old ones stay; a notice reports it."""
        if self._session.is_empty:
            return
        holds = self._holds
        try:
            store = await self._session.store()
            held = await store.screen.recall(HELD, default=False, kind=bool)
            self.held = held if holds == self._holds else self.held
            for url in host_urls:
                self._of[url] = await store.preferences.of(url)
                self._loads[url] = await store.activations.active(url)
                key = _OTHERS.format(url)
                self._others[url] = await store.screen.recall(key, default=Consent.ASK, kind=Consent)
            self._hear(await store.events.newest(after=self._heard, kinds=(EventKind.GUARD,)))
        except StoreError:
            return

    def _hear(self, events: Sequence[Event]) -> None:
        """Take note of what the user insisted on, here or in another program."""
        now = datetime.now(UTC)
        for event in events:
            self._heard = max(self._heard, event.id)
            left_s = SPARED_S - abs((now - event.at).total_seconds())
            models = event.sentence.params.get("models", ())
            if event.sentence.kind == _INSISTED and event.host and left_s > 0 and isinstance(models, tuple):
                self._insisted.setdefault(event.host, {}).update({str(each): left_s for each in models})


def others_sentence(consent: Consent) -> Sentence:
    """Tells what the guard does with models of other programs."""
    return Sentence(f"guard.others_{consent.value}")


def idle_sentence(model: str, limit: timedelta, *, is_default: bool) -> Sentence:
    """Tells how long a model may be idle; ``is_default`` if the limit is that of the settings."""
    by = "_as_set" if is_default else ""
    if limit <= timedelta(0):
        return Sentence(f"guard.may_idle_for_ever{by}", {"model": model})
    return Sentence(f"guard.may_idle{by}", {"model": model, "idle_s": limit.total_seconds()})
