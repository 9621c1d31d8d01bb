"""Both protocols for real: the built-in engine, through our providers."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.structs import replace
from llmstack_tui.hosts.transport import Timeouts, Transport
from llmstack_tui.providers.errors import CannotDo, UnknownModel
from llmstack_tui.providers.ollama import OllamaProvider
from llmstack_tui.providers.openai import OpenAIProvider
from llmstack_tui.providers.streams import whole
from llmstack_tui.providers.types import (
    Ability,
    ChatMessage,
    ChatRequest,
    EmbedRequest,
    EndReason,
    Parameters,
    Role,
    TextRequest,
    Tool,
)
from tests.support.calling import ARGUMENTS, REPLY, SCHEMA, agreeing
from tests.support.engine import THINKING, Serving, serving
from tests.support.gguf import models
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from llmstack_tui.providers.provider import Provider

HELLO = (ChatMessage(role=Role.USER, text="Hi"),)
FEW = Parameters(temperature=0, max_tokens=4)
ADD = Tool(name="add", purpose="Adds.", schema=SCHEMA)


@pytest.fixture(scope="module")
def engine(
    tmp_path_factory: pytest.TempPathFactory, tiny_model: Path, endless_model: Path
) -> Iterator[Serving]:
    home = tmp_path_factory.mktemp("home")
    with serving(home) as found:
        found.import_file("tiny", tiny_model)
        found.import_file("endless", endless_model)
        found.import_file("agreeing", agreeing(home / "agreeing.gguf"))
        found.import_file("thinking", models.scripted(home / "thinking.gguf", chat_template=THINKING))
        yield found


@pytest.fixture(params=["ollama", "openai"])
async def provider(request: pytest.FixtureRequest, engine: Serving) -> AsyncIterator[Provider]:
    made: Provider
    if request.param == "ollama":
        made = OllamaProvider(
            Transport(engine.url, user_agent="", timeouts=Timeouts(), not_it="host.is_it_ollama")
        )
    else:
        http = Transport(f"{engine.url}/v1", user_agent="", timeouts=Timeouts(), not_it="openai.is_it")
        made = OpenAIProvider(http)
    yield made
    await made.aclose()


async def test_a_chat_and_a_text_are_answered_with_their_figures(provider: Provider) -> None:
    chat = await whole(provider.chat(ChatRequest(model="tiny", messages=HELLO, parameters=FEW)))
    text = await whole(provider.generate(TextRequest(model="tiny", prompt="Hi", parameters=FEW)))
    for answer in (chat, text):
        assert answer.text
        assert answer.ending.reason is EndReason.LENGTH
        assert answer.ending.usage.answer_tokens == 4
        assert answer.ending.usage.prompt_tokens
        assert answer.ending.usage.first_s


async def test_a_tool_is_called_and_its_result_is_answered(provider: Provider) -> None:
    asked = ChatRequest(model="agreeing", messages=HELLO, tools=(ADD,), parameters=Parameters(temperature=0))
    first = await whole(provider.chat(asked))
    (call,) = first.tool_calls
    assert (call.name, call.arguments) == ("add", ARGUMENTS)
    assert first.ending.reason is EndReason.TOOLS
    result = ChatMessage(role=Role.TOOL, text="2", answers=call.id, tool="add")
    second = await whole(provider.chat(replace(asked, messages=(*HELLO, first.message, result))))
    assert second.text.strip() == REPLY


async def test_thoughts_are_told_apart(provider: Provider) -> None:
    request = ChatRequest(model="thinking", messages=HELLO, reasoning=True, parameters=FEW)
    answer = await whole(provider.chat(request))
    assert answer.reasoning
    assert not answer.text


async def test_a_closed_stream_ends_the_request(provider: Provider, engine: Serving) -> None:
    async with aclosing(provider.chat(ChatRequest(model="endless", messages=HELLO))) as pieces:
        async for piece in pieces:
            if piece.text:
                break
    await wait_until(lambda: not engine.ps()["endless:latest"].get("requests"), 10)


async def test_an_unknown_model_is_one_and_health_is_well(provider: Provider) -> None:
    with pytest.raises(UnknownModel, match="nothere"):
        await whole(provider.chat(ChatRequest(model="nothere", messages=HELLO)))
    assert (await provider.health()).is_healthy
    assert "tiny:latest" in {each.name for each in await provider.models()}


async def test_the_engine_tells_what_a_model_can_do(engine: Serving) -> None:
    provider = OllamaProvider(
        Transport(engine.url, user_agent="", timeouts=Timeouts(), not_it="host.is_it_ollama")
    )
    can = (await provider.model("tiny")).abilities
    assert can is not None
    assert Ability.CHAT in can
    assert Ability.IMAGES not in can
    with pytest.raises(CannotDo, match="makes no embeddings"):
        await provider.embed(EmbedRequest(model="tiny", texts=("a",)))
    await provider.aclose()


async def test_the_engine_tells_how_far_a_long_prompt_is(engine: Serving) -> None:
    provider = OllamaProvider(
        Transport(engine.url, user_agent="", timeouts=Timeouts(), not_it="host.is_it_ollama")
    )
    long = (ChatMessage(role=Role.USER, text="Hi there. " * 300),)
    request = ChatRequest(model="tiny", messages=long, parameters=FEW)
    pieces = [piece async for piece in provider.chat(request)]
    await provider.aclose()
    told = [piece.prefill for piece in pieces if piece.prefill]
    assert len(told) > 1
    assert [each.read for each in told] == sorted(each.read for each in told)
    assert told[-1].read <= told[-1].total
    assert pieces[-1].ending
    assert pieces[-1].ending.usage.prompt_tokens == told[-1].total
