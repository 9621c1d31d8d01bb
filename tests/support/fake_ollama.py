"""A server with Ollama's behaviour about loading and leaving, and none of its models.

The rules are those of Ollama's ``server/sched.go`` as the recorded flows show them: a stop never cuts a
request; ``expires_at`` is set when the last request ends and stands still under one; two names over the same
weights share one runner, listed under the name that loaded it; a model that was deleted cannot be stopped.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from llmstack_tui.base.go_durations import LONGEST, parse_keep_alive
from llmstack_tui.base.times import format_time
from llmstack_tui.ollama.client import OllamaHost
from tests.support.scripted_server import Reply, document, ndjson, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.scripted_server import Request, ScriptedServer


@dataclass
class Runner:
    name: str
    digest: str
    keep_alive: timedelta
    expires_at: datetime
    requests: int = 0
    size: int = 9
    context_length: int | None = None


@dataclass
class FakeOllama:
    """What a test sets, and what the server does.

    Attributes:
        installed: digest by name.
        cloud: names that run elsewhere.
        may_load: loads wait until it is set.
        may_leave: an idle model that was stopped leaves once it is set.
        down: no answer at all, while it is true.
        skew: what its clock is ahead of ours.
    """

    installed: dict[str, str] = field(default_factory=dict)
    cloud: set[str] = field(default_factory=set)
    runners: list[Runner] = field(default_factory=list)
    may_load: asyncio.Event = field(default_factory=asyncio.Event)
    may_leave: asyncio.Event = field(default_factory=asyncio.Event)
    down: bool = False
    load_error: str = ""
    version: str = "0.32.15"
    skew: timedelta = timedelta(0)

    def __post_init__(self) -> None:
        self.may_load.set()
        self.may_leave.set()

    @property
    def loaded(self) -> list[str]:
        return [runner.name for runner in self.runners]

    def now(self) -> datetime:
        return datetime.now(UTC) + self.skew

    def load(self, name: str, keep_alive: timedelta | None = None) -> Runner:
        digest = self.installed[name]
        for runner in self.runners:
            if runner.digest == digest:
                runner.keep_alive = runner.keep_alive if keep_alive is None else keep_alive
                self._idle(runner)
                return runner
        keep_alive = timedelta(minutes=5) if keep_alive is None else keep_alive
        runner = Runner(name, digest, keep_alive, self.now() + keep_alive)
        self.runners.append(runner)
        return runner

    def begin_request(self, name: str, keep_alive: timedelta | None = None) -> Runner:
        """A request of another client, which brings its own keep-alive or none."""
        runner = next((each for each in self.runners if each.name == name), None) or self.load(name)
        runner.requests += 1
        runner.keep_alive = runner.keep_alive if keep_alive is None else keep_alive
        return runner

    def end_request(self, runner: Runner) -> None:
        runner.requests -= 1
        self._idle(runner)

    def _idle(self, runner: Runner) -> None:
        if runner.requests:
            return
        runner.expires_at = self.now() + runner.keep_alive
        if runner.keep_alive <= timedelta(0) and self.may_leave.is_set():
            self.runners.remove(runner)

    def _stop(self, name: str) -> None:
        for runner in tuple(self.runners):
            if runner.digest == self.installed[name]:
                runner.keep_alive, runner.expires_at = timedelta(0), self.now()
                self._idle(runner)

    async def handle(self, request: Request) -> Reply:
        if self.down:
            return Reply(raw=b"")
        body = request.json if request.body else {}
        name = str(body.get("model", body.get("source", "")))
        if request.method == "HEAD":
            return Reply()  # every blob is there already
        if request.method != "GET" and name not in self.installed and request.path != "/api/create":
            return document({"error": f"model '{name}' not found"}, 404)
        route = re.sub(r"\W+", "_", f"{request.method} {request.path}".replace("/api/", "").lower())
        reply: Reply = await getattr(self, f"_{route}")(name, body)
        return reply

    async def _get_version(self, _: str, __: dict[str, object]) -> Reply:
        return document({"version": self.version})

    async def _get_tags(self, _: str, __: dict[str, object]) -> Reply:
        models: list[dict[str, object]] = [
            {"name": name, "model": name, "digest": digest, "size": 7}
            | ({"remote_host": "https://ollama.com"} if name in self.cloud else {})
            for name, digest in self.installed.items()
        ]
        return document({"models": models})

    async def _get_ps(self, _: str, __: dict[str, object]) -> Reply:
        self.runners = [
            runner
            for runner in self.runners
            if runner.requests or runner.keep_alive > timedelta(0) or not self.may_leave.is_set()
        ]
        return document(
            {
                "models": [
                    {
                        "name": runner.name,
                        "digest": runner.digest,
                        "expires_at": format_time(runner.expires_at),
                        "size": runner.size,
                        "size_vram": 0,
                        "context_length": runner.context_length,
                    }
                    for runner in self.runners
                ]
            }
        )

    async def _post_show(self, _: str, __: dict[str, object]) -> Reply:
        return document({"capabilities": ["completion"]})

    async def _post_generate(self, name: str, body: dict[str, object]) -> Reply:
        keep_alive = body.get("keep_alive")
        assert keep_alive is None or isinstance(keep_alive, str | int)
        if keep_alive == 0:
            self._stop(name)
            return document({"done": True, "done_reason": "unload"})
        await self.may_load.wait()
        if self.load_error:
            return document({"error": self.load_error}, 500)
        length = None if keep_alive is None else parse_keep_alive(keep_alive)
        self.load(name, LONGEST if length is not None and length < timedelta(0) else length)
        return document({"done": True, "done_reason": "load"})

    async def _post_chat(self, _: str, __: dict[str, object]) -> Reply:
        return ndjson({"message": {"content": "Hel"}}, {"message": {"content": "lo"}, "done": True})

    async def _delete_delete(self, name: str, __: dict[str, object]) -> Reply:
        del self.installed[name]
        return Reply()

    async def _post_copy(self, name: str, body: dict[str, object]) -> Reply:
        self.installed[str(body["destination"])] = self.installed[name]
        return Reply()

    async def _post_create(self, name: str, __: dict[str, object]) -> Reply:
        self.installed[name] = "c" * 64
        return ndjson({"status": "success"})


@asynccontextmanager
async def fake_ollama(**models: str) -> AsyncIterator[tuple[FakeOllama, ScriptedServer]]:
    """A fake with these models: names with "_" for ":", and the first letter of each one's digest."""
    fake = FakeOllama({name.replace("_", ":"): letter * 64 for name, letter in models.items()})
    async with serving(fake.handle) as server:
        yield fake, server


@asynccontextmanager
async def fake_host(**models: str) -> AsyncIterator[tuple[FakeOllama, OllamaHost, ScriptedServer]]:
    """`fake_ollama` with a client of it."""
    async with fake_ollama(**models) as (fake, server):
        host = OllamaHost(server.url)
        try:
            yield fake, host, server
        finally:
            await host.aclose()
