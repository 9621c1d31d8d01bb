"""The settings for editors and agents of the model under the cursor: shown, copied, written and tested."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.kinds import HostKind
from llmstack_tui.base.secret import Secret
from llmstack_tui.base.structs import replace
from llmstack_tui.config.settings import Settings
from llmstack_tui.editors.service import EditorService
from llmstack_tui.editors.types import MASK, Client
from llmstack_tui.hosts.types import ServerVersion
from tests.support import seeded
from tests.support.fake_ollama import usual_ollama
from tests.support.scripted_server import Then
from tests.support.waiting import wait_until
from tests.tui.driving import dashboard, real_dashboard

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.tui.driving import FakeDesk

KEY = "a-key-of-the-tests-1234"
_CLIENTS = [*Client]


@pytest.fixture
async def keyed() -> AsyncIterator[FakeDesk]:
    """The screen, for a server that asks for a key."""
    async with dashboard(seeded.typical()) as desk:
        desk.stack.editors = EditorService({seeded.URL: Secret(KEY)})
        await desk.press("e")
        await desk.until_shown("Claude Code", "~/.continue/config.yaml")
        yield desk


async def _to(desk: FakeDesk, client: Client) -> None:
    await desk.press("home", *["down"] * _CLIENTS.index(client))


async def test_the_key_is_hidden_and_whole_in_what_is_copied(keyed: FakeDesk) -> None:
    for client in Client:
        assert KEY not in keyed.text
        await keyed.press("y")
        if client not in (Client.ZED, Client.CODEX):
            assert MASK in keyed.text
            assert KEY in keyed.app.clipboard
            assert MASK not in keyed.app.clipboard
        await keyed.press("Y")
        if client in (Client.ZED, Client.CODEX):
            assert keyed.app.clipboard == f"export LLMSTACK_API_KEY='{KEY}'"
        await keyed.press("down")
    assert KEY not in keyed.told
    await _to(keyed, Client.CLAUDE)
    assert KEY not in keyed.app.export_screenshot()
    await keyed.press("y")
    assert json.loads(keyed.app.clipboard)["env"]["ANTHROPIC_AUTH_TOKEN"] == KEY


async def test_settings_are_written_after_a_yes(keyed: FakeDesk, empty_home: Path) -> None:
    file = empty_home / ".claude" / "settings.json"
    await _to(keyed, Client.CLAUDE)
    await keyed.press("w")
    await keyed.until_shown("Write the settings for Claude Code?", "They go into ~/.claude/settings.json.")
    await keyed.press("escape")
    assert not file.parent.exists()
    await keyed.press("w")
    await keyed.until_shown("The file is made, for you alone.")
    await keyed.press("right", "enter")
    await keyed.until_shown("Written: ~/.claude/settings.json.")
    assert json.loads(file.read_text())["env"]["ANTHROPIC_AUTH_TOKEN"] == KEY
    await keyed.press("w")
    await keyed.until_shown("has these settings already.")
    file.write_text('{\n  // mine\n  "env": {"ANTHROPIC_MODEL": "other"}\n}')
    await keyed.press("w")
    await keyed.until_shown("Another value replaces that of env.ANTHROPIC_MODEL.", "a copy of it")
    await keyed.press("right", "enter")
    await keyed.until_shown("What it was before is in", "settings.json.before-")
    assert "// mine" in file.read_text()
    assert KEY not in keyed.text + keyed.told


async def test_what_cannot_be_written_is_a_sentence(keyed: FakeDesk, empty_home: Path) -> None:
    await _to(keyed, Client.CLINE)
    await keyed.press("w")
    await keyed.until_shown("Cline has no file that llmstack could write")
    (empty_home / ".claude").mkdir()
    (empty_home / ".claude" / "settings.json").write_text('{"env": }')
    await _to(keyed, Client.CLAUDE)
    await keyed.press("w")
    await keyed.until_shown("Line 1 of ~/.claude/settings.json is not JSON")


async def test_a_client_that_cannot_use_the_model_says_why() -> None:
    state = seeded.typical()
    host = state.hosts[0]
    old = ServerVersion(kind=HostKind.OLLAMA, version="0.13.5")
    state = replace(state, hosts=(replace(host, snapshot=replace(host.snapshot, server=old)),))
    async with dashboard(state) as desk:
        await desk.press("e")
        await _to(desk, Client.CLAUDE)
        await desk.until_shown("Claude Code needs /v1/messages. Ollama has that from 0.14")
        await desk.press("t")
        assert "update Ollama" in desk.told
        await _to(desk, Client.CODEX)
        await desk.until_shown("codex --profile llmstack")


async def test_read_only_writes_nothing(empty_home: Path) -> None:
    async with dashboard(seeded.typical(), settings=Settings(read_only=True)) as desk:
        await desk.press("e", "w")
        assert "llmstack is read-only" in desk.told
    assert not (empty_home / ".continue").exists()


async def test_a_test_from_here_says_what_came_back() -> None:
    async with real_dashboard(usual_ollama("mistral:7b", "phi4:14b", loaded=("mistral:7b",))) as desk:
        await desk.put_cursor("mistral:7b")
        await desk.press("e")
        await desk.until_shown("Continue", "apiBase")
        await desk.press("t")
        await desk.until_shown("The first token came after", "ended as it should", "did not call it")
        assert [path for path, _ in desk.ollama.asked].count("/api/chat") == 1


async def test_a_server_whose_list_does_not_tell_what_a_model_can_do_is_asked() -> None:
    ollama = usual_ollama("mistral:7b", loaded=("mistral:7b",))
    ollama.shown = {"capabilities": ["completion"]}
    async with real_dashboard(ollama) as desk:
        await desk.press("e")
        await desk.until_shown("mistral:7b has no tools: Continue can talk with it")
        await desk.press("t")
        await desk.until_shown("has no tools, so none was sent")
        (sent,) = (body for path, body in ollama.asked if path == "/api/chat")
        assert "tools" not in sent


async def test_a_test_can_be_stopped() -> None:
    ollama = usual_ollama("mistral:7b", loaded=("mistral:7b",))
    ollama.then = Then.HANG
    async with real_dashboard(ollama) as desk:
        await desk.press("e")
        await desk.until_shown("Continue", "apiBase")
        await desk.press("t")
        await desk.until_shown("The answer comes", "t gives up")
        await desk.press("t")
        await desk.until_shown("You gave the test up")
        await wait_until(lambda: not any(each.requests for each in ollama.runners), what="it is cut")


async def test_a_model_that_is_not_in_memory_is_not_tested() -> None:
    async with real_dashboard(usual_ollama("mistral:7b")) as desk:
        await desk.press("e")
        await desk.until_shown("Continue", "apiBase")
        await desk.press("t")
        assert "mistral:7b is not in memory: load it first, with a" in desk.told
        assert "/api/chat" not in [path for path, _ in desk.ollama.asked]


async def test_without_a_model_there_is_nothing_to_show() -> None:
    async with real_dashboard(usual_ollama()) as desk:
        await desk.press("e")
        assert "There is no model under the cursor." in desk.told


async def test_from_the_details_and_back(keyed: FakeDesk) -> None:
    await keyed.press("escape", "enter", "e")
    await keyed.until_shown("for editors and agents")
    await keyed.press("e", "escape")
    await keyed.until_shown("Models")
