"""Anthropic and Gemini: what their documented answers become, however they are cut into pieces."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.providers import errors
from llmstack_tui.providers.streams import joined
from llmstack_tui.providers.types import EmbedRequest, EndReason, TextRequest
from tests.providers.clouds import KEY, asking, heard, replayed
from tests.providers.replaying import SIZES, replay
from tests.support.scripted_server import Reply, Then, always, document

if TYPE_CHECKING:
    from llmstack_tui.providers.types import Answer
    from tests.support.scripted_server import Request

BOTH = ("anthropic", "gemini")
HEADERS = {"anthropic": "x-api-key", "gemini": "x-goog-api-key"}


async def answered(name: str, recording: str, size: int = 4096) -> Answer:
    async with replayed(name, always(replay(f"{name}-{recording}", size))) as (found, _):
        return joined(await heard(found, asking()))


async def failed(name: str, reply: Reply) -> tuple[str, errors.ProviderError]:
    """What came before a stream failed, and its error."""
    text = ""
    async with replayed(name, always(reply)) as (found, _):
        try:
            async for piece in found.chat(asking()):
                text += piece.text
        except errors.ProviderError as error:
            return text, error
    pytest.fail("It did not fail.")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", BOTH)
async def test_a_text_in_pieces_of_any_size(name: str, size: int) -> None:
    answer = await answered(name, "chat", size)
    assert answer.text == "Grüße aus Málaga 🍊!"
    assert answer.ending.reason is EndReason.STOP
    assert answer.ending.provider == name
    assert answer.ending.usage.first_s is not None


@pytest.mark.parametrize("size", SIZES)
async def test_claude_thinks_and_calls(size: int) -> None:
    answer = await answered("anthropic", "thinking-tools", size)
    assert answer.reasoning == "The weather: I ask für Köln."
    assert answer.text == "I look."
    assert [(call.id, call.name, call.arguments) for call in answer.tool_calls] == [
        ("toolu_1", "weather", {"city": "Köln"}),
        ("toolu_2", "clock", {}),
        ("toolu_3", "weather", None),
    ]
    assert answer.tool_calls[2].written == '{"city": '
    usage = answer.ending.usage
    assert (usage.prompt_tokens, usage.evaluated_tokens) == (950, 150)
    assert (usage.answer_tokens, usage.reasoning_tokens) == (89, 40)
    assert (answer.ending.reason, answer.ending.model) == (EndReason.TOOLS, "claude-opus-4-5")


@pytest.mark.parametrize("size", SIZES)
async def test_gemini_thinks_and_calls(size: int) -> None:
    answer = await answered("gemini", "thinking-tools", size)
    assert (answer.reasoning, answer.text) == ("I ask für Köln.", "")
    first, second = answer.tool_calls
    assert (first.name, first.arguments, first.signature) == ("weather", {"city": "Köln"}, "EpABCo0B")
    assert (second.id, second.name, second.arguments) == ("fc_2", "clock", {})
    assert first.id
    assert answer.ending.reason is EndReason.TOOLS
    assert (answer.ending.usage.answer_tokens, answer.ending.usage.reasoning_tokens) == (24, 9)


async def test_what_gemini_had_in_its_cache_was_not_evaluated() -> None:
    usage = (await answered("gemini", "chat")).ending.usage
    assert (usage.prompt_tokens, usage.evaluated_tokens, usage.answer_tokens) == (8, 5, 42)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", BOTH)
async def test_an_error_in_the_middle_of_a_stream(name: str, size: int) -> None:
    text, error = await failed(name, replay(f"{name}-overloaded", size))
    assert text == "Half"
    assert type(error) is errors.Overloaded


@pytest.mark.parametrize("then", [Then.END, Then.CUT, Then.RESET])
@pytest.mark.parametrize("name", BOTH)
async def test_a_stream_that_stops_in_the_middle(name: str, then: Then) -> None:
    text, error = await failed(name, replay(f"{name}-cut", then=then))
    assert text == ("Half an ans" if then is not Then.RESET else text)
    assert type(error) is errors.BadAnswer


async def test_a_refusal_of_claude_is_the_end_of_its_answer() -> None:
    answer = await answered("anthropic", "refusal")
    assert answer.ending.reason is EndReason.REFUSED
    assert answer.ending.said == "It is about a dangerous lab method."


async def test_gemini_refuses_a_question_or_ends_an_answer() -> None:
    _, error = await failed("gemini", replay("gemini-blocked"))
    assert str(error) == "The safety rules of gemini refuse this: PROHIBITED_CONTENT."
    assert not error.may_retry
    answer = await answered("gemini", "safety")
    assert (answer.text, answer.ending.reason, answer.ending.said) == ("First", EndReason.REFUSED, "SAFETY")


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize(
    "reply",
    [
        Reply([b"<html>Voil\xe0</html>\n"], 200, "text/html"),
        Reply([b'data: {"candidates": "no", "type": 3}\n\n'], 200, "text/event-stream"),
        Reply([b"data: Voil\xe0\n\n"], 200, "text/event-stream"),
        Reply([b""], 200, "text/event-stream"),
    ],
)
async def test_an_answer_that_is_something_else(name: str, reply: Reply) -> None:
    _, error = await failed(name, reply)
    assert type(error) is errors.BadAnswer
    assert str(error).startswith(f"{name} did not answer as it should.")


@pytest.mark.parametrize("name", BOTH)
async def test_the_key_goes_into_its_header_alone(name: str) -> None:
    async with replayed(name, always(replay(f"{name}-chat"))) as (found, server):
        await heard(found, asking())
        assert await found.is_available()
        request = server.requests[0]
        assert request.headers[HEADERS[name]] == KEY
        assert KEY not in request.path
        assert KEY not in str(request.body)


@pytest.mark.parametrize("name", BOTH)
async def test_health_is_one_cheap_request(name: str) -> None:
    async with replayed(name, always(document({"data": [], "models": []}))) as (found, server):
        assert (await found.health()).is_healthy
        assert [each.method for each in server.requests] == ["GET"]
    async with replayed(name, always(document({"error": {"message": f"No: {KEY}"}}, 401))) as (found, _):
        health = await found.health()
    assert not health.is_healthy
    assert health.problem.startswith(
        f"{name} does not take the key, or the key has no right to this: No: ***"
    )


@pytest.mark.parametrize("name", BOTH)
async def test_what_cannot_be_done_is_said_before_anything_is_sent(name: str) -> None:
    async with replayed(name, always(document({}))) as (found, server):
        with pytest.raises(errors.CannotDo):
            found.generate(TextRequest(model="m", prompt="Once", raw=True))
        if name == "anthropic":
            with pytest.raises(errors.CannotDo):
                await found.embed(EmbedRequest(model="m", texts=("a",)))
        assert server.requests == []


async def test_gemini_embeds_in_batches() -> None:
    asked: list[int] = []

    async def handle(request: Request) -> Reply:
        if not request.path.endswith(":batchEmbedContents"):
            return document({"name": "models/e", "supportedGenerationMethods": ["embedContent"]})
        texts = re.findall(rb'"text":"(x+)"', request.body)
        asked.append(len(texts))
        return document({"embeddings": [{"values": [len(text)]} for text in texts]})

    async with replayed("gemini", handle) as (found, _):
        texts = tuple("x" * (1 + index % 7) for index in range(150))
        vectors = (await found.embed(EmbedRequest(model="e", texts=texts))).vectors
        with pytest.raises(errors.CannotDo):
            await heard(found, asking(model="e"))
    assert vectors == tuple((float(len(text)),) for text in texts)
    assert sum(asked) == 150
    assert max(asked) <= 100
