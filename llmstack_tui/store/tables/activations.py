"""The history of loads: who asked for each and why, and how it ended."""

from __future__ import annotations

from datetime import datetime, timedelta  # noqa: TC003  # `struct_of` reads the annotations
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import asdict

from llmstack_tui.base.kinds import Actor, LenientEnum
from llmstack_tui.base.sentences import Sentences  # noqa: TC001  # as above
from llmstack_tui.store.database.retention import ACTIVATIONS, GrowingTable
from llmstack_tui.store.database.values import SLACK, struct_of, to_sentences

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping


# A load that is reported late, with a time within another row's, is the same load.
_INSERT = """
INSERT INTO activations (host, model, digest, asked_by, reason, reasons, context_length, keep_alive,
                         started_at, loaded_at, ended_at, outcome, ended_by, end_reasons)
SELECT :host, :model, :digest, :asked_by, '', :reasons, :context_length, :keep_alive,
       :started_at, :loaded_at, :ended_at, :outcome, :ended_by, :end_reasons
WHERE NOT EXISTS (
  SELECT 1 FROM activations
  WHERE host = :host AND model = :model
    AND (ended_at IS NULL OR (started_at <= :loaded_at + 1000000 AND ended_at >= :since)))"""
_LOADED = """
UPDATE activations SET loaded_at = coalesce(loaded_at, :at), digest = coalesce(nullif(:digest, ''), digest)
WHERE host = :host AND model = :model AND ended_at IS NULL"""
_END = """
UPDATE activations SET ended_at = :at, outcome = :outcome, ended_by = :by, end_reasons = :reasons
WHERE id = (SELECT max(id) FROM activations WHERE host = :host AND model = :model)
  AND (ended_at IS NULL OR (:known AND outcome IN ('left', 'unnoticed')))
  AND (loaded_at IS NULL OR :outcome NOT IN ('failed', 'cancelled'))
  AND (started_at <= :at OR :outcome <> 'left')"""
_TAKE_OVER = """
UPDATE activations SET ended_at = :at, outcome = 'replaced'
WHERE host = :host AND model = :model AND ended_at IS NULL AND asked_by = 'client'"""
_ACTIVE = """
SELECT * FROM activations WHERE ended_at IS NULL AND (:host IS NULL OR host = :host) ORDER BY id"""
_HISTORY = """
SELECT * FROM activations
WHERE host = :host AND model = :model AND id < coalesce(:before, 9223372036854775807)
ORDER BY id DESC LIMIT :limit"""
_USES = """
SELECT model, count(*) AS times, max(started_at) AS last_at FROM activations
WHERE host = :host AND loaded_at IS NOT NULL GROUP BY model"""
_LAST = """
SELECT host, model, max(started_at) AS at FROM activations WHERE loaded_at IS NOT NULL GROUP BY host, model"""


class Outcome(LenientEnum):
    """How an activation ended.

    FAILED, CANCELLED: the model was never loaded.
    STOPPED: it was unloaded by llmstack: by a user, a command or the guard.
    LEFT: we saw it go: its keep-alive ended, or another client unloaded it.
    UNNOTICED: it went while no llmstack ran; the recorded end is when that was found.
    REPLACED: another client had loaded it, and llmstack loaded it again, with parameters of its own.
    """

    FAILED = "failed"
    CANCELLED = "cancelled"
    STOPPED = "stopped"
    LEFT = "left"
    UNNOTICED = "unnoticed"
    REPLACED = "replaced"
    UNKNOWN = "unknown"


class Activation(Struct, frozen=True, kw_only=True):
    """One load of a model, from the request to the end.

    Attributes:
        context_length, keep_alive: tokens and duration that were asked for; None for the server's default.
        loaded_at: when it could answer.
        ended_at, outcome: None while it lasts.
        id: set when it is recorded, rising; 0 before.
    """

    host: str
    model: str
    asked_by: Actor
    started_at: datetime
    reason: Sentences = ()
    digest: str = ""
    context_length: int | None = None
    keep_alive: timedelta | None = None
    loaded_at: datetime | None = None
    ended_at: datetime | None = None
    outcome: Outcome | None = None
    ended_by: Actor | None = None
    end_reason: Sentences = ()
    id: int = 0


class Uses(Struct, frozen=True):
    """How often a model was loaded, and when it was last."""

    times: int
    last_at: datetime


class LastLoad(Struct, frozen=True):
    """When a model of a host was loaded last."""

    host: str
    model: str
    at: datetime


class ListedModel(Struct, frozen=True, kw_only=True):
    """A model that a host lists as loaded."""

    model: str
    digest: str = ""
    context_length: int | None = None


class Difference(Struct, frozen=True):
    """How the hosts' lists of loaded models differ from our record.

    Attributes:
        ended: recorded as loaded, and no longer loaded.
        appeared: loaded, but not recorded; each with its host.
    """

    ended: tuple[Activation, ...] = ()
    appeared: tuple[tuple[str, ListedModel], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.ended or self.appeared)


