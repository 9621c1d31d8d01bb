"""How fast an answer of ours comes."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from llmstack_tui.store.tables.figures import Speed

if TYPE_CHECKING:
    from llmstack_tui.hosts.types import Chunk, Usage


class Timing:
    """Times one answer, from the moment it is made."""

    def __init__(self) -> None:
        self._asked_at_s = time.monotonic()
        self._first_s: float | None = None
        self._usage: Usage | None = None

    def heard(self, chunk: Chunk) -> None:
        if self._first_s is None and (chunk.text or chunk.thinking):
            self._first_s = time.monotonic() - self._asked_at_s
        self._usage = chunk.usage or self._usage

    def speed(self, host: str, model: str, digest: str) -> Speed | None:
        """What was seen of an answer that ended; None of one that was cut short. A load is not counted."""
        if self._usage is None:
            return None
        first = None if self._first_s is None else timedelta(seconds=self._first_s) - self._usage.load
        return Speed(
            at=datetime.now(UTC),
            host=host,
            model=model,
            digest=digest,
            tokens_per_second=self._usage.tokens_per_second,
            first_token=None if first is None else max(first, timedelta(0)),
        )
