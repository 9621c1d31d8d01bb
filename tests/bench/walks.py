"""How far one walks through the package: files on the way of a key press and of an answer, and imports.

The walks are traced over the dashboard in a terminal and a fake Ollama over HTTP. Each is what several runs
have in common: what happens by chance at the same time, such as the tick of a clock, is not on the way.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tests.bench.figures import Figure
from tests.bench.traced_app import Report
from tests.support.engine_process import home_environment
from tests.support.fake_ollama import FakeOllama
from tests.support.imports import Imports, lines_by_file, logical_lines
from tests.support.scripted_server import serving
from tests.support.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.bench.traced_app import Call
    from tests.support.scripted_server import Reply, Request

RUNS = 3
SETTLED_S = 4  # The settings are read and the models' details looked up some time after the list is shown.
_LS = """
import sys
from llmstack_tui.__main__ import main
code = main(["ls", "--json"])
print(*(name for name in sys.modules if name.partition(".")[0] == "llmstack_tui"), file=sys.stderr)
sys.exit(code)
"""


def figures() -> Iterator[Figure]:
    imports, lines = _imports(), lines_by_file()
    sizes = ", ".join(str(len(circle)) for circle in imports.circles)
    long = sorted((file for file in lines if lines[file] > 400), key=lambda file: -lines[file])
    # Before the work on trust and protocols the bars were 300 files and 28,546 lines: new features move them,
    # a change that adds none does not.
    yield Figure("files in the package", len(lines), "files", 680)
    yield Figure("files over 400 lines", len(long), "files", 0, note=", ".join(long))
    yield Figure("logical lines", logical_lines(), "lines", 66_000)
    yield Figure("longest import chain", len(imports.longest_chain), "modules", 20)
    yield Figure(
        "circles of imports", len(imports.circles), "circles", 0, note=sizes and f"of {sizes} modules"
    )
    with _server() as server:
        yield Figure("ls --json: modules of ours imported", len(_imported_by_ls(server.url)), "modules", 110)
    walks = _walks()
    yield Figure("key a → POST: files", len(walks.key), "files", 30)
    yield Figure("key a → POST: rooms", len({_room(file) for file in walks.key}), "rooms", 8)
    back = f"{walks.turns} where a return counts, too"
    yield Figure("key a → POST: calls into a higher layer", len(walks.up), "calls", 8, note=back)
    yield Figure("/api/ps → row: files", len(walks.row), "files", 51)


def circles() -> Iterator[str]:
    """Names the modules of each circle of imports."""
    for circle in _imports().circles:
        yield f"{len(circle)} modules import each other:"
        yield from (
            f"  {name} → {', '.join(sorted(_imports().by_module[name] & {*circle}))}" for name in circle
        )


def longest_chain() -> Iterator[str]:
    """Names the modules of the longest import chain."""
    yield from _imports().longest_chain


def files_walked() -> Iterator[str]:
    """Names the files of both walks, in the order of their first calls."""
    walks = _walks()
    yield "key a → POST:"
    yield from (f"  {file}" for file in walks.key)
    yield "calls into a higher layer:"
    yield from (f"  {caller} → {file}" for caller, file in walks.up)
    yield "/api/ps → row:"
    yield from (f"  {file}" for file in walks.row)


@cache
def _imports() -> Imports:
    return Imports()


class _Server:
    """A fake Ollama in a thread, with the times of what it was asked.

    Attributes:
        answered: when each answer to ``/api/ps`` was ready, and how many models it listed.
    """

    def __init__(self) -> None:
        self.fake = FakeOllama({f"model-{number}:latest": str(number) * 64 for number in range(4)})
        self.answered: list[tuple[int, int]] = []
        self.url = ""
        self._loop = asyncio.new_event_loop()
        self._end = asyncio.Event()

    def load(self, name: str) -> None:
        """As another client would."""
        self._loop.call_soon_threadsafe(self.fake.load, name)

    def end(self) -> None:
        self._loop.call_soon_threadsafe(self._end.set)

    def run(self, ready: Callable[[], None]) -> None:
        self._loop.run_until_complete(self._serve(ready))
        self._loop.close()

    async def _serve(self, ready: Callable[[], None]) -> None:
        async with serving(self._handle) as server:
            self.url = server.url
            ready()
            await self._end.wait()

    async def _handle(self, request: Request) -> Reply:
        reply = await self.fake(request)
        if request.path == "/api/ps":
            self.answered.append((time.monotonic_ns(), len(self.fake.runners)))
        return reply


@contextmanager
def _server() -> Iterator[_Server]:
    server, ready = _Server(), threading.Event()
    thread = threading.Thread(target=server.run, args=(ready.set,))
    thread.start()
    ready.wait()
    try:
        yield server
    finally:
        server.end()
        thread.join()


def _imported_by_ls(url: str) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        environment = home_environment(Path(folder)) | {"OLLAMA_HOST": url}
        command = (sys.executable, "-c", _LS)
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=60, check=True
        )
    assert len(json.loads(done.stdout)["models"]) == 4
    return done.stderr.split()


@dataclass(frozen=True, slots=True)
class Walks:
    """Files in the order of their first calls.

    Attributes:
        up: calls into a higher layer, a caller and a file each.
        turns: how often the next call is one of a higher layer, as also after the return from a lower one.
    """

    key: Sequence[str]
    up: Sequence[tuple[str, str]]
    turns: int
    row: Sequence[str]


@cache
def _walks() -> Walks:
    keys, rows = zip(*(_traced() for _ in range(RUNS)), strict=True)
    key = _common(keys)
    up = {
        (call.caller, call.file): None
        for call in min(keys, key=len)
        if call.file in key and call.caller in key and _layer(call.file) < _layer(call.caller)
    }
    turns = {
        (before.file, call.file)
        for before, call in pairwise(call for call in min(keys, key=len) if call.file in key)
        if _layer(call.file) < _layer(before.file)
    }
    return Walks(key, tuple(up), len(turns), _common(rows))


def _common(walks: Sequence[Sequence[Call]]) -> list[str]:
    shared = set.intersection(*({call.file for call in walk} for walk in walks))
    return [file for file in dict.fromkeys(call.file for call in walks[0]) if file in shared]


def _traced() -> tuple[list[Call], list[Call]]:
    """The calls from a key to the request that it sends, and those from an answer to the changed row."""
    with tempfile.TemporaryDirectory() as name, _server() as server:
        folder = Path(name)
        command = (
            sys.executable,
            "-m",
            "tests.bench.traced_app",
            str(folder / "report"),
            "--host",
            server.url,
        )
        with Terminal(command, home_environment(folder)) as terminal:
            terminal.wait_for("model-0")
            terminal.pump(SETTLED_S)
            pressed = time.monotonic_ns()
            terminal.type("a")
            terminal.wait_for("● model-")
            terminal.pump(SETTLED_S)
            other = next(each for each in server.fake.installed if each not in server.fake.loaded)
            server.load(other)
            terminal.wait_for(f"● {other.removesuffix(':latest')}")
            terminal.press("q")
            terminal.wait_exit()
        report = msgspec.json.decode((folder / "report").read_bytes(), type=Report)
    answered = next(at for at, models in server.answered if models == 2)
    name = other.removesuffix(":latest")
    shown = next(each.at for each in report.painted if each.at > answered and name in each.text)
    return _leading_to_request(report, pressed), [
        call for call in report.calls if answered <= call.at <= shown
    ]


def _leading_to_request(report: Report, pressed: int) -> list[Call]:
    """What a key press does until its request leaves, without what is painted meanwhile.

    That is what ran in the task that sends it, in those that began this one, and in those that it began.
    """
    sent = next(each for each in report.sent if each.at > pressed and each.method == "POST")
    began: dict[int, int] = {}
    for call in report.calls:
        began.setdefault(call.task, call.at)
    tasks = [sent.task]
    while began.get(parent := report.began_by.get(tasks[-1], 0), 0) > pressed:
        tasks.append(parent)
    first, start = parent, began[tasks[-1]]

    def is_on_the_way(call: Call) -> bool:
        task = call.task
        if call.at < start:
            return task == first
        while task and task not in tasks:
            task = report.began_by.get(task, 0)
        return bool(task)

    return [call for call in report.calls if pressed <= call.at <= sent.at and is_on_the_way(call)]


def _room(file: str) -> str:
    return file.partition("/")[0].removesuffix(".py")


def _layer(file: str) -> int:
    return _layers()[_room(file)]


@cache
def _layers() -> dict[str, int]:
    """The number of each room's layer, 0 is the highest."""
    with Path("pyproject.toml").open("rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    layers = next(each["layers"] for each in contracts if each["type"] == "layers")
    return {room.strip(): number for number, layer in enumerate(layers) for room in layer.split("|")}
