"""A server with Ollama's behaviour about loading and leaving, and none of its models: the one fake of it.

The rules are those of Ollama's ``server/sched.go`` as the recorded flows show them: a stop never cuts a
request; ``expires_at`` is set when the last request ends and stands still under one; two names over the same
weights share one runner, listed under the name that loaded it; a model that was deleted cannot be stopped.
"""

from __future__ import annotations

import asyncio
import re
import threading
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from llmstack_tui.base.durations import LONGEST, format_time, parse_keep_alive
from llmstack_tui.ollama.client import OllamaHost
from tests.support.scripted_server import Reply, Then, document, ndjson, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    from tests.support.scripted_server import Request, ScriptedServer


WEIGHTS = "sha256-" + "b" * 64
_DETAILS = {"format": "gguf", "family": "qwen2", "parameter_size": "7.6B", "quantization_level": "Q4_K_M"}
_USAGE = {
    "total_duration": 2_000_000_000,
    "load_duration": 500_000_000,
    "prompt_eval_count": 7,
    "prompt_eval_duration": 500_000_000,
    "eval_count": 10,
    "eval_duration": 1_000_000_000,
}


@dataclass
class FakeRunner:
    name: str
    digest: str
    keep_alive: timedelta
    expires_at: datetime
    size: int
    context_length: int | None
    requests: int = 0


