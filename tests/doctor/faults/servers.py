"""Servers that do not run, do not answer, are slow, open, or set otherwise than they run."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil

from llmstack_tui.service.ollama import ollama_service
from tests.doctor.checkups import NOBODY
from tests.support.fake_ollama import usual_ollama
from tests.support.ollama_program import OllamaMachine
from tests.support.scripted_server import Reply, ScriptedServer, accept_all, always, document, serving
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    import pytest

    from tests.doctor.checkups import Surroundings
    from tests.support.scripted_server import Request

LOG = (
    'time=2026-07-01T09:57:20.000Z level=INFO source=routes.go:1 msg="server config" env="map[]"\n'
    'time=2026-07-01T09:{ready}Z level=INFO source=routes.go:2 msg="Listening on 127.0.0.1:11434"\n'
)


async def nothing_runs(here: Surroundings, _: pytest.MonkeyPatch) -> AsyncGenerator[None, None]:
    machine = OllamaMachine(here.home)
    here.environ |= machine.environ
    yield
    machine.end()


async def dead_host(here: Surroundings, _: pytest.MonkeyPatch) -> AsyncGenerator[None, None]:
    here.hosts = (NOBODY,)
    yield
    async with serving(usual_ollama("a:1")) as server:
        here.hosts = (server.url,)
        yield


async def slow_server(here: Surroundings, _: pytest.MonkeyPatch) -> AsyncGenerator[None, None]:
    wait_s = 0.51

    async def slow(_: Request) -> Reply:
        began_s = time.monotonic()
        await wait_until(lambda: time.monotonic() - began_s >= wait_s)
        return document({"version": "0.33.0", "models": []})

    async with serving(slow) as server:
        here.hosts = (server.url,)
        yield
        wait_s = 0.0
        yield


async def taken_port(here: Surroundings, _: pytest.MonkeyPatch) -> AsyncGenerator[None, None]:
    page = Reply((b"<html>Hello</html>",), content_type="text/html")
    async with serving(always(page)) as server:
        here.environ["OLLAMA_HOST"] = server.url
        yield
    here.environ["OLLAMA_HOST"] = NOBODY
    yield


async def open_server(here: Surroundings, _: pytest.MonkeyPatch) -> AsyncGenerator[None, None]:
    server = ScriptedServer(usual_ollama("a:1"))
    listener = await asyncio.start_server(server.accept, "0.0.0.0", 0)
    port = listener.sockets[0].getsockname()[1]
    here.environ["OLLAMA_HOST"] = f"127.0.0.1:{port}"
    here.addresses = ("127.0.0.1" if sys.platform == "darwin" else "127.0.0.2",)
    yield
    await accept_all(port)
    listener.close()
    await server.close()
    await listener.wait_closed()
    yield


async def waiting_variable(here: Surroundings, _: pytest.MonkeyPatch) -> AsyncGenerator[None, None]:
    machine = OllamaMachine(here.home)
    folder = machine.has_unit(user=True)
    here.environ |= machine.environ
    here.root = here.home
    await ollama_service(machine.environ, "linux").start()
    folder.mkdir()
    (folder / "a.conf").write_text("[Service]\nEnvironment=OLLAMA_NUM_PARALLEL=4\n")
    # Its address is set, too.
    (folder / "b.conf").write_text(f"[Service]\nEnvironment=OLLAMA_HOST={machine.address}\n")
    yield
    machine.end()


async def small_context(here: Surroundings, _: pytest.MonkeyPatch) -> AsyncGenerator[None, None]:
    answer = always(document({"version": "0.33.0", "engine": "llmstack", "models": []}))
    async with serving(answer) as server:
        here.environ["OLLAMA_HOST"] = server.url
        yield


async def no_ollama(here: Surroundings, patch: pytest.MonkeyPatch) -> AsyncGenerator[None, None]:
    patch.setattr("llmstack_tui.ollama.local.usual_places", lambda _: [])
    yield
    OllamaMachine(here.home)
    yield


async def slow_start(here: Surroundings, _: pytest.MonkeyPatch) -> AsyncGenerator[None, None]:
    log = here.data / "logs/ollama.log"
    log.parent.mkdir(parents=True)
    log.write_text(LOG.format(ready="58:07"))
    yield
    log.write_text(LOG.format(ready="58:07") + LOG.format(ready="57:21"))
    yield


async def no_engine(_: Surroundings, patch: pytest.MonkeyPatch) -> AsyncGenerator[None, None]:
    reason = "llmstack_tui.engine.process.requirements.missing_reason"
    patch.setattr(reason, lambda: "It is not installed.")
    yield
    patch.setattr(reason, lambda: None)
    yield


async def hung_engine(here: Surroundings, _: pytest.MonkeyPatch) -> AsyncGenerator[None, None]:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as hung:
        created_s = psutil.Process(hung.pid).create_time()
        record = {"pid": hung.pid, "created_s": created_s, "url": NOBODY, "version": "1", "log": "engine.log"}
        here.data.mkdir(parents=True)
        (here.data / "engine.json").write_text(json.dumps(record))
        yield
