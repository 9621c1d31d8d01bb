"""When an engine that a dashboard started may end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from llmstack_tui.engine.process.server import MODELS_SECONDS, OTHERS_SECONDS, UsageTracker

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

OWNER = 123


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Waiting:
    """An application that answers when it is let."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.go_on.wait()


async def nothing() -> Message:
    return {"type": "http.disconnect"}


async def nowhere(message: Message) -> None:
    pass


async def ask(usage: UsageTracker, path: str, agent: str | None) -> None:
    headers = [] if agent is None else [(b"user-agent", agent.encode())]
    await usage({"type": "http", "path": path, "headers": headers}, nothing, nowhere)


async def test_an_engine_that_nobody_asked_is_unused() -> None:
    assert UsageTracker(Waiting(), OWNER, Clock()).unused()


async def test_a_request_in_flight_keeps_it() -> None:
    app = Waiting()
    usage = UsageTracker(app, OWNER, Clock())
    running = asyncio.create_task(ask(usage, "/api/chat", f"llmstack/1 pid/{OWNER}"))
    await asyncio.sleep(0)
    assert not usage.unused()
    app.go_on.set()
    await running
    assert usage.unused()


async def test_other_clients_keep_it_for_a_while() -> None:
    app, clock = Waiting(), Clock()
    app.go_on.set()
    usage = UsageTracker(app, OWNER, clock)
    for agent in (None, "curl/8", f"llmstack/1 pid/{OWNER}4", f"llmstack/1 pid/9{OWNER}"):
        await ask(usage, "/api/ps", agent)
        assert not usage.unused()
        clock.now += OTHERS_SECONDS - 1
        assert not usage.unused()
        clock.now += 1
        assert usage.unused()


async def test_a_model_that_others_talk_to_keeps_it_longer() -> None:
    app, clock = Waiting(), Clock()
    app.go_on.set()
    usage = UsageTracker(app, OWNER, clock)
    for path in ("/api/chat", "/v1/chat/completions", "/api/embeddings"):
        await ask(usage, path, "curl/8")
        clock.now += MODELS_SECONDS - 1
        assert not usage.unused()
        clock.now += 1
        assert usage.unused()


async def test_the_owners_own_requests_do_not_keep_it() -> None:
    app = Waiting()
    app.go_on.set()
    usage = UsageTracker(app, OWNER, Clock())
    await ask(usage, "/api/chat", f"llmstack-tui/0.1 (pid/{OWNER})")
    assert usage.unused()
