"""The screen of the server settings: gathered changes are shown, and written after a yes."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base import commands
from llmstack_tui.base.commands import CommandFailed, RootCommand
from llmstack_tui.base.sentences import Sentence, quoted
from llmstack_tui.base.structs import replace
from llmstack_tui.config.settings import Settings
from llmstack_tui.tui.app import Dashboard
from tests.support import seeded
from tests.support.server_variables import overview
from tests.support.waiting import wait_until
from tests.tui.driving import dashboard
from tests.tui.fakes import FakeServices, FakeStack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.tui.driving import FakeDesk


async def _to(desk: FakeDesk, name: str) -> None:
    await desk.press("0", "o")
    await _to_row(desk, name)


async def _to_row(desk: FakeDesk, name: str) -> None:
    await desk.until_shown("OLLAMA_HOST")
    names = [each.name for each in desk.services.variables.found.rows]
    await desk.press("home", *["down"] * names.index(name))


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_change_is_checked_shown_and_written(size: tuple[int, int]) -> None:
    async with dashboard(size=size) as desk:
        await _to(desk, "OLLAMA_KEEP_ALIVE")
        await desk.until_shown("In force: 5m (the service's file")
        await desk.press("enter")
        await desk.until_shown("How long a model stays in memory")
        await desk.type("soon")
        await desk.until_shown("must be a length of time")
        await desk.press("enter")
        assert desk.services.variables.changes == []
        desk.field("name").value = "10m"
        await desk.press("enter")
        await desk.until_shown("1 change to be written", "» 10m")
        await desk.press("w")
        await desk.until_shown('+Environment="OLLAMA_KEEP_ALIVE=10m"', "sudo asks for your password")
        await desk.press("right", "enter")
        await desk.until_shown("Ollama runs with it.")
        ((change, restart),) = desk.services.variables.changes
        assert (change.values, restart) == ({"OLLAMA_KEEP_ALIVE": "10m"}, True)


async def test_suggestions_are_taken_and_left_again() -> None:
    async with dashboard() as desk:
        await _to(desk, "OLLAMA_FLASH_ATTENTION")
        await desk.until_shown("suits: 8192", "Suits this machine: 1.")
        await desk.press("S")
        await desk.until_shown("5 changes to be written")
        await desk.press("r", "escape", "o")
        await _to_row(desk, "OLLAMA_FLASH_ATTENTION")
        await desk.press("s")
        await desk.until_shown("1 change to be written")
        await desk.press("x")
        assert "to be written" not in desk.text
        await desk.press("w")
        assert "Nothing is changed yet" in desk.told
        await desk.press("x")
        assert "llmstack does not set OLLAMA_FLASH_ATTENTION" in desk.told


async def test_the_palette_opens_it() -> None:
    async with dashboard() as desk:
        await desk.press("ctrl+p")
        await desk.type("server set")
        await desk.until_shown("Server settings")
        await desk.press("enter")
        await desk.until_shown("OLLAMA_CONTEXT_LENGTH")


async def test_a_finding_leads_to_its_variable() -> None:
    async with dashboard() as desk:
        await desk.app.open("variables", "OLLAMA_CONTEXT_LENGTH")
        await desk.until_shown("The tokens of context with which models are loaded")


async def test_a_roll_back_is_said() -> None:
    made = FakeServices(FakeStack(seeded.typical()))
    made.variables.rolled_back = (quoted("It did not come up."), Sentence("variables.back"))
    async with dashboard(services=made) as desk:
        await _to(desk, "OLLAMA_FLASH_ATTENTION")
        await desk.press("s", "w")
        await desk.until_shown("Change the server settings?")
        await desk.press("right", "enter")
        await desk.until_shown("It did not come up. Everything is as it was before")


async def test_what_cannot_be_changed_says_why() -> None:
    why = Sentence("variables.of_another", {"pid": 7})
    made = FakeServices(FakeStack(seeded.typical()))
    made.variables.found = replace(overview(), target=None, why_not=why)
    async with dashboard(services=made) as desk:
        await _to(desk, "OLLAMA_KEEP_ALIVE")
        await desk.until_shown("was started by another program")
        await desk.press("enter")
        await wait_until(lambda: "Ollama (process 7)" in desk.told)
    async with dashboard(settings=Settings(read_only=True)) as desk:
        await _to(desk, "OLLAMA_KEEP_ALIVE")
        await desk.press("s")
        assert "llmstack is read-only" in desk.told


async def test_a_command_of_root_that_fails_leaves_the_dashboard_as_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Textual leaves the terminal to the command for good, if an exception ends its block."""

    def fails(_: RootCommand) -> None:
        raise CommandFailed("command.missing", program="sudo")

    suspended = []

    @contextmanager
    def suspend(_: Dashboard) -> Iterator[None]:
        suspended.append(True)
        yield
        suspended.pop()

    monkeypatch.setattr(commands, "run_on_terminal", fails)
    monkeypatch.setattr(Dashboard, "suspend", suspend)
    async with dashboard() as desk:
        with pytest.raises(CommandFailed):
            await desk.app.run_as_root(RootCommand(("true",)))
        assert suspended == []