class Activations(GrowingTable):
    """Activations by host and model. A model has at most one without an end, whichever program records it."""

    excess = ACTIVATIONS

    def observe(self, activation: Activation, *, since: datetime | None = None) -> None:
        """Record a load, unless a program has recorded it already. One that begins takes over a client's.

        Args:
            since: a recorded load that ended before this time is another one; the default is a second before
                ``loaded_at``.
        """
        if activation.loaded_at is None:
            at = activation.started_at
            self._database.put(_TAKE_OVER, {"host": activation.host, "model": activation.model, "at": at})
        if since is None and activation.loaded_at is not None:
            since = activation.loaded_at - SLACK
        self._add(_INSERT, {**_row(activation), "since": since})

    def loaded(self, host: str, model: str, at: datetime, digest: str = "") -> None:
        """Record that the model can answer since ``at``."""
        self._database.put(_LOADED, {"host": host, "model": model, "at": at, "digest": digest})

    def end(
        self,
        host: str,
        model: str,
        *,
        at: datetime,
        outcome: Outcome,
        by: Actor | None = None,
        reason: Sentences = (),
    ) -> None:
        """Record the end of the last activation of a model.

        The first end that is recorded counts, but one with a known cause replaces one that was only observed.
        A failed load does not end an earlier load of the same model, which is still loaded. An observed end
        does not end a load that began after it.
        """
        end = {"host": host, "model": model, "at": at, "outcome": outcome, "by": by, "reasons": reason}
        self._database.put(_END, {**end, "known": outcome not in (Outcome.LEFT, Outcome.UNNOTICED)})

    def settle(self, difference: Difference, at: datetime) -> None:
        """Record what `reconcile` has found by a look at ``at``."""
        for each in difference.ended:
            self.end(each.host, each.model, at=at, outcome=Outcome.UNNOTICED)
        for host, loaded in difference.appeared:
            self.observe(
                Activation(
                    host=host,
                    model=loaded.model,
                    asked_by=Actor.CLIENT,
                    started_at=at,
                    digest=loaded.digest,
                    context_length=loaded.context_length,
                    loaded_at=at,
                ),
                # It is on record as ended, be it a moment ago: nobody will tell of it again.
                since=at,
            )

    async def active(self, host: str | None = None) -> tuple[Activation, ...]:
        """The activations without an end, oldest first."""
        return await self._database.read(_ACTIVE, {"host": host}, _activation)

    async def history(
        self, host: str, model: str, limit: int = 100, *, before: int | None = None
    ) -> tuple[Activation, ...]:
        """The activations of a model, newest first; ``before`` is the last id of the previous page."""
        wanted = {"host": host, "model": model, "limit": limit, "before": before}
        return await self._database.read(_HISTORY, wanted, _activation)

    async def last_loads(self) -> tuple[LastLoad, ...]:
        """The last load of each model that was loaded at least once, of all hosts."""
        return await self._database.read(_LAST, {}, lambda row: struct_of(LastLoad, row))

    async def uses(self, host: str) -> dict[str, Uses]:
        """The uses by model, of all that were loaded at least once."""
        found = await self._database.read(
            _USES, {"host": host}, lambda row: (str(row["model"]), struct_of(Uses, row))
        )
        return dict(found)


def _row(activation: Activation) -> dict[str, object]:
    reasons = {"reasons": activation.reason, "end_reasons": activation.end_reason}
    return {**asdict(activation), **reasons}


def _activation(row: sqlite3.Row) -> Activation:
    return struct_of(
        Activation,
        row,
        reason=to_sentences(row["reasons"], row["reason"]),
        end_reason=to_sentences(row["end_reasons"], row["end_reason"]),
    )


def reconcile(
    recorded_active: Iterable[Activation], really_running: Mapping[str, Iterable[ListedModel]]
) -> Difference:
    """Compare the activations without an end with the loaded models that each host lists.

    ``really_running`` has the hosts that answered; activations on others are left out. Models are compared by
    digest: another name with the same digest is the same model, and the same name with another digest is
    another load. Context lengths are not compared, because servers may change the one that was asked for.
    """
    running = {host: tuple(each) for host, each in really_running.items()}
    recorded = [each for each in recorded_active if each.host in running]
    ended = (each for each in recorded if not any(_same(each, loaded) for loaded in running[each.host]))
    appeared = (
        (host, loaded)
        for host, listed in running.items()
        for loaded in listed
        if not any(each.host == host and _same(each, loaded) for each in recorded)
    )
    return Difference(tuple(ended), tuple(appeared))


def _same(recorded: Activation, loaded: ListedModel) -> bool:
    if recorded.digest and loaded.digest:
        return recorded.digest == loaded.digest
    return recorded.model == loaded.model
