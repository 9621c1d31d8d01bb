"""Copies of a model to another server, over the real core and two that behave as Ollama."""

from __future__ import annotations

import hashlib
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from llmstack_tui.config.hosts import HostSettings
from tests.support import folders
from tests.support.fake_ollama import FakeOllama, usual_ollama
from tests.support.scripted_server import serving
from tests.support.waiting import wait_until
from tests.tui.driving import real_dashboard

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from llmstack_tui.config.hosts import Allow
    from tests.tui.driving import RealDesk

NAME = "tiny:latest"


@asynccontextmanager
async def two_servers(
    models: Path, box: FakeOllama, allow: Allow = "act"
) -> AsyncIterator[tuple[RealDesk, str]]:
    """A dashboard over a server whose model is in the folder ``models``, and over ``box``; and its URL."""
    manifest = folders.manifest(models, b"GGUF weights")
    folders.write(models, "registry.ollama.ai/library/tiny/latest", manifest)
    digest = hashlib.sha256(json.dumps(manifest).encode()).hexdigest()
    box.weights = dict.fromkeys((NAME, "mine:v1"), f"sha256-{hashlib.sha256(b'GGUF weights').hexdigest()}")
    async with serving(box) as server:
        other = HostSettings(url=server.url, name="box", allow=allow)
        environ = {"OLLAMA_MODELS": str(models)}
        here = FakeOllama({NAME: digest})
        async with real_dashboard(here, environ=environ, others=[other]) as desk:
            await wait_until(lambda: all(each.snapshot.reachable for each in desk.stack.state.hosts))
            await desk.put_cursor(NAME)
            yield desk, server.url


async def test_a_model_is_copied_and_the_cursor_goes_to_it(tmp_path: Path) -> None:
    box = usual_ollama("phi4:14b")
    async with two_servers(tmp_path, box) as (desk, url):
        await desk.press("T")
        await desk.until_shown(f"Copy {NAME} to another server", "Server: box")
        await desk.press("enter")
        await wait_until(lambda: desk.app.models.selected == (url, NAME), what="the cursor on the copy")
        await desk.until_shown(f"{NAME} is at box now.")
        assert NAME in box.installed
        created = next(body for path, body in box.asked if path == "/api/create")
        assert created["files"] == {"0.gguf": f"sha256:{box.weights[NAME][7:]}"}


async def test_a_name_that_is_taken_there_is_replaced_only_by_a_second_enter(tmp_path: Path) -> None:
    box = usual_ollama(NAME)
    async with two_servers(tmp_path, box) as (desk, url):
        await desk.press("T")
        await desk.until_shown("Server: box")
        await desk.press("enter")
        await desk.until_shown("Enter again replaces it")
        assert not [path for path, _ in box.asked if path == "/api/create"]
        await desk.press("tab", *["backspace"] * len(NAME))
        await desk.type("no good")
        await desk.press("enter")
        await desk.until_shown("cannot be the name of a model")
        await desk.press(*["backspace"] * len("no good"))
        await desk.type("mine:v1")
        await desk.press("enter")
        await wait_until(lambda: desk.app.models.selected == (url, "mine:v1"))
        assert sorted(box.installed) == ["mine:v1", NAME]


async def test_a_server_is_one_of_those_that_are_named(tmp_path: Path) -> None:
    async with two_servers(tmp_path, usual_ollama("phi4:14b")) as (desk, _):
        await desk.press("T")
        await desk.until_shown("Server: box")
        await desk.press("x", "enter")
        await desk.until_shown("none of these servers")
        await desk.press("escape")
        await wait_until(lambda: "Server: box" not in desk.text)


async def test_what_is_not_on_this_machine_can_be_pulled_there(tmp_path: Path) -> None:
    box = usual_ollama("phi4:14b")
    async with two_servers(tmp_path, box) as (desk, url):
        for blob in (tmp_path / "manifests").rglob("latest"):
            blob.unlink()
        await desk.press("T")
        await desk.until_shown("Server: box")
        await desk.press("enter")
        await desk.until_shown("are not on this machine", "Pull it there")
        await desk.press("right", "enter")
        await wait_until(
            lambda: ("/api/pull", NAME) in [(path, body.get("model")) for path, body in box.asked]
        )
        # The state hears of the pull a moment after the server.
        await wait_until(lambda: {each.host for each in desk.stack.state.downloads} == {url})


async def test_without_another_server_that_takes_models_it_says_so(tmp_path: Path) -> None:
    async with two_servers(tmp_path, usual_ollama("phi4:14b"), "look") as (desk, _):
        await desk.press("T")
        await desk.until_shown("No other server here can take a model.")
