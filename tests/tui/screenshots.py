"""``python -m tests.tui.screenshots``: draws the pictures in ``assets/`` from seeded states."""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING
from unittest.mock import AsyncMock, patch

from llmstack_tui.base.structs import replace
from llmstack_tui.keys.types import Expiry, KeyEntry, KeyOrigin, ListedKey, Vault
from llmstack_tui.providers.types import Ending, EndReason, Piece
from llmstack_tui.providers.usage import Usage
from llmstack_tui.tui.chat.actions import ChatController
from llmstack_tui.tui.shell import NoteKind
from llmstack_tui.tui.themes import DARK, LIGHT
from tests.tui.scenes import NOW, SCENES, on_stage

if TYPE_CHECKING:
    from tests.tui.driving import FakeDesk

ASSETS = Path(__file__).resolve().parents[2] / "assets"
SIZE = (120, 30)
ENDINGS = {"en": "", "es": "-es"}
"""What the name of a picture ends in, by its language."""
CODE = """
```python
def is_even(number: int) -> bool:
    return number % 2 == 0
```

"""
TALKS = {
    "en": (
        "How do I find out in Python whether a number is even?",
        f"A number is **even** if division by two leaves nothing:\n{CODE}"
        "`is_even(7)` is `False`; it works for negative numbers, too.",
    ),
    "es": (
        "¿Cómo averiguo en Python si un número es par?",
        f"Un número es **par** si al dividirlo entre dos no queda resto:\n{CODE}"
        "`is_even(7)` es `False`; también sirve para números negativos.",
    ),
}


def tell_a_morning(desk: FakeDesk) -> None:
    """Some activity, oldest first."""
    desk.app.record(NoteKind.DONE, "nomic-embed-text:latest was imported from a file.")
    desk.app.record(NoteKind.DONE, "smollm2:135m was loaded in 0.4\N{NO-BREAK SPACE}s.")
    desk.app.record(NoteKind.NOTE, "mistral:7b was unloaded.")
    desk.app.record(NoteKind.DONE, "qwen2.5-coder:7b was loaded in 3.1\N{NO-BREAK SPACE}s.")


async def answer(desk: FakeDesk, language: str) -> None:
    """Have a question asked and answered in the talk that is open."""
    conversation, chats = desk.app.controller(ChatController).conversation, desk.stack.chats
    talk = await conversation.ensure()
    assert talk is not None
    question, said = TALKS[language]
    asked = await chats.ask(talk.session.id, question, parent=None)
    turn = await chats.begin(talk.session.id, parent=asked.id, model=talk.session.model)
    usage = Usage(prompt_tokens=34, answer_tokens=71, answer_s=1.7, first_s=0.21, context_length=32_768)
    chats.append(turn.id, Piece(text=said, ending=Ending(reason=EndReason.STOP, usage=usage)))
    await chats.end(turn.id)
    await conversation.turn_to(turn.id)
    await desk.until_shown("is_even(7)")


async def show_keys(desk: FakeDesk) -> None:
    """A stored key, one that ends soon, and one from the environment."""
    stored = KeyEntry(owner="anthropic", vault=Vault.KEYRING, added_at=NOW, tail="9a1c", validated_at=NOW)
    ending = replace(stored, owner="groq", tail="4f56", expires_at=NOW + timedelta(days=9))
    keys = (
        ListedKey(owner="anthropic", origin=KeyOrigin.KEYRING, place="", entry=stored, tail="9a1c"),
        ListedKey(
            owner="groq",
            origin=KeyOrigin.KEYRING,
            place="",
            entry=ending,
            tail="4f56",
            expiry=Expiry.SOON,
        ),
        ListedKey(owner="openai", origin=KeyOrigin.ENVIRONMENT, place="OPENAI_API_KEY", tail="77e0"),
    )
    ring = SimpleNamespace(listed=AsyncMock(return_value=keys))
    with patch.object(desk.services, "keys", AsyncMock(return_value=ring)):
        await desk.press("0", "K")
        await desk.until_shown("anthropic")


async def draw() -> None:
    async with on_stage(SCENES["cards"], SIZE) as desk:
        tell_a_morning(desk)
        desk.app.clear_notifications()
        for theme in (DARK, LIGHT):
            desk.app.theme = theme.name
            await desk.pilot.pause()
            save(desk, f"models-{theme.name.removeprefix('llmstack-')}")
    for name in ("details", "new", "help", "downloads", "catalog", "disk"):
        async with on_stage(SCENES[name], SIZE) as desk:
            save(desk, name)
    for language, ending in ENDINGS.items():
        for name in ("system", "service", "log", "variables", "install", "settings"):
            async with on_stage(replace(SCENES[name], language=language), SIZE) as desk:
                save(desk, name + ending)
        async with on_stage(replace(SCENES["chat"], language=language), SIZE) as desk:
            await answer(desk, language)
            save(desk, f"chat{ending}")
            await desk.stack.chats.aclose()
        async with on_stage(replace(SCENES["typical"], language=language), SIZE) as desk:
            await show_keys(desk)
            save(desk, f"keys{ending}")


def save(desk: FakeDesk, name: str) -> None:
    """Write what is on the screen, without what only a page with several such pictures in it would need."""
    drawn = desk.app.export_screenshot(title="llmstack").replace("&#160;", "\N{NO-BREAK SPACE}")
    (ASSETS / f"{name}.svg").write_text(re.sub(r"\bterminal-\d+-", "", drawn), encoding="utf-8")


if __name__ == "__main__":
    # In a home of nobody: no picture shows whose machine it was drawn on.
    with tempfile.TemporaryDirectory() as home, patch.dict(os.environ, HOME=home):
        asyncio.run(draw())
