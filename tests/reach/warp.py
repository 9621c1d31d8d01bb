"""A clock that is put forward: hours pass in seconds, and everything that was due meanwhile is done."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Self

import textual._time
import textual.notifications

if TYPE_CHECKING:
    import pytest

# Those that ask what time it is. Not all: where ``datetime`` is the type of a field, it must stay what it is.
_ASKING = (
    "llmstack_tui.lifecycle.",
    "llmstack_tui.core.",
    "llmstack_tui.store.store",
    "tests.support.fake_ollama",
)


class Warp:
    """The clocks of this process, the event loop's among them, ``ahead_s`` seconds before the real ones."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead_s = 0.0
        self._monotonic, self._time = time.monotonic, time.time
        warp = self

        class Datetime(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> Self:
                return super().now(tz) + timedelta(seconds=warp.ahead_s)

        for name, module in tuple(sys.modules.items()):
            if name.startswith(_ASKING) and getattr(module, "datetime", None) is datetime:
                monkeypatch.setattr(module, "datetime", Datetime)
        monkeypatch.setattr(time, "monotonic", self.monotonic)
        monkeypatch.setattr("textual._time.get_time", self.monotonic)
        monkeypatch.setattr(textual.notifications, "time", self.wall)

    def monotonic(self) -> float:
        return self._monotonic() + self.ahead_s

    def wall(self) -> float:
        return self._time() + self.ahead_s

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.wall(), UTC)

    def forward(self, seconds: float) -> None:
        self.ahead_s += seconds