@dataclass
class FakeOllama:
    """What a test sets, and what the server does.

    Attributes:
        installed: digest by name.
        cloud: names that run elsewhere.
        described: what ``/api/tags`` says of each model beside its name and digest.
        shown: what ``/api/show`` says of each, and ``weights`` the file of those that have one of their own.
        loaded_size, context_length: what ``/api/ps`` says of a model that is loaded from now on.
        answer, then: the pieces of a chat's answer, and how it ends.
        creating, pulling: the answers to ``/api/create`` and ``/api/pull``; None makes the model.
        published: the digest that a pull brings, by name; others bring one of their own.
        may_load: loads wait until it is set.
        may_leave: an idle model that was stopped leaves once it is set.
        may_pull: pulls wait until it is set.
        down: no answer at all, while it is true.
        skew: what its clock is ahead of ours.
        asked: path and body of each request that it heard.
    """

    installed: dict[str, str] = field(default_factory=dict)
    cloud: set[str] = field(default_factory=set)
    described: dict[str, object] = field(default_factory=lambda: {"size": 7})
    shown: dict[str, object] = field(default_factory=lambda: {"capabilities": ["completion"]})
    weights: dict[str, str] = field(default_factory=dict)
    loaded_size: int = 9
    context_length: int | None = None
    answer: tuple[str, ...] = ("Hel", "lo")
    then: Then = Then.END
    creating: Reply | None = None
    pulling: Reply | None = None
    published: dict[str, str] = field(default_factory=dict)
    runners: list[FakeRunner] = field(default_factory=list)
    may_load: asyncio.Event = field(default_factory=asyncio.Event)
    may_leave: asyncio.Event = field(default_factory=asyncio.Event)
    may_pull: asyncio.Event = field(default_factory=asyncio.Event)
    down: bool = False
    load_error: str = ""
    version: str = "0.32.15"
    skew: timedelta = timedelta(0)
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.may_load.set()
        self.may_leave.set()
        self.may_pull.set()

    @property
    def loaded(self) -> list[str]:
        return [runner.name for runner in self.runners]

    def now(self) -> datetime:
        return datetime.now(UTC) + self.skew

    def load(self, name: str, keep_alive: timedelta | None = None) -> FakeRunner:
        digest = self.installed.get(name, "f" * 64)
        for runner in self.runners:
            if runner.digest == digest:
                runner.keep_alive = runner.keep_alive if keep_alive is None else keep_alive
                self._idle(runner)
                return runner
        keep_alive = timedelta(minutes=5) if keep_alive is None else keep_alive
        runner = FakeRunner(
            name, digest, keep_alive, self.now() + keep_alive, self.loaded_size, self.context_length
        )
        self.runners.append(runner)
        return runner

    def begin_request(self, name: str, keep_alive: timedelta | None = None) -> FakeRunner:
        """A request of another client, which brings its own keep-alive or none."""
        runner = next((each for each in self.runners if each.name == name), None) or self.load(name)
        runner.requests += 1
        runner.keep_alive = runner.keep_alive if keep_alive is None else keep_alive
        return runner

    def end_request(self, runner: FakeRunner) -> None:
        runner.requests -= 1
        self._idle(runner)

    def _idle(self, runner: FakeRunner) -> None:
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

    async def __call__(self, request: Request) -> Reply:
        if self.down:
            return Reply(raw=b"")
        body = request.json if request.body else {}
        self.asked.append((request.path, body))
        name = str(body.get("model", body.get("source", "")))
        if request.method == "HEAD":
            return Reply()  # every blob is there already
        makes = request.path in ("/api/create", "/api/pull")
        if request.method != "GET" and name not in self.installed and not makes:
            return document({"error": f"model '{name}' not found"}, 404)
        route = re.sub(r"\W+", "_", f"{request.method} {request.path}".replace("/api/", "").lower())
        reply: Reply = await getattr(self, f"_{route}")(name, body)
        return reply

    async def _get_version(self, _: str, __: dict[str, object]) -> Reply:
        return document({"version": self.version})

    async def _get_tags(self, _: str, __: dict[str, object]) -> Reply:
        models: list[dict[str, object]] = [
            {"name": name, "model": name, "digest": digest, **self.described}
            | ({"remote_host": "https://ollama.com", "size": 300} if name in self.cloud else {})
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

    async def _post_show(self, name: str, __: dict[str, object]) -> Reply:
        weights = {"modelfile": f"FROM /models/blobs/{self.weights[name]}\n"} if name in self.weights else {}
        return document({**self.shown, **weights})

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
        if not body.get("prompt"):
            return document({"done": True, "done_reason": "load"})
        pieces = [{"response": text} for text in self.answer]
        return ndjson(*pieces, {"response": "", "done": True, "done_reason": "stop", **_USAGE})

    async def _post_chat(self, name: str, _: dict[str, object]) -> Reply:
        if name in self.installed:
            self.load(name)
        pieces = [{"message": {"role": "assistant", "content": text}} for text in self.answer]
        if self.then is not Then.END:
            return ndjson(*pieces, then=self.then)
        return ndjson(*pieces, {"message": {"content": ""}, "done": True, "done_reason": "stop", **_USAGE})

    async def _delete_delete(self, name: str, __: dict[str, object]) -> Reply:
        del self.installed[name]
        return Reply()

    async def _post_copy(self, name: str, body: dict[str, object]) -> Reply:
        self.installed[str(body["destination"])] = self.installed[name]
        return Reply()

    async def _post_pull(self, name: str, __: dict[str, object]) -> Reply:
        await self.may_pull.wait()
        if self.pulling is not None:
            return self.pulling
        name = name.removeprefix("http://")
        self.installed[name] = self.published.get(name, "d" * 64)
        return ndjson({"status": "pulling manifest"}, {"status": "success"})

    async def _post_create(self, name: str, __: dict[str, object]) -> Reply:
        if self.creating is not None:
            return self.creating
        self.installed[name] = "c" * 64
        return ndjson({"status": "success"})


def usual_ollama(
    *names: str,
    loaded: tuple[str, ...] = (),
    info: Mapping[str, object] | None = None,
    share_weights: bool = True,
) -> FakeOllama:
    """One with models as people have them, all of the same weights unless said otherwise.

    What is ``loaded`` may be removed.
    """
    fake = FakeOllama(
        {name: f"{number:064x}" for number, name in enumerate(names)},
        described={
            "modified_at": "2026-11-21T07:49:02.957391185+02:00",
            "size": 4_683_087_332,
            "details": _DETAILS,
        },
        shown={
            "parameters": "temperature 0.2",
            "template": "{{ .Prompt }}\x1b[2J\nsecond line",
            "details": _DETAILS,
            "model_info": info or {"qwen2.context_length": 32768, "general.architecture": "qwen2"},
            "capabilities": ["tools", "completion"],
        },
        weights=dict.fromkeys(names, WEIGHTS) if share_weights else {},
        answer=("Hello", " there."),
        loaded_size=5_100_000_000,
        context_length=4096,
    )
    for name in loaded:
        fake.load(name)
    return fake


@asynccontextmanager
async def fake_ollama(**models: str) -> AsyncIterator[tuple[FakeOllama, ScriptedServer]]:
    """A fake with these models: names with "_" for ":", and the first letter of each one's digest."""
    fake = FakeOllama({name.replace("_", ":"): letter * 64 for name, letter in models.items()})
    async with serving(fake) as server:
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


@contextmanager
def fake_ollama_thread(**models: str) -> Iterator[tuple[FakeOllama, str]]:
    """`fake_ollama` in a thread of its own, and its URL, for a test that is not asynchronous."""
    made: list[tuple[FakeOllama, str]] = []
    ready, loop, end = threading.Event(), asyncio.new_event_loop(), asyncio.Event()

    async def serve() -> None:
        async with fake_ollama(**models) as (fake, server):
            made.append((fake, server.url))
            ready.set()
            await end.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(30)
        yield made[0]
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join()
        loop.close()
