"""The details of one model.

Over fakes are what is asked of the store and of the server, and how often; and what a model of a real shape
would take, which the files here do not have.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.kinds import Actor
from llmstack_tui.base.sentences import quoted
from llmstack_tui.base.structs import replace
from llmstack_tui.config.settings import Settings, UiSettings
from llmstack_tui.fit.memory import Basis, Estimate, Subject, Weights
from llmstack_tui.fit.verdict import Fitted
from llmstack_tui.hosts.errors import Unreachable
from llmstack_tui.hosts.types import ModelDetails
from llmstack_tui.store.errors import StoreError
from llmstack_tui.store.tables.activations import Activation
from llmstack_tui.store.tables.events import Event
from llmstack_tui.store.tables.models import SeenModel
from llmstack_tui.tui.widgets.section import Section
from tests.support import headers, seeded
from tests.support.fake_ollama import usual_ollama
from tests.support.waiting import wait_until
from tests.tui.driving import dashboard, real_dashboard
from tests.tui.fakes import FakeServices, FakeStack

if TYPE_CHECKING:
    from tests.support.fake_ollama import FakeOllama
    from tests.tui.driving import Desk, RealDesk

NAME = "qwen2.5-coder:7b"
OTHER = "mistral:7b"
TEMPLATE = "".join(f"template line {number}\n" for number in range(30))


def telling() -> FakeOllama:
    """A server that has much to tell of its models, the first of which is loaded."""
    ollama = usual_ollama(NAME, OTHER, loaded=(NAME,), share_weights=False)
    ollama.shown |= {
        "parameters": 'stop                           "<|im_end|>"',
        "template": TEMPLATE,
        "license": "Apache License\nVersion 2.0",
        "system": "Be [bold]terse[/bold].",
    }
    return ollama


async def opened(desk: RealDesk) -> None:
    await desk.put_cursor(NAME)
    await desk.press("enter")
    await desk.until_shown("Addresses", "Be [bold]terse[/bold].")


async def until_in(desk: Desk, text: str) -> None:
    """In the whole of it, scrolled or not."""

    def said() -> str:
        return "\n".join(str(section.visual) for section in desk.app.screen.query(Section) if section.display)

    await wait_until(lambda: text in said(), what=f"{text} in the details")


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (60, 16), (200, 60)])
async def test_all_of_it_can_be_read_at_every_size(size: tuple[int, int]) -> None:
    async with real_dashboard(telling(), size=size) as desk:
        await desk.put_cursor(NAME)
        await desk.press("enter")
        await desk.until_shown("Model", f"{NAME}")
        await until_in(desk, "30 lines")
        await until_in(desk, "Licence")
        # The record comes last, and a scroll to the end does not follow what comes later.
        await until_in(desk, "asked by another client")
        await desk.press("G")
        await desk.until_shown("asked by another client")
        assert "template line 1" not in desk.text
        await desk.press("g")
        await desk.until_shown("State")
        await desk.press("escape")
        assert desk.app.screen is desk.app.models


async def test_tab_and_enter_unfold_one_text_and_f_all() -> None:
    async with real_dashboard(telling(), size=(100, 40)) as desk:
        await opened(desk)
        await desk.press("tab", "tab", "enter")
        await desk.until_shown("template line 3")
        assert "Version 2.0" not in desk.text
        await desk.press("enter")
        await wait_until(lambda: "template line 3" not in desk.text)
        await desk.press("f")
        await until_in(desk, "template line 29")
        await until_in(desk, "Version 2.0")


async def test_what_was_is_looked_up_when_it_opens_and_when_something_happened() -> None:
    async with dashboard() as desk:
        await desk.press("enter")
        await desk.until_shown("Addresses")
        await wait_until(lambda: ("activations",) in desk.stack.calls)
        before = desk.stack.calls.count(("activations",))
        for used in range(8):
            machine = replace(seeded.machine(), taken_at=float(used))
            desk.stack.put(replace(desk.stack.state, machine=machine))
            await wait_until(lambda: desk.app.view.state is desk.stack.state)
        assert desk.stack.calls.count(("activations",)) == before == 1
        now = datetime.now(UTC)
        desk.stack.past = [
            Event(
                id=9,
                at=now,
                kind="loaded",
                sentence=quoted("It was [red]loaded."),
                host=seeded.URL,
                model=NAME,
            )
        ]
        desk.stack.loads = [Activation(host=seeded.URL, model=NAME, asked_by=Actor.CLIENT, started_at=now)]
        desk.stack.seen = [
            SeenModel(
                host=seeded.URL, name=NAME, digest="a0" * 32, size=9, first_seen_at=now, last_seen_at=now
            )
        ]
        desk.stack.put(replace(desk.stack.state, last_event_id=9))
        await until_in(desk, "It was [red]loaded.")
        await until_in(desk, "asked by another client; is loading")
        await until_in(desk, "a0" * 6)


async def test_trouble_with_the_store_and_the_server_is_a_sentence_in_place() -> None:
    async with dashboard() as desk:
        # Before the cursor rests on the model, and its server is asked.
        desk.stack.store_failure = StoreError("quoted", text="The file is damaged.")
        desk.stack.failure = Unreachable("quoted", text="Nobody answers.", host=seeded.URL)
        await desk.press("j", "enter")
        await desk.until_shown("The server gives no details: Nobody answers.", "The file is damaged.")
        await desk.until_shown("smollm2:135m", f"{seeded.URL}/v1")
        desk.stack.failure = desk.stack.store_failure = None
        await desk.press("r")
        await desk.until_shown("32,768 tokens")
        await wait_until(lambda: "Nobody answers" not in desk.text)
        assert desk.toasts == []


async def test_what_is_known_stays_while_the_server_is_away() -> None:
    async with real_dashboard(telling()) as desk:
        await opened(desk)
        desk.ollama.down = True
        await desk.until_shown("is not reachable", "Be [bold]terse[/bold].", "State")


async def test_closing_ends_the_asking() -> None:
    services = FakeServices(FakeStack(seeded.typical()))
    asked: list[str] = []

    async def hang(_: str, name: str) -> ModelDetails:
        asked.append("begun")
        try:
            await asyncio.Event().wait()
        finally:
            asked.append("ended")
        return ModelDetails(name=name)

    services.stack.details = hang  # type: ignore[method-assign, assignment]
    async with dashboard(services=services) as desk:
        await wait_until(lambda: asked == ["begun"], what="the pane's own question")
        await desk.press("enter")
        await desk.until_shown("Asking the server")
        await wait_until(lambda: asked == ["begun", "begun"])
        await desk.press("escape")
        await wait_until(lambda: asked == ["begun", "begun", "ended"])
        await wait_until(lambda: not any(each.description == "History" for each in desk.app.workers))


async def test_a_model_that_goes_while_it_is_looked_at() -> None:
    async with real_dashboard(telling()) as desk:
        await opened(desk)
        desk.ollama.installed.clear()
        desk.ollama.runners.clear()
        await desk.until_shown("no longer on any server")


async def test_ascii_has_marks_of_its_own() -> None:
    async with real_dashboard(telling()) as desk:
        await opened(desk)
        await until_in(desk, "▸ Template  30 lines")
        desk.app.use_settings(Settings(ui=UiSettings(ascii=True)))
        await until_in(desk, "+ Template  30 lines")


async def test_help_and_palette_know_its_keys() -> None:
    async with real_dashboard(telling(), size=(100, 300)) as desk:
        await opened(desk)
        names = [command.title for command in desk.app.get_system_commands(desk.app.screen)]
        assert {"Unfold", "Copy URL", "Help"} <= {*names}
        await desk.press("y")
        assert desk.app.clipboard == f"{desk.url}/v1"
        await desk.press("question_mark")
        await desk.until_shown("What this is")
        await desk.press("end")
        await desk.until_shown("In the details of a model")


async def test_the_keys_of_the_list_act_on_the_model_that_is_shown() -> None:
    """The cursor of the list below may be on another one meanwhile."""
    async with real_dashboard(telling()) as desk:
        await opened(desk)
        await desk.put_cursor(OTHER)
        await desk.press("d")
        await wait_until(lambda: desk.ollama.loaded == [])
        await until_in(desk, "inactive")
        await desk.press("a")
        await until_in(desk, "In memory")
        (before,) = desk.ollama.runners
        await desk.press("R")
        await wait_until(lambda: desk.ollama.loaded == [NAME] and desk.ollama.runners != [before])
        changed = {body["model"] for path, body in desk.ollama.asked if path == "/api/generate"}
        assert changed == {NAME}


async def test_what_it_would_take_is_told_once_that_is_known() -> None:
    async with dashboard() as desk:
        await desk.press("enter")
        await desk.until_shown("Addresses")
        shape = headers.shape(headers.LLAMA_8B)
        desk.stack.fit.subjects[NAME] = Subject(weights=Weights(size=4_900_000_000), shape=shape)
        estimate = Estimate(total=6_000_000_000, basis=Basis.FORMULA, parts=None, context_length=4096)
        host = replace(desk.stack.state.hosts[0], fits={NAME: Fitted(estimate, None)})
        desk.stack.put(replace(desk.stack.state, hosts=(host,)))
        await until_in(desk, "Longest context that fits: ")
        await until_in(desk, "131,072")
