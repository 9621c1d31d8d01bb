"""The dashboard as it is, every call of ours written down: ``… tests.bench.traced_app REPORT [ARGUMENT…]``.

At its end it writes a `Report`. Resuming a coroutine counts as a call. What only an import runs does not:
which modules are imported is a figure of its own.
"""

from __future__ import annotations

import asyncio
import inspect
import sys
import threading
import time
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

import llmstack_tui

if TYPE_CHECKING:
    from types import FrameType

_PACKAGE = str(Path(llmstack_tui.__file__).parent) + "/"
_SENDS = "httpx/_client.py", "send"
_PAINTS = "textual/drivers/linux_driver.py", "write"
# Whoever is further down the stack began the program, not this step of it.
_BEGINS = ("asyncio/events.py", "threading.py", "concurrent/futures/thread.py")


class Call(NamedTuple):
    """A function of ours that was called, at `time.monotonic_ns`, in a task by its number, 0 for none.

    ``caller`` is the file of the function of ours that called it, "" where the event loop or a thread did.
    """

    at: int
    task: int
    file: str
    caller: str


class Sent(NamedTuple):
    """A request that left, and what the calls until then were made in."""

    at: int
    task: int
    method: str
    path: str


class Painted(NamedTuple):
    """What went to the terminal."""

    at: int
    text: str


class Report(msgspec.Struct):
    """All calls, requests and paints in order; ``began_by`` has for each task the one that made it."""

    calls: list[Call] = []
    sent: list[Sent] = []
    painted: list[Painted] = []
    began_by: dict[int, int] = {}


class Tracer:
    """Writes down what is called; all threads write into one list."""

    def __init__(self) -> None:
        self.report = Report()
        self._numbers: dict[asyncio.Task[object], int] = {}
        # A task and a thread inherit the context of whoever began them.
        self._within: ContextVar[int] = ContextVar("within", default=0)

    def begin(self) -> None:
        threading.setprofile(self._on_event)
        sys.setprofile(self._on_event)

    def _on_event(self, frame: FrameType, event: str, _: object) -> None:
        if event != "call":
            return
        code = frame.f_code
        if code.co_filename.startswith(_PACKAGE) and code.co_flags & inspect.CO_OPTIMIZED:
            file = code.co_filename.removeprefix(_PACKAGE)
            self.report.calls.append(Call(time.monotonic_ns(), self._task(), file, _caller(frame.f_back)))
        elif code.co_name == _SENDS[1] and code.co_filename.endswith(_SENDS[0]):
            request = frame.f_locals["request"]
            sent = Sent(time.monotonic_ns(), self._task(), request.method, request.url.path)
            self.report.sent.append(sent)
        elif code.co_name == _PAINTS[1] and code.co_filename.endswith(_PAINTS[0]):
            self.report.painted.append(Painted(time.monotonic_ns(), frame.f_locals["data"]))

    def _task(self) -> int:
        """The number of the task that runs, or of the one that what runs was begun by."""
        try:
            task = asyncio.current_task()
        except RuntimeError:
            task = None
        if task is None:
            return self._within.get()
        if task not in self._numbers:
            self._numbers[task] = len(self._numbers) + 1
            self.report.began_by[self._numbers[task]] = self._within.get()
            self._within.set(self._numbers[task])
        return self._numbers[task]


def _caller(frame: FrameType | None) -> str:
    while frame is not None and not frame.f_code.co_filename.endswith(_BEGINS):
        if frame.f_code.co_filename.startswith(_PACKAGE):
            return frame.f_code.co_filename.removeprefix(_PACKAGE)
        frame = frame.f_back
    return ""


def main(report: Path, arguments: list[str]) -> None:
    from llmstack_tui.__main__ import main as program  # noqa: PLC0415

    tracer = Tracer()
    tracer.begin()
    try:
        program(arguments)
    finally:
        sys.setprofile(None)
        report.write_bytes(msgspec.json.encode(tracer.report))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
