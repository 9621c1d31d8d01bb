"""Which servers are used."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.address import InvalidAddress
from llmstack_tui.base.sentences import Sentence, quoted
from llmstack_tui.config.hosts import HostSettings
from llmstack_tui.config.settings import EngineSettings, Settings
from llmstack_tui.core import servers
from llmstack_tui.core.servers import (
    BuiltinStopped,
    Found,
    Installed,
    NothingToRun,
    OllamaStopped,
    decide,
)
from llmstack_tui.ollama.client import answers_at
from tests.support.scripted_server import Reply, always, document, serving

if TYPE_CHECKING:
    from llmstack_tui.base.kinds import EngineChoice
    from llmstack_tui.core.servers import Startup

OLLAMA = Path("/usr/local/bin/ollama")
URL = "http://127.0.0.1:11434"
ENGINE = "http://127.0.0.1:11435"
STOPPED = OllamaStopped(OLLAMA, URL)
MISSING = "The built-in engine is not installed."


@pytest.mark.parametrize(
    ("choice", "ollama", "engine_url", "missing", "decision"),
    [
        ("auto", OLLAMA, ENGINE, None, Found((ENGINE,))),
        ("auto", OLLAMA, None, None, STOPPED),
        ("auto", None, None, None, BuiltinStopped()),
        ("auto", None, None, MISSING, NothingToRun(quoted(MISSING))),
        ("builtin", OLLAMA, ENGINE, None, Found((ENGINE,))),
        ("builtin", OLLAMA, None, None, BuiltinStopped()),
        ("builtin", OLLAMA, None, MISSING, NothingToRun(quoted(MISSING))),
        ("ollama", OLLAMA, ENGINE, None, STOPPED),
        (
            "ollama",
            None,
            ENGINE,
            None,
            NothingToRun(Sentence("core.no_ollama")),
        ),
    ],
)
def test_the_decision(
    choice: EngineChoice,
    ollama: Path | None,
    engine_url: str | None,
    missing: str | None,
    decision: Startup,
) -> None:
    installed = Installed(url=URL, ollama=ollama, engine_url=engine_url, engine_missing=missing)
    assert decide(choice, installed) == decision


def settings(choice: EngineChoice = "auto", hosts: tuple[str, ...] = ()) -> Settings:
    return Settings(hosts=tuple(HostSettings(url=url) for url in hosts), engine=EngineSettings(choice=choice))


@pytest.fixture
def around(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses with which the machine was looked at; an engine is installed and nothing else."""
    looked: list[str] = []

    def look(url: str, _: object) -> Installed:
        looked.append(url)
        return Installed(url=url, ollama=None, engine_url=None, engine_missing=None)

    monkeypatch.setattr(servers, "look_around", look)
    return looked


async def test_addresses_that_were_given_are_taken_unasked(around: list[str]) -> None:
    urls = ("http://gpu-box:11434", "http://127.0.0.1:1")
    assert await servers.find_servers(settings(hosts=urls), {"OLLAMA_HOST": "a b"}) == Found(urls)
    with pytest.raises(InvalidAddress):
        await servers.find_servers(settings(), {"OLLAMA_HOST": "a b"})
    assert around == []


async def test_a_server_that_answers_is_found(around: list[str]) -> None:
    async with serving(always(document({"version": "0.24.0"}))) as server:
        environ = {"OLLAMA_HOST": server.url}
        assert await servers.find_servers(settings(), environ) == Found((server.url,))
        assert await servers.find_servers(settings("ollama"), environ) == Found((server.url,))
        assert around == []
        asked = len(server.requests)
        assert await servers.find_servers(settings("builtin"), environ) == BuiltinStopped()
        assert len(server.requests) == asked
        assert around == [server.url]


async def test_what_is_no_server_of_models_is_not_found(around: list[str]) -> None:
    async with serving(always(Reply((b"<html>",), content_type="text/html"))) as server:
        found = await servers.find_servers(settings(), {"OLLAMA_HOST": server.url})
    assert found == BuiltinStopped()
    assert around == [server.url]


async def test_nobody_answers(around: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    assert await servers.find_servers(settings(), {"OLLAMA_HOST": url}) == BuiltinStopped()
    assert around == [url]


async def test_another_machine_that_was_named_is_the_one_that_is_meant(around: list[str]) -> None:
    environ = {"OLLAMA_HOST": "no-such-host.invalid"}
    assert await servers.find_servers(settings(), environ) == Found(("http://no-such-host.invalid:11434",))
    assert around == []


async def test_a_server_that_fails_is_a_server() -> None:
    async with serving(always(document({"error": "busy"}, 503))) as server:
        assert await answers_at(server.url)


def test_thelook_around_tells_facts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    program = tmp_path / "ollama"
    program.touch(mode=0o755)
    found = servers.look_around(URL, {"PATH": str(tmp_path)})
    assert (found.url, found.ollama, found.engine_url) == (URL, program, None)
    assert found.engine_missing is None or found.engine_missing.endswith(("download", "'", "."))
