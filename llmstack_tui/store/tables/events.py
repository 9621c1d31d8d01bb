"""What happened, for the activity."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003  # `struct_of` reads the annotations
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import asdict

from llmstack_tui.base.sentences import Sentence, Sentences  # noqa: TC001  # as above
from llmstack_tui.store.database.retention import EVENTS, GrowingTable
from llmstack_tui.store.database.values import SLACK, struct_of, to_sentence, to_sentences

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection


# How far apart two dashboards see the same thing, and how late a hidden one sees what another did.
_APART = timedelta(seconds=5)
_NOTICED = timedelta(seconds=15)

_ADD = """
INSERT INTO events (at, kind, host, model, text, reason, sentence, reasons, details)
VALUES (:at, :kind, :host, :model, '', '', :sentence, :reasons, :details)"""
# What another dashboard saw, too, or what one of us did, is recorded once. A model that was unloaded, was
# loaded again and leaves then leaves a second time.
_OBSERVED = """
INSERT INTO events (at, kind, host, model, text, reason, sentence, reasons, details)
SELECT :at, :kind, :host, :model, '', '', :sentence, :reasons, :details
WHERE NOT EXISTS (
  SELECT 1 FROM events
  WHERE id > (SELECT coalesce(max(id), 0) FROM events) - 500
    AND kind = :kind AND host IS :host AND model IS :model AND sentence = :sentence AND abs(at - :at) < :apart
    AND json_extract(details, '$.seen_by') IS NOT :seen_by)
AND NOT EXISTS (
  SELECT 1 FROM activations AS ended
  WHERE host = :host AND (model = :model OR (digest = :digest AND digest <> ''))
    AND ((:kind = 'loaded' AND asked_by NOT IN ('client', 'unknown')
          AND started_at <= :at + :slack AND (ended_at IS NULL OR ended_at >= :since))
      OR (:kind = 'left' AND outcome = 'stopped' AND abs(ended_at - :at) < :noticed
          AND NOT EXISTS (
            SELECT 1 FROM activations AS later
            WHERE later.host = ended.host AND later.model = ended.model
              AND later.started_at > ended.ended_at AND later.started_at <= :at))))"""
_FIND = """
SELECT * FROM events
WHERE id < coalesce(:before, 9223372036854775807) AND id > :after
  AND (:kinds IS NULL OR kind IN (SELECT value FROM json_each(:kinds)))
  AND (:host IS NULL OR host = :host) AND (:model IS NULL OR model = :model)
ORDER BY id DESC LIMIT :limit"""


class Event(Struct, frozen=True, kw_only=True):
    """One thing that happened.

    Attributes:
        kind: what sort of thing, a word that the activity can be filtered by.
        sentence: what happened.
        reason: why, where somebody decided it.
        details: what else there is to know, as JSON can say it.
        id: given when it is recorded, rising; 0 before.
    """

    at: datetime
    kind: str
    sentence: Sentence
    host: str | None = None
    model: str | None = None
    reason: Sentences = ()
    details: Mapping[str, object] = field(default_factory=dict)
    id: int = 0


class Events(GrowingTable):
    """Events of every program that uses the file, in the order in which they were recorded."""

    excess = EVENTS

    def add(self, event: Event) -> None:
        self._add(_ADD, _row(event))

    def record_observed(
        self, event: Event, *, seen_by: str, digest: str = "", since: datetime | None = None
    ) -> None:
        """Record what was seen, unless another program recorded the same or did it itself a moment ago.

        Args:
            seen_by: which program; what it saw twice happened twice.
            digest: of the model that was seen to be loaded or to leave; it may go by another name, too.
            since: a load that ended before is not the one that was seen; a second before the event, where
                that is not known.
        """
        row = _row(event) | {"details": {**event.details, "seen_by": seen_by}}
        row |= {"seen_by": seen_by, "digest": digest, "apart": _APART, "noticed": _NOTICED, "slack": SLACK}
        row["since"] = event.at - SLACK if since is None else since
        self._add(_OBSERVED, row)

    async def newest(
        self,
        limit: int = 100,
        *,
        before: int | None = None,
        after: int = 0,
        kinds: Collection[str] | None = None,
        host: str | None = None,
        model: str | None = None,
    ) -> tuple[Event, ...]:
        """The newest events first, at most ``limit``.

        ``before`` is the id of the last one of the page before, ``after`` that of the newest one known.
        """
        wanted = {
            "limit": limit,
            "before": before,
            "after": after,
            "kinds": None if kinds is None else list(kinds),
            "host": host,
            "model": model,
        }
        return await self._database.read(_FIND, wanted, _event)


def _row(event: Event) -> dict[str, object]:
    return {**asdict(event), "reasons": event.reason}


def _event(row: sqlite3.Row) -> Event:
    sentence = to_sentence(row["sentence"], row["text"])
    return struct_of(Event, row, sentence=sentence, reason=to_sentences(row["reasons"], row["reason"]))
