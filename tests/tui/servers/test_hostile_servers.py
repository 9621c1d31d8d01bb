"""Servers that answer wrongly, late or never: the screen says so in a sentence, and all else goes on."""

from __future__ import annotations

import asyncio
import unicodedata
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.config.hosts import HostSettings
from llmstack_tui.config.settings import Settings
from llmstack_tui.lifecycle.states import ModelState
from tests.support.fake_ollama import FakeOllama, fake_ollama
from tests.support.scripted_server import Reply, Then, always, document, serving
from tests.support.seeded import HOSTILE_NAMES
from tests.support.waiting import wait_until
from tests.tui.hostile import over, until_said, words

if TYPE_CHECKING:
    from tests.support.scripted_server import Request, ScriptedServer
    from tests.tui.driving import Desk

NEVER = Reply(gate=lambda: asyncio.Event().wait())
WRONG = {
    "html": Reply((b"<!doctype html><html><body>It works!</body></html>",), content_type="text/html"),
    "hangs": NEVER,
    "cut in mid-JSON": Reply((b'{"models": [{"name": "mist',), then=Then.CUT),
    "hangs in mid-JSON": Reply((b'{"version": "0.3',), then=Then.HANG),
    "reset": Reply(then=Then.RESET),
    "closed": Reply(raw=b""),
    "no HTTP": Reply(raw=b"220 smtp.example.com ESMTP\r\n\r\n"),
    "a list": document([[[]]]),
    "an error": document({"error": "boom [bold]\x1b[31m"}, 500),
}

SAID = {
    "html": "it is a web page. Is it an Ollama server?",
    "hangs": "seconds. It may be busy",
    "cut in mid-JSON": "it broke off in the middle. Is it an Ollama server?",
    "hangs in mid-JSON": "seconds. It may be busy",
    "reset": "Is it an Ollama server?",
    "closed": "closed the connection. Start the server",
    "no HTTP": "it is not HTTP. Is it an Ollama server?",
    "a list": "it is not the JSON that was expected. Is it an Ollama server?",
    "an error": "failed: boom",
}
# What is asked of the server, and the keys that have it asked.
ACTS = {
    "activate": ("/api/generate", "a"),
    "deactivate": ("/api/generate", "d"),
    "details": ("/api/show",),
    "remove": ("/api/delete", "x", "right", "enter"),
}

LONG = (
    "\u0646\u0645\u0648\u0630\u062c-" * 50,
    "\U0001f999\U0001f525" * 150,
    "a\x1b]0;owned\x07\x9b31mb" * 30,
    "[bold]" * 50,
    "[/]" * 100,
    "[@click=app.quit]x[/]" + "y" * 280,
)


def kept_clean(desk: Desk) -> None:
    """Nothing on the screen moves a cursor or turns the direction of the text."""
    wrong = {
        letter for letter in desk.text if letter != "\n" and unicodedata.category(letter) in ("Cc", "Cf")
    }
    assert wrong <= {"\u200d"}, wrong


def hanging(kind: str, server: ScriptedServer) -> tuple[ScriptedServer, ...]:
    return (server,) if kind.startswith("hangs") else ()


async def answers_keys(desk: Desk) -> None:
    """Help comes and goes: the screen draws, and keys are heard."""
    await desk.press("?")
    await desk.until_shown("First steps")
    await desk.press("escape")
    await wait_until(lambda: desk.app.screen is desk.app.models)


@pytest.mark.parametrize("kind", WRONG)
async def test_a_wrong_server_is_told_of_and_harms_no_other_and_may_come_back(kind: str) -> None:
    healed = FakeOllama({"healed:1b": "b" * 64})
    async with (
        fake_ollama(well_1b="a") as (well, good),
        serving(always(WRONG[kind])) as bad,
    ):
        boxes = {good.url: "Good box", bad.url: "Bad box"}
        names = Settings(hosts=tuple(HostSettings(url=url, name=name) for url, name in boxes.items()))
        async with over(good, bad, settings=names, hanging=hanging(kind, bad)) as desk:
            await until_said(desk, "well:1b", "Bad box:", SAID[kind], "Next try in")
            assert words(desk).count("Next try in") == 1
            await desk.press("home", "j", "a")
            await wait_until(lambda: well.loaded == ["well:1b"])
            await wait_until(lambda: desk.state("well:1b") is ModelState.ACTIVE)
            await answers_keys(desk)
            bad.handle = healed
            await desk.press("r")
            await desk.until_shown("healed:1b")
            await wait_until(lambda: not desk.app.trouble())
            bad.handle = always(WRONG[kind])
            await desk.press("r")
            await until_said(desk, "Bad box", "Next try in", "The figures are", "healed:1b", "well:1b")
            kept_clean(desk)


@pytest.mark.parametrize("kind", ["html", "hangs", "reset"])
async def test_a_wrong_server_alone_leaves_a_screen_that_can_be_used(kind: str) -> None:
    async with (
        serving(always(WRONG[kind])) as bad,
        over(bad, size=(80, 24), hanging=hanging(kind, bad)) as desk,
    ):
        await until_said(desk, "No answer yet.", SAID[kind], "Next try in")
        await desk.press("a", "d", "x", "enter", "y", "o", "space", "slash", "escape", "r", "j")
        await answers_keys(desk)
        kept_clean(desk)


