"""A dashboard whose steps on the event loop are timed.

``python -m tests.bench.watched_app REPORT [MODELS STORM [LOG]]``: with numbers it shows a fake stack of
MODELS models in which STORM things change each second, and whose server writes LOG; else it is the program as
it is. At its end it writes its longest steps after the first paint, or after the last SIGUSR1, in seconds of
its own time.
"""

from __future__ import annotations

import asyncio
import gc
import json
import signal
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmstack_tui.base.sentences import quoted
from llmstack_tui.base.structs import replace
from llmstack_tui.config.settings import Settings
from llmstack_tui.store.tables.events import Event
from llmstack_tui.tui import program
from llmstack_tui.tui.app import Dashboard
from tests.support import seeded
from tests.tui.fakes import FakeServices, FakeStack
from tests.tui.managed import LOG, RUNS, FakeManaged

if TYPE_CHECKING:
    from collections.abc import Sequence

_LONG_S = 0.008
_SAMPLE_S = 0.004
_BEAT_S = 0.01
_KEPT = 5


class Steps:
    """Times each step of the event loop, by the thread's own clock: what others do meanwhile is not ours."""

    def __init__(self) -> None:
        self.longest: list[tuple[float, str]] = []
        self.since: float | None = None
        self.seen = ""
        self._main = threading.get_ident()

    def begin(self) -> None:
        """Count from now on."""
        run = asyncio.events.Handle._run  # noqa: SLF001 - where the loop takes a step
        steps = self

        def timed(handle: asyncio.Handle) -> None:
            steps.seen, steps.since = "", time.monotonic()
            before = time.thread_time()
            run(handle)
            took = time.thread_time() - before
            steps.since = None
            if len(steps.longest) < _KEPT or took > steps.longest[-1][0]:
                steps.keep(took, handle)

        asyncio.events.Handle._run = timed  # type: ignore[method-assign, assignment]  # noqa: SLF001
        signal.signal(signal.SIGUSR1, lambda *_: self.longest.clear())
        threading.Thread(target=self._look, daemon=True).start()

    def keep(self, took: float, handle: asyncio.Handle) -> None:
        callback: Any = getattr(handle, "_callback", None)
        owner = getattr(callback, "__self__", None)
        name = owner.get_name() if isinstance(owner, asyncio.Task) else getattr(callback, "__qualname__", "?")
        self.longest = sorted([*self.longest, (took, f"{name}: {self.seen}")], reverse=True)[:_KEPT]

    def _look(self) -> None:
        """What a long step is at, as well as that can be seen from another thread."""
        while True:
            time.sleep(_SAMPLE_S)
            since = self.since
            if since is not None and time.monotonic() - since > _LONG_S and not self.seen:
                frame = sys._current_frames().get(self._main)  # noqa: SLF001 - it is documented
                names = []
                while frame is not None:
                    names.append(frame.f_code.co_qualname)
                    frame = frame.f_back
                self.seen = " < ".join(name for name in names if not name.startswith("Handle"))[:240]


class StormyStack(FakeStack):
    """Changes all the time; what it has on record is looked up as quickly as in the store."""

    async def events(self, limit: int = 100, *, after: int = 0, **_: Any) -> tuple[Event, ...]:
        return tuple(reversed(self.past[max(after, len(self.past) - limit) :]))

    async def storm(self, a_second: int) -> None:
        number, begin = 0, time.monotonic()
        while True:
            await asyncio.sleep(_BEAT_S)
            while number < (time.monotonic() - begin) * a_second:
                number += 1
                self._change(number)

    def _change(self, number: int) -> None:
        if number % 2:
            text = f"model-{number % 50:04} was loaded by another client."
            self.happened(Event(at=datetime.now(UTC), kind="loaded", sentence=quoted(text), host=seeded.URL))
        else:
            host = self._state.hosts[0]
            models = list(host.models)
            at = number % len(models)
            running = seeded.running(models[at].model, seconds=number % 300)  # type: ignore[arg-type]
            is_loaded = models[at].running is not None
            models[at] = replace(models[at], running=None if is_loaded else running)
            self.put(replace(self._state, hosts=(replace(host, models=tuple(models)),)))


def stormy(models: int, a_second: int, log: Path = LOG) -> None:
    stack = StormyStack(seeded.many(models))
    services = FakeServices(stack)
    services.managed["ollama"] = FakeManaged(RUNS, log)

    async def run() -> None:
        storm = asyncio.create_task(stack.storm(a_second)) if a_second else None
        await program.run(Dashboard(Settings(), services, painted=program.painted))
        if storm is not None:
            storm.cancel()

    gc.disable()  # as the program does
    asyncio.run(run())


def main(arguments: Sequence[str]) -> None:
    steps = Steps()
    connect_first = Dashboard.connect_first

    def painted(self: Dashboard) -> None:
        steps.begin()
        connect_first(self)

    Dashboard.connect_first = painted  # type: ignore[method-assign]
    try:
        if len(arguments) > 1:
            stormy(int(arguments[1]), int(arguments[2]), *map(Path, arguments[3:]))
        else:
            from llmstack_tui.__main__ import main as program  # noqa: PLC0415

            program([])
    finally:
        Path(arguments[0]).write_text(json.dumps(steps.longest))


if __name__ == "__main__":
    main(sys.argv[1:])
