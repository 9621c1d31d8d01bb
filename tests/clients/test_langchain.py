"""LangChain, by its package for Ollama. It lists no models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ollama
import pytest
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_ollama import ChatOllama, OllamaEmbeddings
from pydantic import BaseModel

from tests.support.calling import ARGUMENTS, FUNCTION, REPLY
from tests.support.gguf import models

if TYPE_CHECKING:
    from tests.support.engine import Serving


class Verdict(BaseModel):
    right: bool


def chat(engine: Serving, model: str = "tiny") -> ChatOllama:
    return ChatOllama(model=model, base_url=engine.url, temperature=0)


def test_chat(engine: Serving) -> None:
    answer = chat(engine).invoke("Hi")
    assert answer.content == models.ANSWER
    assert answer.usage_metadata["output_tokens"] == 9


def test_stream(engine: Serving) -> None:
    parts = [part.content for part in chat(engine).stream("Hi")]
    assert "".join(parts) == models.ANSWER
    assert len(parts) > 8


def test_tools(engine: Serving) -> None:
    model = chat(engine, "agreeing").bind_tools([{"type": "function", "function": FUNCTION}])
    called = model.invoke("Hi")
    (call,) = called.tool_calls
    assert (call["name"], call["args"]) == ("add", ARGUMENTS)
    result = ToolMessage("2", tool_call_id=call["id"])
    assert model.invoke([HumanMessage("Hi"), called, result]).content.strip() == REPLY


def test_structured_output(engine: Serving) -> None:
    assert isinstance(chat(engine, "judging").with_structured_output(Verdict).invoke("Hi"), Verdict)


def test_embeddings(engine: Serving) -> None:
    first, second = OllamaEmbeddings(model="tiny", base_url=engine.url).embed_documents(["a tiny", "zzz"])
    assert len(first) == len(second) > 0
    assert first != second


def test_a_wrong_name(engine: Serving) -> None:
    with pytest.raises(ollama.ResponseError, match="nope"):
        chat(engine, "nope").invoke("Hi")
    with pytest.raises(ValueError, match="nope"):
        ChatOllama(model="nope", base_url=engine.url, validate_model_on_init=True)
