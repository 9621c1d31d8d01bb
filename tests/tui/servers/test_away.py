"""What keys that ask something say while the server is away: that first, and nothing is asked."""

from __future__ import annotations

import pytest

from llmstack_tui.tui.dialogs import AskScreen
from llmstack_tui.tui.models.screen import ModelsScreen
from tests.support.fake_ollama import usual_ollama
from tests.support.waiting import wait_until
from tests.tui.driving import real_dashboard


@pytest.mark.parametrize("key", ["a", "d", "R", "x", "P", "n", "C", "N", "p", "S", "u"])
async def test_a_server_that_is_away_is_said_before_anything_is_asked(key: str) -> None:
    ollama = usual_ollama("mistral:7b", "phi4:14b", loaded=("phi4:14b",))
    async with real_dashboard(ollama) as desk:
        await wait_until(lambda: desk.state("phi4:14b") == "active")
        ollama.down = True
        await wait_until(lambda: desk.stack.state.hosts[0].snapshot.error is not None)
        await desk.pilot.pause()
        await wait_until(lambda: desk.app.view.state is desk.stack.state)
        asked = len(ollama.asked)
        await desk.put_cursor("phi4:14b" if key in "dR" else "mistral:7b")
        await desk.press(key)
        await wait_until(lambda: bool(desk.toasts))
        assert [toast.message.partition(" closed the ")[0] for toast in desk.toasts] == [desk.url]
        assert isinstance(desk.app.screen, ModelsScreen)
        assert not isinstance(desk.app.screen, AskScreen)
        assert not any(path == "/api/generate" for path, _ in ollama.asked[asked:])