@pytest.mark.parametrize("path", ["/api/version", "/api/tags", "/api/ps"])
async def test_a_server_that_never_answers_one_question_is_told_of(path: str) -> None:
    fake = FakeOllama({"a:1b": "a" * 64})

    async def deaf(request: Request) -> Reply:
        return NEVER if request.path == path else await fake(request)

    async with serving(deaf) as server, over(server, size=(80, 24), hanging=[server]) as desk:
        await until_said(desk, "No answer yet.", SAID["hangs"], "restart it.", "Next try in")
        await answers_keys(desk)


async def test_an_answer_that_comes_too_late_is_no_answer_and_the_next_one_in_time_is() -> None:
    fake, late = FakeOllama({"late:1b": "a" * 64}), asyncio.Event()

    async def slow(request: Request) -> Reply:
        await late.wait()
        return await fake(request)

    async with serving(slow) as server, over(server, hanging=[server]) as desk:
        await until_said(desk, "No answer yet.", "Next try in")
        late.set()
        await desk.press("r")
        await desk.until_shown("late:1b")
        await wait_until(lambda: not desk.app.trouble())


@pytest.mark.parametrize("act", ["activate", "deactivate", "details", "remove"])
async def test_an_act_that_is_never_answered_is_no_obstacle_to_leaving(act: str) -> None:
    fake, asked = FakeOllama({"a:1b": "a" * 64}), asyncio.Event()
    call, *keys = ACTS[act]
    if act == "deactivate":
        fake.load("a:1b")

    async def deaf(request: Request) -> Reply:
        if request.path != call:
            return await fake(request)
        asked.set()
        return NEVER

    async with serving(deaf) as server, over(server) as desk:
        await desk.until_shown("a:1b")
        await desk.press(*keys)
        await asyncio.wait_for(asked.wait(), 10)
        await answers_keys(desk)
        await desk.until_shown("a:1b")
    assert "a:1b" in fake.installed


@pytest.mark.parametrize(
    ("act", "kind"),
    [
        *((act, "html") for act in ("activate", "deactivate", "remove")),
        ("activate", "cut in mid-JSON"),
        ("deactivate", "an error"),
        ("deactivate", "hangs"),
        ("remove", "hangs"),
        ("remove", "reset"),
    ],
)
async def test_an_act_that_is_answered_wrongly_ends_with_a_sentence(act: str, kind: str) -> None:
    fake = FakeOllama({"a:1b": "a" * 64})
    call, *keys = ACTS[act]
    if act == "deactivate":
        fake.load("a:1b")

    async def wrong(request: Request) -> Reply:
        return WRONG[kind] if request.path == call else await fake(request)

    async with serving(wrong) as server, over(server, hanging=hanging(kind, server)) as desk:
        await desk.until_shown("a:1b")
        before = desk.state("a:1b")
        await desk.press(*keys)
        # That a stop begins is a toast, too.
        await wait_until(lambda: [each for each in desk.toasts if " undoes it." not in each.message])
        toast = desk.toasts[-1]
        assert toast.severity == "error"
        assert toast.title
        assert SAID[kind] in toast.message
        await wait_until(lambda: desk.state("a:1b") is before)
        await desk.until_said("a:1b was not")
        assert not any("was removed" in event for event in desk.events)
        await answers_keys(desk)
        kept_clean(desk)


async def test_three_thousand_models_of_a_server() -> None:
    fake = FakeOllama({f"model-{number:04}:latest": f"{number:064x}" for number in range(3000)})
    async with serving(fake) as server, over(server) as desk:
        await desk.until_shown("model-0000:latest")
        await desk.press("end")
        await desk.until_shown("model-2999:latest")
        await desk.press("a")
        await wait_until(lambda: fake.loaded == ["model-2999:latest"])
        await desk.press("slash", *"1234", "enter")
        await desk.until_shown("model-1234:latest")
        await answers_keys(desk)


@pytest.mark.parametrize("size", [(80, 24)])
async def test_names_from_hell_are_shown_as_text_and_sent_as_they_are(size: tuple[int, int]) -> None:
    names = [*LONG, *HOSTILE_NAMES]
    fake = FakeOllama({name: f"{number:064x}" for number, name in enumerate(names)})
    fake.load_error = "no memory for [bold]this[/bold] \x1b[2J one"
    async with serving(fake) as server, over(server, size=size) as desk:
        await wait_until(lambda: desk.app.models.list.models)
        # Each takes the cursor once: drawn, its details asked, a load that fails told in a toast and a line.
        await desk.press("home")
        for _ in names:
            await desk.press("a")
            kept_clean(desk)
            await desk.press("j")
        await wait_until(lambda: server.asked.count("POST /api/generate") == len(names))
        asked = {str(each.json["model"]) for each in server.requests if each.path == "/api/generate"}
        assert asked == set(names)
        await desk.press("enter")
        await wait_until(lambda: desk.app.screen is not desk.app.models)
        kept_clean(desk)
        await desk.press("escape")
        await wait_until(lambda: desk.app.screen is desk.app.models)
        await desk.press("x")
        await wait_until(lambda: desk.app.screen is not desk.app.models)
        kept_clean(desk)
        await desk.press("escape")
        await wait_until(lambda: not desk.app.connection.stack or not desk.app.view.state.acts)  # type: ignore[union-attr]
        await answers_keys(desk)
