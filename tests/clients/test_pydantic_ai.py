"""pydantic-ai, by its provider for Ollama, which speaks OpenAI's protocol. It lists no models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import BaseModel
from pydantic_ai import Agent, Embedder, NativeOutput
from pydantic_ai.embeddings.openai import OpenAIEmbeddingModel
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.models.ollama import OllamaModel
from pydantic_ai.providers.ollama import OllamaProvider

from tests.support.calling import ARGUMENTS, REPLY
from tests.support.gguf import models

if TYPE_CHECKING:
    from tests.support.engine import Serving


class Verdict(BaseModel):
    right: bool


def provider(engine: Serving) -> OllamaProvider:
    return OllamaProvider(base_url=f"{engine.url}/v1")


def chat(engine: Serving, name: str = "tiny") -> OllamaModel:
    return OllamaModel(name, provider=provider(engine), settings={"temperature": 0})


async def test_chat(engine: Serving) -> None:
    assert (await Agent(chat(engine)).run("Hi")).output == models.ANSWER


async def test_stream(engine: Serving) -> None:
    async with Agent(chat(engine)).run_stream("Hi") as answer:
        parts = [part async for part in answer.stream_text(delta=True, debounce_by=None)]
    assert "".join(parts) == models.ANSWER
    assert len(parts) == 8


async def test_tools(engine: Serving) -> None:
    calls = []

    def add(a: int) -> int:
        calls.append({"a": a})
        return a + 1

    answer = await Agent(chat(engine, "agreeing"), tools=[add]).run("Hi")
    assert calls == [ARGUMENTS]
    assert answer.output.strip() == REPLY


async def test_structured_output(engine: Serving) -> None:
    answer = await Agent(chat(engine, "judging"), output_type=NativeOutput(Verdict)).run("Hi")
    assert isinstance(answer.output, Verdict)


async def test_embeddings(engine: Serving) -> None:
    embedder = Embedder(OpenAIEmbeddingModel("tiny", provider=provider(engine)))
    first, second = (await embedder.embed_documents(["a tiny model", "zzz"])).embeddings
    assert len(first) == len(second) > 0
    assert first != second


async def test_a_wrong_name(engine: Serving) -> None:
    with pytest.raises(ModelHTTPError, match="nope") as caught:
        await Agent(chat(engine, "nope")).run("Hi")
    assert caught.value.status_code == 404
