"""The wire forms: what is absent stays absent, and what is there is sent, empty and false as well."""

from __future__ import annotations

import msgspec
import pytest

from llmstack_tui.hosts.decoding import Wire
from llmstack_tui.ollama import wire

WIRE = [kind for kind in vars(wire).values() if isinstance(kind, type) and issubclass(kind, Wire)]


@pytest.mark.parametrize("kind", WIRE)
def test_every_field_may_be_absent_or_null(kind: type[Wire]) -> None:
    nothing = msgspec.json.decode(b"{}", type=kind)
    assert msgspec.json.encode(nothing) == b"{}"
    nulls = {field.encode_name: None for field in msgspec.structs.fields(kind)}
    assert msgspec.json.decode(msgspec.json.encode({**nulls, "new in 0.99": 1}), type=kind) == nothing


def test_what_is_empty_or_false_is_sent() -> None:
    line = wire.GenerateResponse(response="", done=False, eval_count=0)
    assert msgspec.json.decode(msgspec.json.encode(line)) == {
        "response": "",
        "done": False,
        "eval_count": 0,
    }


def test_from_is_from() -> None:
    assert msgspec.json.encode(wire.CreateRequest(model="a", from_="b")) == b'{"model":"a","from":"b"}'


@pytest.mark.parametrize("value", ["10m", 30, 0.5, -1])
def test_a_keep_alive_keeps_its_form(value: str | float) -> None:
    body = msgspec.json.encode(wire.GenerateRequest(keep_alive=value))
    assert msgspec.json.decode(body, type=wire.GenerateRequest).keep_alive == value
