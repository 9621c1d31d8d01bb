"""Servers that are dead, slow, open, hung, or something else."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.doctor.facts import EngineFacts, OllamaFacts
from llmstack_tui.doctor.rules.servers import any_server
from llmstack_tui.doctor.types import FindingState, verdict
from tests.doctor.checkups import NOBODY, said
from tests.support.fake_ollama import usual_ollama
from tests.support.scripted_server import Reply, ScriptedServer, accept_all, always, document, serving

if TYPE_CHECKING:
    from tests.doctor.checkups import Surroundings

MACHINE = "127.0.0.1" if sys.platform == "darwin" else "127.0.0.2"


def test_nothing_that_can_run_models_is_broken() -> None:
    engine = EngineFacts(missing="The built-in engine is not installed.", context_length=4096)
    (finding,) = any_server("server.any", (), OllamaFacts(binary=None, url=NOBODY), engine)
    assert finding.state is FindingState.BROKEN
    assert "The built-in engine is not installed." in said(finding)
    assert verdict((finding.id,)) == "OVERALL STATUS: FAIL (server.any)"


async def test_a_dead_host_is_broken_if_it_was_named(here: Surroundings) -> None:
    assert (await here.find("server.answers")).state is FindingState.DOES_NOT_APPLY
    here.hosts = (NOBODY,)
    report = await here.examine()
    (broken,) = report.broken
    assert (broken.id, broken.about) == ("server.answers", NOBODY)
    assert "Nothing answers at http://127.0.0.1:1." in said(broken)


async def test_all_takes_less_than_five_seconds_with_what_never_answers(here: Surroundings) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        here.hosts, here.registry = (url,), url
        began_s = time.monotonic()
        report = await here.examine()
    assert time.monotonic() - began_s < 5
    states = {each.id: each.state for each in report.findings}
    assert states["server.answers"] is FindingState.BROKEN
    assert states["net.registry"] is FindingState.WARNING


async def test_a_quick_server(here: Surroundings) -> None:
    async with serving(usual_ollama("a:1")) as server:
        here.environ["OLLAMA_HOST"] = server.url
        states = {each.id: each.state for each in (await here.examine()).findings}
    assert {states[name] for name in ("server.any", "server.answers", "server.latency", "server.port")} == {
        FindingState.FINE
    }


async def test_another_program_has_the_port(here: Surroundings) -> None:
    page = Reply((b"<html>Hello</html>",), content_type="text/html")
    async with serving(always(page)) as server:
        here.environ["OLLAMA_HOST"] = server.url
        finding = await here.find("server.port")
    assert (finding.state, finding.about) == (FindingState.BROKEN, server.url)
    assert f"({os.getpid()}) listens there." in said(finding)


@pytest.mark.parametrize(
    ("answers", "state"),
    [
        (usual_ollama("a:1"), FindingState.WARNING),
        (always(document({"error": "a key is needed"}, 401)), FindingState.FINE),
    ],
    ids=["without a key", "with a key"],
)
async def test_a_server_that_listens_for_other_machines(
    here: Surroundings, answers: object, state: FindingState
) -> None:
    assert callable(answers)
    server = ScriptedServer(answers)
    listener = await asyncio.start_server(server.accept, "0.0.0.0", 0)
    port = listener.sockets[0].getsockname()[1]
    here.environ["OLLAMA_HOST"] = f"127.0.0.1:{port}"
    here.addresses = (MACHINE,)
    try:
        finding = await here.find("server.open")
    finally:
        await accept_all(port)
        listener.close()
        await server.close()
        await listener.wait_closed()
    assert finding.state is state
    assert f"http://{MACHINE}:{port}" in said(finding)


async def test_a_server_on_loopback_alone_is_closed(here: Surroundings) -> None:
    async with serving(usual_ollama("a:1")) as server:
        here.environ["OLLAMA_HOST"] = server.url
        here.addresses = ("127.0.0.3",)
        finding = await here.find("server.open")
    assert finding.state is FindingState.FINE


@pytest.mark.parametrize(
    ("ready", "state", "took"), [("58:07", FindingState.WARNING, "47"), ("57:21.5", FindingState.FINE, "1")]
)
async def test_how_long_the_last_start_took(
    here: Surroundings, ready: str, state: FindingState, took: str
) -> None:
    lines = [
        'time=2026-07-01T09:50:00.000Z level=INFO source=routes.go:1 msg="server config" env="map[]"',
        'time=2026-07-01T09:55:00.000Z level=INFO source=routes.go:2 msg="Listening on 127.0.0.1:11434"',
        'time=2026-07-01T09:57:20.000Z level=INFO source=routes.go:1 msg="server config" env="map[]"',
        'time=2026-07-01T09:57:20.100Z level=INFO source=routes.go:2 msg="Listening on 127.0.0.1:11434"',
        f'time=2026-07-01T09:{ready}Z level=INFO source=types.go:3 msg="inference compute" id=cpu',
    ]
    (here.data / "logs").mkdir(parents=True)
    (here.data / "logs" / "ollama.log").write_text("\n".join(lines))
    finding = await here.find("ollama.start")
    assert finding.state is state
    assert f"took {took}" in said(finding)
