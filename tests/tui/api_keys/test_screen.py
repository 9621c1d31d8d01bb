"""The screen of the API keys: what is typed is seen nowhere, and kept once its owner accepts it."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.secret import Secret
from llmstack_tui.config.settings import Settings
from llmstack_tui.core.key_ring import key_ring
from llmstack_tui.keys import vaults
from tests.support.scripted_server import document, serving
from tests.support.secrets import assert_nowhere
from tests.tui.driving import dashboard, real_dashboard

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.scripted_server import Reply, Request
    from tests.tui.driving import Desk

FIRST, SECOND, BAD = "sk-first-7d3f0a9b1c2e4f56", "sk-second-91ab73cd55ef0204", "sk-bad-0f0f0f0f0f0f0f0f"
PASSPHRASE = Secret("nobody says this sentence")


@pytest.fixture(autouse=True)
def no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    """That of who runs the tests is neither read nor written."""
    monkeypatch.setattr(vaults, "is_trusted", lambda _: False)


async def handle(request: Request) -> Reply:
    key = request.headers["authorization"].removeprefix("Bearer ")
    return document({"data": []}) if key in (FIRST, SECOND) else document({"error": key}, 401)


async def _typed(desk: Desk, text: str) -> None:
    desk.field("name").value = ""
    await desk.type(text)
    await desk.press("enter")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_key_is_added_validated_replaced_and_removed(
    size: tuple[int, int], empty_home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    pictures: list[str] = []
    async with (
        serving(handle) as openai,
        real_dashboard(size=size, environ={"OPENAI_BASE_URL": openai.url}) as desk,
    ):

        async def until_shown(*texts: str) -> None:
            await desk.until_shown(*texts)
            pictures.append(desk.app.export_screenshot() + desk.text)

        await desk.press("0", "K")
        await until_shown("There is no key yet.", "a adds a key.")
        await desk.press("a")
        await desk.type("two words")
        await desk.press("enter")
        await until_shown("neither the name of a provider")
        desk.field("owner").value = FIRST
        await desk.press("enter")
        await until_shown("This looks like a key")
        desk.field("owner").value = "OpenAI"
        desk.field("name").focus()
        await _typed(desk, "no key")
        await until_shown("This is no key")
        await _typed(desk, BAD)
        await until_shown("openai refuses this key: nothing was stored.")
        await _typed(desk, FIRST)
        await until_shown("openai accepts the key, and refuses a wrong one.", "••••4f56", "encrypted file")
        await desk.press("v")
        await until_shown("openai accepts the key")
        await desk.press("r")
        await until_shown("A new API key for openai")
        await _typed(desk, BAD)
        await until_shown("the old one stays")
        await _typed(desk, SECOND)
        await until_shown("••••0204")
        await desk.press("x")
        await until_shown("cannot be shown or taken back")
        await desk.press("right", "enter")
        await until_shown("The key for openai is removed.", "There is no key yet.")
        pictures.extend(f"{desk.told}\n{event}" for event in desk.events)
    for secret in (FIRST, SECOND, BAD):
        assert_nowhere(secret, empty_home, [*pictures, caplog.text])


async def test_the_passphrase_is_asked_for_where_it_is_needed(empty_home: Path) -> None:
    ring = key_ring(Settings(), {})
    await ring.add("nobody", Secret(FIRST))
    await ring.shelf.change_passphrase(PASSPHRASE)
    async with real_dashboard() as desk:
        await desk.press("0", "K")
        await desk.until_shown("nobody", "••••4f56")
        await desk.press("v")
        await desk.until_shown("Enter opens them")
        await _typed(desk, "another sentence")
        await desk.until_shown("is another one, or the file is damaged")
        await _typed(desk, PASSPHRASE.text)
        await desk.until_shown("was not validated: llmstack does not know how to ask it.")


async def test_what_comes_from_elsewhere_is_shown_and_left_alone() -> None:
    async with real_dashboard(environ={"OPENAI_API_KEY": FIRST}) as desk:
        await desk.press("0", "K")
        await desk.until_shown("openai", "••••4f56", "environment: OPENAI_API_KEY")
        await desk.press("x")
        await desk.until_shown("This key is not stored by llmstack")


async def test_nothing_is_changed_when_only_looked_at() -> None:
    async with dashboard(settings=Settings(read_only=True)) as desk:
        await desk.press("0", "K", "a")
        assert "Nothing can be changed: llmstack is read-only." in desk.told


async def test_a_form_waits_for_its_answer_and_can_be_left() -> None:
    answers = asyncio.Event()

    async def late(_: Request) -> Reply:
        await answers.wait()
        return document({}, 401)

    async with serving(late) as openai, real_dashboard(environ={"OPENAI_BASE_URL": openai.url}) as desk:
        await desk.press("0", "K", "a")
        await desk.type("openai")
        await desk.press("tab")
        await _typed(desk, FIRST)
        await desk.until_shown("Starting")
        await desk.press("escape")
        await desk.until_shown("Cancelled; nothing was changed.")
        await desk.press("escape")
        await desk.until_shown("There is no key yet.")
        answers.set()
