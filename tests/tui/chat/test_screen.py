"""The chat over the real core: what is asked, answered, stopped, asked otherwise, and found again."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast

from llmstack_tui.chat.types import TurnState
from llmstack_tui.providers.types import Role
from llmstack_tui.tui.chat.actions import ChatController
from tests.support.fake_ollama import usual_ollama
from tests.support.scripted_server import Then
from tests.support.waiting import wait_until
from tests.tui.driving import real_dashboard

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from llmstack_tui.tui.chat.conversation import OpenTalk
    from llmstack_tui.tui.chat.screen import ChatScreen
    from tests.support.fake_ollama import FakeOllama
    from tests.tui.driving import RealDesk


@asynccontextmanager
async def _chat(ollama: FakeOllama | None = None) -> AsyncIterator[RealDesk]:
    """The chat with the first model, which is in memory."""
    ollama = ollama or usual_ollama("tiny:1b", "other:2b", loaded=("tiny:1b",))
    async with real_dashboard(ollama) as desk:
        await desk.put_cursor("tiny:1b")
        await desk.press("t")
        await desk.until_shown("Talk to tiny:1b")
        yield desk


def _conversation(desk: RealDesk) -> OpenTalk:
    return desk.app.controller(ChatController).conversation


def _typed(desk: RealDesk) -> str:
    return cast("ChatScreen", desk.app.screen).composer.text


async def _ask(desk: RealDesk, question: str) -> None:
    await desk.type(question)
    await wait_until(lambda: _typed(desk) == question, what="the question in the field")
    await desk.press("enter")


async def _until_answered(desk: RealDesk, count: int = 1) -> None:
    def is_answered() -> bool:
        found = _conversation(desk)
        return found.live is None and len(found.turns) >= 2 * count

    await wait_until(is_answered, what="an answer")


def _sent(desk: RealDesk) -> list[list[str]]:
    """The texts of each request for an answer."""
    bodies = [body for path, body in desk.ollama.asked if path == "/api/chat"]
    return [[message["content"] for message in body["messages"]] for body in bodies]


async def test_a_question_its_answer_and_one_more() -> None:
    async with _chat() as desk:
        await _ask(desk, "How much?")
        await desk.until_shown("You", "How much?", "Hello there.", "10.0 tokens/s", "10 tokens")
        await _until_answered(desk)
        assert _typed(desk) == ""
        await _ask(desk, "And then?")
        await _until_answered(desk, 2)
        assert _sent(desk) == [["How much?"], ["How much?", "Hello there.", "And then?"]]


async def test_another_answer_and_another_question_are_versions_beside_the_first() -> None:
    async with _chat() as desk:
        await _ask(desk, "First?")
        await _until_answered(desk)
        await desk.press("ctrl+r")
        await desk.until_shown("‹ 2/2 ›")
        await _until_answered(desk)
        await desk.press("up")
        await wait_until(lambda: _typed(desk) == "First?", what="the question in the field")
        await desk.type(" Now")
        await wait_until(lambda: _typed(desk) == "First? Now", what="the question as it is edited")
        await desk.press("enter")
        await wait_until(lambda: len(_sent(desk)) == 3, what="the third request")
        await _until_answered(desk)
        assert _sent(desk)[-1] == ["First? Now"]
        await desk.press("escape", "left_square_bracket")
        await desk.until_shown("‹ 1/2 ›")
        assert [turn.message.text for turn in _conversation(desk).turns] == ["First?", "Hello there."]


async def test_a_stop_keeps_what_has_come_and_ends_the_request() -> None:
    ollama = usual_ollama("tiny:1b", loaded=("tiny:1b",))
    ollama.then = Then.HANG
    async with _chat(ollama) as desk:
        await _ask(desk, "Tell me")
        await desk.until_shown("Hello there.", "It writes", "esc stops it.")
        await desk.press("escape")
        await desk.until_shown("Hello there.", "Stopped.")
        turn = _conversation(desk).turns[-1]
        assert (turn.state, turn.message.text) == (TurnState.STOPPED, "Hello there.")


async def test_a_server_that_goes_in_the_middle_is_a_sentence_and_nothing_is_lost() -> None:
    ollama = usual_ollama("tiny:1b", loaded=("tiny:1b",))
    ollama.then = Then.CUT
    async with _chat(ollama) as desk:
        await _ask(desk, "Tell me")
        await desk.until_shown("Hello there.", "Broken off.")
        turn = _conversation(desk).turns[-1]
        assert (turn.state, turn.message.text, bool(turn.problem)) == (
            TurnState.BROKEN_OFF,
            "Hello there.",
            True,
        )


async def test_a_model_that_is_gone_leaves_the_words_where_they_are() -> None:
    async with _chat() as desk:
        del desk.ollama.installed["tiny:1b"]
        desk.ollama.runners.clear()
        await wait_until(lambda: _conversation(desk).model is None, what="the model is gone")
        await _ask(desk, "Are you there?")
        await wait_until(lambda: "is not there any more" in desk.told, what="a sentence")
        assert _typed(desk) == "Are you there?"


async def test_a_model_that_only_embeds_is_said_to() -> None:
    ollama = usual_ollama("tiny:1b", loaded=("tiny:1b",))
    ollama.shown["capabilities"] = ["embedding"]
    async with _chat(ollama) as desk:
        await _ask(desk, "Hi")
        await wait_until(lambda: "does not answer questions" in desk.told, what="a sentence")


async def test_talks_are_listed_searched_renamed_and_deleted() -> None:
    async with _chat() as desk:
        await _ask(desk, "About whales")
        await _until_answered(desk)
        await desk.press("ctrl+n")
        await desk.until_shown("New talk", "Talk to tiny:1b")
        await _ask(desk, "About stars")
        await _until_answered(desk)
        await desk.press("ctrl+l")
        await desk.until_shown("About whales", "About stars")
        await desk.press("slash")
        await desk.type("whal")
        await wait_until(lambda: "About stars" not in _listed(desk), what="only what has the word")
        await desk.press("enter", "enter")
        await wait_until(lambda: _questions(desk) == ["About whales"], what="the other talk")
        await desk.until_shown("About whales", "Hello there.")


def _questions(desk: RealDesk) -> list[str]:
    return [turn.message.text for turn in _conversation(desk).turns if turn.message.role is Role.USER]


def _listed(desk: RealDesk) -> str:
    """The lines of the list, each with how long ago it was."""
    return "\n".join(line for line in desk.text.splitlines() if "just now" in line)


async def test_links_tags_and_escapes_of_a_model_are_text() -> None:
    ollama = usual_ollama("tiny:1b", loaded=("tiny:1b",))
    ollama.answer = ("<b>bold</b> [red]markup[/red] ", "\x1b[31mraw\x1b[0m [link](http://127.0.0.1:1/x)")
    async with _chat(ollama) as desk:
        await _ask(desk, "Hi")
        await desk.until_shown("<b>bold</b> [red]markup[/red]", "�[31mraw�[0m link")
