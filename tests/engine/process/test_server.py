"""The engine's own process: how it ends and when, what it logs, and on which socket it listens."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx
import pytest

from llmstack_tui.config.engine import EngineOptions
from llmstack_tui.config.settings import EngineSettings
from llmstack_tui.engine.process.listener import CannotListen, NeedsKey, base_url, bound_address, listen
from llmstack_tui.engine.process.server import MODEL_USE_SECONDS, OTHER_CLIENT_SECONDS, UsageTracker
from tests.support.engine import GREEDY
from tests.support.engine_process import home_environment
from tests.support.waiting import wait_until_sync

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.types import Message, Receive, Scope, Send

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs the signals of POSIX")


@contextmanager
def engine(home: Path, *arguments: str, **environment: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The process of an engine and its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "llmstack_tui.engine.process.server", "--port", "0", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=home_environment(home) | environment,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process, json.loads(process.stdout.readline())["url"]
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def log(home: Path) -> str:
    return (home / ".local/share/llmstack/logs/engine.log").read_text()


@posix
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_a_running_request_end(
    tmp_path: Path, endless_model: Path, number: signal.Signals
) -> None:
    with (
        engine(tmp_path) as (process, url),
        httpx.Client(base_url=url, timeout=60, trust_env=False) as client,
    ):
        client.post("/api/import", json={"model": "endless", "path": str(endless_model)})
        asked = {"model": "endless", "prompt": "Hi", "options": {**GREEDY, "num_predict": 300}}
        with client.stream("POST", "/api/generate", json=asked) as response:
            received = response.iter_lines()
            next(received)
            process.send_signal(number)
            last = json.loads([*received][-1])
        assert (last["done"], last["eval_count"]) == (True, 300)
        assert process.wait(10) == 0
    assert "The engine has ended" in log(tmp_path)
    assert "Traceback" not in log(tmp_path)


def test_an_owners_end_is_heard(tmp_path: Path) -> None:
    with engine(tmp_path, "--owner", "4711") as (process, url):
        agent = {"User-Agent": "llmstack-tui/0.1 (pid/4711)"}
        assert httpx.get(f"{url}/api/tags", headers=agent, trust_env=False).status_code == 200
        assert process.poll() is None
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(10) == 0


def test_the_log_is_kept_short(tmp_path: Path) -> None:
    logs = tmp_path / ".local/share/llmstack/logs"
    logs.mkdir(parents=True)
    (logs / "engine.log").write_text("x" * 1_000_000)
    with engine(tmp_path):
        wait_until_sync(lambda: "answers at" in log(tmp_path))
    assert len(log(tmp_path)) < 10_000
    assert (logs / "engine.log.1").stat().st_size <= 1_000_000


def test_wrong_settings_are_named_in_the_log(tmp_path: Path) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text('[engine]\nport = "many"\n')
    with engine(tmp_path, "--config", str(settings), OLLAMA_NUM_PARALLEL="two"):
        text = log(tmp_path)
    assert "settings.toml line 2" in text
    assert "OLLAMA_NUM_PARALLEL is 'two', which is no whole number" in text


def test_options_of_ollama_stand_above_the_settings() -> None:
    settings = EngineSettings(keep_alive=timedelta(minutes=1), max_loaded=2, context_length=512)
    own = EngineOptions.read(settings, {})
    assert own == EngineOptions(keep_alive=timedelta(minutes=1), max_loaded=2, context_length=512)
    ollamas = {
        "OLLAMA_KEEP_ALIVE": "1h",
        "OLLAMA_MAX_LOADED_MODELS": "7",
        "OLLAMA_MAX_QUEUE": "9",
        "OLLAMA_CONTEXT_LENGTH": "2048",
        "OLLAMA_NUM_PARALLEL": "4",
        "OLLAMA_KV_CACHE_TYPE": "q8_0",
        "OLLAMA_NOPRUNE": "1",
    }
    assert EngineOptions.read(settings, ollamas) == EngineOptions(
        keep_alive=timedelta(hours=1),
        max_loaded=7,
        max_queue=9,
        context_length=2048,
        parallel=4,
        cache_type="q8_0",
        prune=False,
    )
    assert EngineOptions.read(settings, {"OLLAMA_NOPRUNE": "false"}).prune


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-1", timedelta(seconds=-1)),
        ("90", timedelta(seconds=90)),
        ('"5m"', timedelta(minutes=5)),
        ("soon", timedelta(minutes=5)),
        ("", timedelta(minutes=5)),
    ],
)
def test_keep_alive_of_the_environment(text: str, expected: timedelta) -> None:
    assert EngineOptions.read(EngineSettings(), {"OLLAMA_KEEP_ALIVE": text}).keep_alive == expected


@pytest.mark.parametrize("name", ["OLLAMA_MAX_LOADED_MODELS", "OLLAMA_KV_CACHE_TYPE"])
@pytest.mark.parametrize("text", ["0", "-3", "x", "²"])
def test_what_is_no_value_is_passed_over(name: str, text: str) -> None:
    assert EngineOptions.read(EngineSettings(), {name: text}) == EngineOptions()


def test_sockets() -> None:
    with listen("127.0.0.1", 0) as one:
        port = one.getsockname()[1]
        assert base_url(one) == f"http://127.0.0.1:{port}"
        with pytest.raises(CannotListen, match=f"Port {port} of 127.0.0.1 is in use"):
            listen("127.0.0.1", port)
        with listen("127.0.0.1", port, tries=50) as other:
            assert port < other.getsockname()[1] < port + 50
    with listen("0.0.0.0", 0, has_key=True) as everywhere:
        assert base_url(everywhere).startswith("http://127.0.0.1:")
        assert bound_address(everywhere).startswith("0.0.0.0:")
    for beyond in ("0.0.0.0", "::"):
        with pytest.raises(NeedsKey, match="llmstack engine key"):
            listen(beyond, 0)
    with pytest.raises(CannotListen, match=r"nobody\.invalid is no address"):
        listen("nobody.invalid", 0)


OWNER = 123


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Waiting:
    """An application that answers when it is let."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.begun.set()
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
    await app.begun.wait()
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
        clock.now += OTHER_CLIENT_SECONDS - 1
        assert not usage.unused()
        clock.now += 1
        assert usage.unused()


async def test_a_model_that_others_talk_to_keeps_it_longer() -> None:
    app, clock = Waiting(), Clock()
    app.go_on.set()
    usage = UsageTracker(app, OWNER, clock)
    for path in ("/api/chat", "/v1/chat/completions", "/api/embeddings"):
        await ask(usage, path, "curl/8")
        clock.now += MODEL_USE_SECONDS - 1
        assert not usage.unused()
        clock.now += 1
        assert usage.unused()


async def test_the_owners_own_requests_do_not_keep_it() -> None:
    app = Waiting()
    app.go_on.set()
    usage = UsageTracker(app, OWNER, Clock())
    await ask(usage, "/api/chat", f"llmstack-tui/0.1 (pid/{OWNER})")
    assert usage.unused()
