"""Bodies that Go reads and a strict reader does not; and that nothing in a body is a fault of the server."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmstack_tui.engine.api.decoding import decode
from llmstack_tui.engine.api.openai_requests import ChatCompletionRequest
from llmstack_tui.ollama.wire import ChatRequest, CreateRequest, GenerateRequest
from tests.support.engine import HI, Serving

if TYPE_CHECKING:
    from collections.abc import Iterator

HALF = "�"


def prompt(body: bytes) -> str | None:
    return decode(body, GenerateRequest).prompt


def test_keys_of_any_case() -> None:
    asked = (
        b'{"MODEL":"m","Messages":[{"ROLE":"user","Content":"Hi","tool_calls":[{"Function":{"NAME":"f"}}]}]}'
    )
    found = decode(asked, ChatRequest)
    assert found.model == "m"
    assert found.messages is not None
    (message,) = found.messages
    assert (message.role, message.content) == ("user", "Hi")
    assert message.tool_calls is not None
    assert message.tool_calls[0].function is not None
    assert message.tool_calls[0].function.name == "f"
    assert decode(b'{"FROM":"base"}', CreateRequest).from_ == "base"


def test_what_has_keys_of_its_own_keeps_them() -> None:
    asked = b'{"options":{"Num_Ctx":1,"seed":null},"tools":[{"A":null}],"format":{"Type":"object"}}'
    found = decode(asked, ChatRequest)
    assert found.options == {"Num_Ctx": 1, "seed": None}
    assert found.tools == [{"A": None}]
    assert found.format == {"Type": "object"}


def test_null_is_what_is_not_there() -> None:
    asked = b'{"model":null,"messages":[null,{"role":null,"content":"Hi"}],"stream":null,"max_tokens":null}'
    found = decode(asked, ChatCompletionRequest)
    assert (found.model, found.stream, found.max_tokens) == ("", None, None)
    assert [(each.role, each.content) for each in found.messages] == [("user", None), ("user", "Hi")]
    assert decode(b"null", ChatRequest) == ChatRequest()


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (rb'{"prompt":"nice \ud83d day"}', f"nice {HALF} day"),
        (rb'{"prompt":"\ude00"}', HALF),
        (rb'{"prompt":"\ud83d\ud83d\ude00\ude00"}', f"{HALF}😀{HALF}"),
        (rb'{"prompt":"\\ud83d \\\ud83d"}', f"\\ud83d \\{HALF}"),
        (rb'{"prompt":"\uD83d\uDe00 \ud83d"}', f"😀 {HALF}"),
        (b'{"prompt":"\xff\xc3 a"}', f"{HALF}{HALF} a"),
        (b'{"prompt":"\xed\xa0\xbd"}', HALF * 3),
    ],
)
def test_half_a_character_is_told_as_such(body: bytes, text: str) -> None:
    assert prompt(body) == text


@given(st.lists(st.sampled_from(["\ud83d", "\ude00", "\U0001f600", "\\", "\\ud83d", '"', "u", "é"])))
def test_every_text_arrives(pieces: list[str]) -> None:
    text = "".join(pieces)
    expected = re.sub("[\ud800-\udbff][\udc00-\udfff]", "\U0001f600", text)
    expected = re.sub("[\ud800-\udfff]", HALF, expected)
    assert prompt(json.dumps({"prompt": text}).encode()) == expected


@pytest.mark.parametrize(
    "body", [b"{", b'{"a":}', b"{'a':1}", b'{"prompt":"\n"}', rb'{"prompt":"\ud8"}', b"\xff"]
)
def test_what_is_no_json_is_none(body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        prompt(body)


# --- over HTTP ---

ROUTES = (
    "/api/generate", "/api/chat", "/api/embed", "/api/embeddings", "/api/show", "/api/create", "/api/copy",
    "/v1/chat/completions", "/v1/completions", "/v1/embeddings",
)  # fmt: skip
LONG = "9" * 5000
VALUES = ("null", "[]", "{}", '""', "-1", "1.5", "true", '"x"', "[null]", "[[]]", "1e308", LONG, '"\\ud83d"')
FIELDS = (
    "model", "messages", "prompt", "input", "stream", "format", "options", "keep_alive", "think", "tools",
    "tool_choice", "stop", "logprobs", "top_logprobs", "max_tokens", "seed", "temperature", "context",
    "images", "suffix", "template", "raw", "dimensions", "response_format", "reasoning_effort",
    "stream_options",
)  # fmt: skip
AGENTS = ("/v1/responses", "/v1/messages", "/v1/messages/count_tokens")
FIELDS_OF_AGENTS = (
    "model", "messages", "input", "stream", "system", "instructions", "tools", "tool_choice", "max_tokens",
    "max_output_tokens", "temperature", "top_k", "top_p", "stop_sequences", "thinking", "output_config",
    "reasoning", "text", "previous_response_id", "metadata",
)  # fmt: skip


def bodies(field: str) -> Iterator[bytes]:
    usual = {"model": "tiny", "messages": HI, "prompt": "Hi", "input": "Hi", "stream": False, "max_tokens": 1}
    usual |= {"options": {"num_predict": 1}, "max_output_tokens": 1}
    rest = json.dumps({key: value for key, value in usual.items() if key != field})[1:]
    for value in VALUES:
        yield f'{{"{field}":{value},{rest}'.encode()


@pytest.mark.parametrize("path", [*ROUTES, *AGENTS])
def test_no_value_is_a_fault_of_the_server(engine: Serving, path: str) -> None:
    for field in FIELDS_OF_AGENTS if path in AGENTS else FIELDS:
        for body in bodies(field):
            answer = engine.http.post(path, content=body)
            assert answer.status_code < 500, (body[:200], answer.text)
            if answer.status_code >= 400:
                error = answer.json()["error"]
                assert error["message"] if path.startswith("/v1/") else error


@pytest.mark.parametrize("path", [*ROUTES, *AGENTS])
@pytest.mark.parametrize(
    "body", [b"", b" ", b"null", b"[]", b"1", b'"x"', b"{", b"\xff", b"[" * 5000, b"{}" * 2]
)
def test_what_is_no_request_is_refused_in_words(engine: Serving, path: str, body: bytes) -> None:
    answer = engine.http.post(path, content=body)
    assert 400 <= answer.status_code < 500
    error = answer.json()["error"]
    assert error["message"] if path.startswith("/v1/") else error


@pytest.mark.parametrize("extra", [{"stop": []}, {"stop": [1, None]}, {"stop": {"a": 1}}, {"tool_choice": 7}])
def test_odd_stops_and_choices_are_passed_over(engine: Serving, extra: dict[str, Any]) -> None:
    answer = engine.post("/v1/chat/completions", model="tiny", messages=HI, max_tokens=2, **extra)
    assert answer.status_code == 200, answer.text
