"""LlamaIndex, by its packages for Ollama. They list no models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ollama
import pytest
from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool
from llama_index.embeddings.ollama import OllamaEmbedding
from llama_index.llms.ollama import Ollama
from pydantic import BaseModel

from tests.support.calling import ARGUMENTS, REPLY
from tests.support.gguf import models

if TYPE_CHECKING:
    from tests.support.engine import Serving

HI = ChatMessage(role="user", content="Hi")


class Verdict(BaseModel):
    right: bool


def chat(engine: Serving, model: str = "tiny") -> Ollama:
    return Ollama(model=model, base_url=engine.url, temperature=0, context_window=2048)


def test_chat(engine: Serving) -> None:
    assert chat(engine).chat([HI]).message.content == models.ANSWER
    assert chat(engine).complete("Hi").text == models.ANSWER


def test_stream(engine: Serving) -> None:
    parts = [part.delta or "" for part in chat(engine).stream_chat([HI])]
    assert "".join(parts) == models.ANSWER
    assert len(parts) > 8


def test_tools(engine: Serving) -> None:
    def add(a: int) -> int:
        return a + 1

    model, tool = chat(engine, "agreeing"), FunctionTool.from_defaults(add)
    called = model.chat_with_tools([tool], chat_history=[HI])
    (call,) = model.get_tool_calls_from_response(called)
    assert (call.tool_name, call.tool_kwargs) == ("add", ARGUMENTS)
    result = ChatMessage(role="tool", content="2", additional_kwargs={"tool_call_id": call.tool_id})
    answer = model.chat_with_tools([tool], chat_history=[HI, called.message, result])
    assert answer.message.content.strip() == REPLY


def test_structured_output(engine: Serving) -> None:
    assert isinstance(chat(engine, "judging").as_structured_llm(Verdict).chat([HI]).raw, Verdict)


def test_embeddings(engine: Serving) -> None:
    embedding = OllamaEmbedding("tiny", base_url=engine.url)
    first, second = embedding.get_text_embedding_batch(["a tiny model", "zzz"])
    assert len(first) == len(second) > 0
    assert first != second


def test_a_wrong_name(engine: Serving) -> None:
    with pytest.raises(ollama.ResponseError, match="nope"):
        chat(engine, "nope").chat([HI])
