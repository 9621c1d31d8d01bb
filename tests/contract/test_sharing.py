"""Two names over the same weights, as our client sees them: they share a process, listed under one name."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.hosts.types import Snapshot
from llmstack_tui.lifecycle.states import ModelState, statuses
from llmstack_tui.lifecycle.worker import Lifecycle
from llmstack_tui.ollama.client import OllamaHost

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.contract.conftest import Server

TERSE, LONGER = "llmstack-contract:terse", "llmstack-contract:longer"


@pytest.fixture
def derived(server: Server) -> Iterator[None]:
    """One that differs from its base by words, and one by an option that a process is started with."""
    server.unload_all()
    for name, more in ((TERSE, {"system": "Be terse."}), (LONGER, {"parameters": {"num_ctx": 192}})):
        body = {"model": name, "from": server.model, "stream": False, **more}
        assert server.http.post("/api/create", json=body).json() == {"status": "success"}
    yield
    server.unload_all()
    for name in (TERSE, LONGER):
        server.http.request("DELETE", "/api/delete", json={"model": name})


@asynccontextmanager
async def client(server: Server) -> AsyncIterator[OllamaHost]:
    host = OllamaHost(str(server.http.base_url).rstrip("/"))
    try:
        yield host
    finally:
        await host.aclose()


async def active(host: OllamaHost) -> set[str]:
    """The names that a screen would show as active."""
    installed = await host.installed()
    snapshot = Snapshot(
        url=host.url, capabilities=host.capabilities, installed=installed, running=await host.running()
    )
    return {each.name for each in statuses(snapshot) if each.state is ModelState.ACTIVE}


@pytest.mark.usefixtures("derived")
async def test_a_name_is_active_after_its_activation_whoever_loaded_its_process(server: Server) -> None:
    async with client(server) as host:
        lifecycle = Lifecycle()
        await lifecycle.activate(host, server.model)
        assert await active(host) == {server.model, TERSE}
        await lifecycle.activate(host, TERSE)
        assert [each["name"] for each in server.ps()] == [server.model], "they share a process"
        assert await active(host) == {server.model, TERSE}
        await lifecycle.activate(host, LONGER)
        assert await active(host) == {LONGER}, "it was loaded again"
        await lifecycle.activate(host, TERSE)
        assert await active(host) == {server.model, TERSE}
        await lifecycle.deactivate(host, server.model)
        assert await active(host) == set()


@pytest.mark.usefixtures("derived")
async def test_a_process_answers_for_others_when_its_name_is_gone(server: Server) -> None:
    async with client(server) as host:
        lifecycle = Lifecycle()
        await lifecycle.activate(host, TERSE)
        assert await active(host) == {server.model, TERSE}
        await host.delete(TERSE)
        assert server.model in await active(host)
        installed = await host.installed()
        snapshot = Snapshot(
            url=host.url, capabilities=host.capabilities, installed=installed, running=await host.running()
        )
        names = {each.name for each in statuses(snapshot)}
        assert TERSE not in names, "it is the other one's, not one under no name"
        await lifecycle.deactivate(host, server.model)
        assert server.ps() == []


def test_a_stop_of_one_name_cuts_no_request_under_the_other(server: Server) -> None:
    other = "llmstack-contract:other"
    body = {"model": other, "from": server.endless_model, "system": "Go on.", "stream": False}
    assert server.http.post("/api/create", json=body).json() == {"status": "success"}
    try:
        for asked, stopped in ((server.endless_model, other), (other, server.endless_model)):
            ask = {"model": asked, "prompt": "Hi", "options": {"temperature": 0, "num_predict": 120}}
            with server.http.stream("POST", "/api/generate", json=ask) as running:
                received = running.iter_lines()
                next(received)
                stop = server.http.post("/api/generate", json={"model": stopped, "keep_alive": 0})
                assert stop.json()["done_reason"] == "unload"
                last = json.loads([*received][-1])
            assert (last["done"], last["eval_count"]) == (True, 120)
            server.wait_gone()
    finally:
        server.http.request("DELETE", "/api/delete", json={"model": other})
