"""Names and texts that would control the terminal: every key and every command, over the real core."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.tui.models import KEYS
from tests.support.fake_ollama import FakeOllama
from tests.support.hostile import NAMES, TEXT, harm, make_hostile
from tests.support.program import Program
from tests.support.scripted_server import serving
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.terminal import Terminal

if sys.platform == "win32":
    pytest.skip("needs pseudo-terminals", allow_module_level=True)

NO_CHECKS = {"LLMSTACK_UPDATES_CHECK_EVERY": "off"}
NAMED = {"slash": "/", "space": " ", "question_mark": "?"}
OTHER_SCREENS = ("2", "3", "D", "0", "?", "ctrl+p")


def hostile_ollama() -> FakeOllama:
    return make_hostile(FakeOllama({name: f"{number:064x}" for number, name in enumerate(NAMES)}))


def settle(screen: Terminal) -> None:
    """Until the program has drawn what a key did, and writes nothing for a moment."""
    before = -1
    while screen.received != before:
        before = screen.received
        screen.pump(0.1)


def type_every_key(screen: Terminal, fake: FakeOllama) -> None:
    keys = [NAMED.get(key, key) for each in KEYS for key in each.key.split(",")[:1]]
    for number in range(len(NAMES)):
        # Each key once, each name under some; those that show a name in a field or a question under several.
        asking = ["enter", "n", "C", "N", "x", "P"] if number in (0, 6) else []
        for key in [*keys[number :: len(NAMES)], *asking, *OTHER_SCREENS[number:][:1]]:
            screen.press(key)
            settle(screen)
            screen.press("escape")
            if key in OTHER_SCREENS:
                screen.press("1")
        settle(screen)
        assert not harm(screen.written)
        screen.press("j")
    fake.load_error = TEXT
    screen.press("g", "a", "j", "a", "v")
    settle(screen)
    screen.press("enter")
    settle(screen)


@pytest.mark.slow
async def test_every_key_over_hostile_names_tells_the_terminal_nothing(tmp_path: Path) -> None:
    fake = hostile_ollama()
    async with serving(fake) as server:
        with Program(tmp_path, NO_CHECKS).in_terminal("--host", server.url, columns=150) as screen:
            await asyncio.to_thread(screen.wait_for, "clip")
            await asyncio.to_thread(type_every_key, screen, fake)
            assert not harm(screen.written)
            assert "\ufffd" in screen.written
            screen.press("escape", "escape", "1", "q")
            await asyncio.to_thread(screen.wait_exit)
        assert not harm(screen.written)
    assert "/api/show" in {path for path, _ in fake.asked}


async def test_a_hostile_name_is_removed_by_key(tmp_path: Path) -> None:
    fake = hostile_ollama()
    async with serving(fake) as server:
        with Program(tmp_path, NO_CHECKS).in_terminal("--host", server.url, columns=150) as screen:
            await asyncio.to_thread(screen.wait_for, "clip")
            for name in NAMES:
                screen.press("g", "x")
                await asyncio.to_thread(screen.wait_for, "Keep it")
                screen.press("right", "enter")
                await wait_until(lambda: name not in fake.installed)  # noqa: B023
                if left := len(fake.installed):
                    await asyncio.to_thread(screen.wait_for, f"Models  {left},")
        assert not harm(screen.written)
    removed = [body["model"] for path, body in fake.asked if path == "/api/delete"]
    assert removed == list(NAMES)


COMMANDS: tuple[tuple[str, ...], ...] = (
    ("show", "NAME"), ("start", "NAME"), ("stop", "NAME"), ("chat", "NAME", "Hi"), ("fit", "NAME"),
    ("pin", "NAME"), ("unpin", "NAME"), ("history", "NAME"), ("guard", "explain", "NAME"), ("rm", "NAME"),
    ("pull", "NAME"), ("update", "NAME"), ("import", "NAME"), ("config", "NAME"), ("catalog", "NAME"),
)  # fmt: skip
LISTS = ("ls", "ps", "status", "fit", "guard", "history", "disk", "catalog", "update --check")


def run_all(program: Program, url: str, name: str) -> str:
    """Everything that the commands write about a model on a terminal."""
    written = ""
    for command in COMMANDS:
        arguments = [name if each == "NAME" else each for each in command]
        with program.in_terminal(*arguments, "--host", url, columns=150) as screen:
            if command[0] == "rm":
                screen.wait_for("[y/N]")
                screen.type("n\n")
            screen.wait_exit()
        written += screen.written
    return written


# Each name costs a process for each command.
@pytest.mark.parametrize("name", [NAMES[0], NAMES[6]], ids=["clipboard", "lines"])
async def test_every_command_over_a_hostile_name_tells_the_terminal_nothing(
    name: str, tmp_path: Path
) -> None:
    fake = hostile_ollama()
    async with serving(fake) as server:
        program = Program(tmp_path, NO_CHECKS)
        written = await asyncio.to_thread(run_all, program, server.url, name)
        assert not harm(written)
        assert name in {body.get("model") for _, body in fake.asked}
        assert name in fake.installed
        done = await asyncio.to_thread(program, "rm", name, "--yes", "--host", server.url)
    assert name not in fake.installed
    assert not harm(done.stdout + done.stderr)


async def test_every_list_over_hostile_names_tells_the_terminal_nothing_and_json_alters_nothing(
    tmp_path: Path,
) -> None:
    fake = hostile_ollama()
    fake.load(NAMES[0])
    async with serving(fake) as server:
        program = Program(tmp_path, NO_CHECKS)
        for command in LISTS:
            arguments = (*command.split(), "--host", server.url)
            with program.in_terminal(*arguments, columns=150) as screen:
                await asyncio.to_thread(screen.wait_exit)
            assert not harm(screen.written), command
            done = await asyncio.to_thread(program, *arguments, "--json")
            assert not harm(done.stdout + done.stderr), command
            if command == "ls":
                assert [each["name"] for each in json.loads(done.stdout)["models"]] == list(NAMES)
        done = await asyncio.to_thread(program, "show", NAMES[0], "--json", "--host", server.url)
    assert not harm(done.stdout)
    assert json.loads(done.stdout)["template"] == f"{TEXT}\nx {TEXT}\n"
