"""Whether anybody uses the engine, so that one that a dashboard started ends when it is no longer needed."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

# Another client that asks anything, as a second dashboard does all the time, may want to go on …
OTHERS_SECONDS = 10.0
# … and one that talks to a model may just be reading the answer.
MODELS_SECONDS = 60.0
_MODEL_PATHS = ("/api/generate", "/api/chat", "/api/embed", "/v1/chat", "/v1/completions", "/v1/embeddings")


class Usage:
    """Counts the requests that pass through it. Those of the owner, "pid/<owner>" in their User-Agent, do not
    keep the engine once they are answered.
    """

    def __init__(self, app: ASGIApp, owner: int | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._app = app
        self._clock = clock
        self._owner = None if owner is None else re.compile(rf"\bpid/{owner}\b")
        self._in_flight = 0
        self._other_at: float | None = None
        self._model_at: float | None = None

    def unused(self) -> bool:
        """Nothing in flight, and no other client was here lately."""
        now = self._clock()
        return (
            self._in_flight == 0
            and (self._other_at is None or now - self._other_at >= OTHERS_SECONDS)
            and (self._model_at is None or now - self._model_at >= MODELS_SECONDS)
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        self._in_flight += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._in_flight -= 1
            if not self._is_owners(scope):
                self._other_at = self._clock()
                if scope["path"].startswith(_MODEL_PATHS):
                    self._model_at = self._other_at

    def _is_owners(self, scope: Scope) -> bool:
        if self._owner is None:
            return False
        agents = [value.decode("latin-1") for name, value in scope["headers"] if name == b"user-agent"]
        return any(self._owner.search(agent) for agent in agents)
