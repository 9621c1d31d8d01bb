"""Bodies that Go reads and a strict reader does not."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmstack_tui.engine.api.decoding import decode
from llmstack_tui.engine.api.openai_requests import ChatCompletionRequest
from llmstack_tui.ollama.wire import CreateRequest, GenerateRequest, WireChatRequest
from tests.support.engine import HI, Serving

HALF = "�"


def prompt(body: bytes) -> str | None:
    return decode(body, GenerateRequest).prompt


def test_keys_of_any_case() -> None:
    asked = (
        b'{"MODEL":"m","Messages":[{"ROLE":"user","Content":"Hi","tool_calls":[{"Function":{"NAME":"f"}}]}]}'
    )
    found = decode(asked, WireChatRequest)
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
    found = decode(asked, WireChatRequest)
    assert found.options == {"Num_Ctx": 1, "seed": None}
    assert found.tools == [{"A": None}]
    assert found.format == {"Type": "object"}


def test_null_is_what_is_not_there() -> None:
    asked = b'{"model":null,"messages":[null,{"role":null,"content":"Hi"}],"stream":null,"max_tokens":null}'
    found = decode(asked, ChatCompletionRequest)
    assert (found.model, found.stream, found.max_tokens) == ("", None, None)
    assert [(each.role, each.content) for each in found.messages] == [("user", None), ("user", "Hi")]
    assert decode(b"null", WireChatRequest) == WireChatRequest()


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


@pytest.mark.parametrize("extra", [{"stop": []}, {"stop": [1, None]}, {"stop": {"a": 1}}, {"tool_choice": 7}])
def test_odd_stops_and_choices_are_passed_over(engine: Serving, extra: dict[str, Any]) -> None:
    answer = engine.post("/v1/chat/completions", model="tiny", messages=HI, max_tokens=2, **extra)
    assert answer.status_code == 200, answer.text
