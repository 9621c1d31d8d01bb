"""Copies, new names, and models from other ones; restarts, and a stop of all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual.widgets import TextArea

from llmstack_tui.config.settings import Settings
from llmstack_tui.tui.models.derive import DeriveScreen
from llmstack_tui.tui.options import parameters
from tests.support.fake_ollama import usual_ollama
from tests.support.scripted_server import Then, ndjson
from tests.support.waiting import wait_until
from tests.tui.driving import real_dashboard

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from tests.tui.driving import RealDesk

CODER, TINY = "qwen2.5-coder:7b", "smollm2:135m"


def on_server(*names: str, loaded: tuple[str, ...] = ()) -> AbstractAsyncContextManager[RealDesk]:
    """A dashboard over a server with these models, each with weights of its own."""
    ollama = usual_ollama(*names, loaded=loaded, share_weights=False)
    return real_dashboard(ollama)


async def test_a_copy_has_a_name_at_once_and_the_cursor_goes_to_it() -> None:
    async with on_server(CODER) as desk:
        await desk.press("C")
        await desk.until_shown(f"Copy {CODER}")
        await desk.press("enter")
        name = "qwen2.5-coder-copy:latest"
        await wait_until(lambda: desk.app.models.selected == (desk.url, name))
        assert sorted(desk.ollama.installed) == [name, CODER]


async def test_another_name_must_be_one_and_free() -> None:
    async with on_server(CODER, "mistral:7b") as desk:
        await desk.put_cursor(CODER)
        await desk.press("N")
        await desk.until_shown(f"Rename {CODER}")
        assert "already" not in desk.text, "nothing was done yet"
        await desk.press("enter")
        await desk.until_shown("already. Choose another name")
        for wrong, said in (
            ("no good!", "cannot be the name of a model"),
            ("", "Give it a name"),
            ("MISTRAL:7b", "already"),
        ):
            desk.field("name").value = wrong
            await desk.press("enter")
            await desk.until_shown(said)
            assert isinstance(desk.app.screen, DeriveScreen)
        assert sorted(desk.ollama.installed) == ["mistral:7b", CODER]
        desk.field("name").value = "coder:7b"
        await desk.press("enter")
        await wait_until(lambda: desk.app.models.selected == (desk.url, "coder:7b"))
        assert sorted(desk.ollama.installed) == ["coder:7b", "mistral:7b"]


async def test_a_new_model_has_a_prompt_and_parameters_of_its_own() -> None:
    async with on_server(CODER) as desk:
        await desk.press("n")
        await desk.until_shown(f"New model from {CODER}")
        await desk.press("enter")
        await desk.until_shown("without them, it would be a copy")
        desk.field("name").value = "mine"
        desk.app.screen.query_one("#system", TextArea).focus()
        await desk.type("Answer in [bold]one")
        await desk.press("enter")
        await desk.type("sentence.")
        await desk.press("tab")
        desk.field("parameters").value = "temprature 0.2"
        await desk.press("enter")
        await desk.until_shown("There is no parameter 'temprature'")
        assert desk.app.screen.focused is desk.field("parameters")
        desk.field("parameters").value = "temperature 0.2, num_ctx = 8192"
        await desk.press("enter")
        await wait_until(lambda: desk.app.models.selected == (desk.url, "mine:latest"))
        (made,) = (body for path, body in desk.ollama.asked if path == "/api/create")
        assert (made["from"], made["system"]) == (CODER, "Answer in [bold]one\nsentence.")
        assert made["parameters"] == {"temperature": 0.2, "num_ctx": 8192}


async def test_the_prompt_of_the_base_is_there_to_be_changed() -> None:
    async with on_server(CODER) as desk:
        desk.ollama.shown["system"] = "You are\na \x1b[31mpirate."
        await desk.press("n")
        await desk.until_shown("You are", "a \ufffd[31mpirate.")
        await desk.press("enter")
        await desk.until_shown("without them, it would be a copy")
        desk.app.screen.query_one("#system", TextArea).text += "\nBe brief."
        desk.field("name").focus()
        await desk.press("enter")
        await wait_until(lambda: any(path == "/api/create" for path, _ in desk.ollama.asked))
        (made,) = (body for path, body in desk.ollama.asked if path == "/api/create")
        assert made["system"] == "You are\na \ufffd[31mpirate.\nBe brief."


async def test_what_is_being_made_can_be_cancelled_and_what_fails_says_why() -> None:
    async with on_server(CODER) as desk:
        await desk.press("n")
        await desk.until_shown("New model from")
        desk.app.screen.query_one("#system", TextArea).text = "Be brief."
        desk.ollama.creating = ndjson({"status": "writing [bold]manifest"}, then=Then.HANG)
        await desk.press("enter")
        await desk.until_shown("writing [bold]manifest", "esc  cancel")
        await desk.press("escape")
        await desk.until_shown("Cancelled; nothing was changed.")
        desk.ollama.creating = ndjson({"error": "The disk is full."})
        await desk.press("enter")
        await desk.until_shown("The disk is full.")
        await desk.press("escape")
        await wait_until(lambda: desk.app.screen is desk.app.models)


async def test_all_are_stopped_after_a_question_that_names_them() -> None:
    async with on_server(CODER, TINY, loaded=(CODER, TINY)) as desk:
        await desk.press("S")
        await desk.until_shown("Unload all 2 models?", CODER, TINY, "when their running requests")
        await desk.press("escape")
        assert desk.ollama.loaded == [CODER, TINY]
        await desk.press("S")
        await desk.until_shown("Unload all 2 models?")
        await desk.press("right", "enter")
        await wait_until(
            lambda: desk.ollama.loaded == [] and desk.state(TINY) == desk.state(CODER) == "inactive"
        )
        await desk.press("S")
        await desk.until_shown("No model is in memory.")


async def test_only_what_is_in_memory_is_restarted() -> None:
    async with on_server(CODER, TINY, loaded=(CODER,)) as desk:
        await desk.put_cursor(CODER)
        (before,) = desk.ollama.runners
        await desk.press("R")
        await wait_until(lambda: desk.ollama.loaded == [CODER] and desk.ollama.runners != [before])
        await desk.put_cursor(TINY)
        await desk.press("R")
        await desk.until_shown("is not in memory")


@pytest.mark.parametrize("key", ["C", "N", "n", "S"])
async def test_read_only_makes_nothing(key: str) -> None:
    async with real_dashboard(settings=Settings(read_only=True)) as desk:
        await desk.press(key)
        await desk.until_shown("Nothing can be changed")
        assert desk.app.screen is desk.app.models


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {}),
        ("temperature 0.2", {"temperature": 0.2}),
        ("temperature=0.2, num_ctx: 8192\nseed 7", {"temperature": 0.2, "num_ctx": 8192, "seed": 7}),
        ('stop ["a", "b"], stop <|end|>', {"stop": ["a", "b", "<|end|>"]}),
        ("stop 7", {"stop": ["7"]}),
    ],
)
def test_parameters_are_read_as_they_are_typed(text: str, found: dict[str, object]) -> None:
    assert parameters(text) == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hot", "not a name and a value"),
        ("heat 3", "There is no parameter"),
        ("num_ctx many", "must be of type"),
    ],
)
def test_parameters_that_are_none_are_said(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parameters(text)
