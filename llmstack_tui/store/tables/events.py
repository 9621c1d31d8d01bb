"""The record of events, which the activity screen shows."""

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


# How far apart two dashboards may see one thing, and how late a hidden one may see what another did.
_APART = timedelta(seconds=5)
_NOTICED = timedelta(seconds=15)

_ADD = """
INSERT INTO events (at, kind, host, model, text, reason, sentence, reasons, details)
VALUES (:at, :kind, :host, :model, '', '', :sentence, :reasons, :details)"""
# Not recorded if another dashboard recorded the same, or if one of our programs did it itself. A model that
# was unloaded and loaded again since has really left a second time.
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
        kind: an `EventKind`, by which the activity can be filtered.
        sentence: what happened.
        reason: why, if somebody decided it.
        details: further values, for JSON.
        id: set when it is recorded, rising; 0 before.
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
    """Events of all programs that use the file, in the order of recording."""

    excess = EVENTS

    def add(self, event: Event) -> None:
        self._add(_ADD, _row(event))

    def record_observed(
        self, event: Event, *, seen_by: str, digest: str = "", since: datetime | None = None
    ) -> None:
        """Record an observation, unless another program recorded the same or caused it a moment ago.

        Args:
            seen_by: an id of this program. Two equal observations of one program are two events.
            digest: of the model that was loaded or left, which may also have another name.
            since: a recorded load that ended before this time is another one; the default is a second before
                the event.
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

        ``before`` is the last id of the previous page, ``after`` the id of the newest event that is known.
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
