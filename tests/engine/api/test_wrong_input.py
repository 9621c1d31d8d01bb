"""Every route, and what is no request: an answer in the form of its protocol, and no fault of the server.

Routes, and the fields that each reads, are those of the application itself.
"""

from __future__ import annotations

import gzip
import json
import socket
import zlib
from typing import TYPE_CHECKING, Any, cast

import httpx
import msgspec
import pytest
from msgspec import Struct
from starlette.routing import Route

from llmstack_tui.engine.api import replies
from llmstack_tui.engine.api.access import rules
from llmstack_tui.engine.api.app import create_app
from llmstack_tui.engine.api.decoding import fault, known_keys
from llmstack_tui.engine.errors import ApiError
from tests.support.engine import HI, Serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmstack_tui.engine.service import Engine

# No request gets as far as to the engine.
APP = create_app(cast("Engine", None), rules({}, "127.0.0.1"))
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}
ALLOWED: dict[str, set[str]] = {}
for each in APP.routes:
    assert isinstance(each, Route)
    ALLOWED.setdefault(each.path, set()).update(each.methods or ())
ALL = sorted(ALLOWED)
# Those that read JSON: nobody can sign in, and what is sent to a blob is the blob.
JSON = [path for path in ALL if "GET" not in ALLOWED[path] and "{" not in path and path != "/api/me"]

VALUES = (
    "null", "[]", "{}", '""', "-1", "1.5", "true", '"x y"', "[null]", "[[]]", "1e308", "18446744073709551616",
    '"\\ud83d"',
)  # fmt: skip
DIGITS, DEPTH = "9" * 5000, 50_000
BODIES = {
    "nothing": "",
    "white space": " \n",
    "null": "null",
    "a list": "[]",
    "a number": "1",
    "text": '"x"',
    "cut": '{"model":"ti',
    "no JSON": "<html>",
    "NaN": '{"model":"x y","options":{"temperature":NaN},"messages":NaN}',
    "an endless number": '{"model":"x y","options":{"seed":1e999}}',
    "endless digits": f'{{"model":"x y","options":{{"seed":{DIGITS}}}}}',
    "deep": f'{{"model":"x y","other":{"[" * DEPTH}',
    "deep lists": f'{{"model":"x y","other":{"[" * DEPTH}{"]" * DEPTH}}}',
    "deep objects": '{"model":"x y","options":' + '{"a":' * DEPTH + "1" + "}" * (DEPTH + 1),
}
HARMLESS: dict[str, dict[str, Any]] = {
    "/api/create": {"model": "swept", "from": "tiny"},
    "/api/copy": {"source": "tiny", "destination": "swept"},
    "/api/import": {"model": "swept", "path": "/nowhere.gguf"},
    **{path: {"model": "x y", "stream": False} for path in ("/api/pull", "/api/push", "/api/delete")},
}
USUAL = {
    "model": "tiny",
    "messages": HI,
    "prompt": "Hi",
    "input": "Hi",
    "stream": False,
    "max_tokens": 1,
    "max_output_tokens": 1,
    "options": {"num_predict": 1},
}


def sent(engine: Serving, path: str, content: bytes | str, **headers: str) -> httpx.Response:
    return engine.http.request(min(ALLOWED[path]), path, content=content, headers=headers)


def sentence(path: str, answer: httpx.Response) -> str:
    """What an answer says is wrong, in the form of its protocol; empty if nothing is.

    What needs Ollama is 501.
    """
    assert answer.status_code < 500 or answer.status_code == 501, answer.text
    if answer.status_code < 400:
        return ""
    error = (told := answer.json())["error"]
    if path.startswith("/v1/"):
        assert error.keys() >= {"message", "type"}
        assert not path.startswith("/v1/messages") or told["type"] == "error"
        error = error["message"]
    assert 0 < len(error) < 400
    assert "Traceback" not in error
    assert ".py" not in error
    return str(error)


@pytest.fixture
async def kind(path: str, monkeypatch: pytest.MonkeyPatch) -> type[Struct]:
    """What the route reads its body as."""
    found: list[type[Struct]] = []

    def note(_: bytes, kind: type[Struct]) -> None:
        found.append(kind)
        raise ApiError(400, "noted")

    monkeypatch.setattr(replies, "decode", note)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(APP), base_url="http://localhost") as client:
        await client.request(min(ALLOWED[path]), path, content=b"{}")
    return found[0]


def odd(kind: type[Struct], usual: dict[str, Any], depth: int = 2) -> Iterator[str]:
    """Bodies that are as usual, but for one value of the kind, or of what is in it."""
    for name, inner in known_keys(kind).values():
        values = [*VALUES]
        for each in odd(inner, {}, depth - 1) if inner and depth else ():
            values += [each, f"[{each}]"]
        rest = json.dumps({key: value for key, value in usual.items() if key != name})[1:]
        yield from (f'{{"{name}":{value}{"" if rest == "}" else ","}{rest}' for value in values)


@pytest.mark.parametrize("path", JSON)
def test_no_value_is_a_fault_of_the_server(engine: Serving, path: str, kind: type[Struct]) -> None:
    refused = 0
    for body in odd(kind, HARMLESS.get(path, USUAL)):
        refused += bool(sentence(path, sent(engine, path, body)))
    assert refused > 5


@pytest.mark.parametrize("path", JSON)
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_what_is_no_request_is_refused_in_words(engine: Serving, path: str, body: str) -> None:
    answer = sent(engine, path, body)
    assert answer.status_code == 400
    assert sentence(path, answer)


@pytest.mark.parametrize("path", JSON)
def test_what_a_request_has_too_much_is_passed_over(engine: Serving, path: str) -> None:
    body = json.dumps({**HARMLESS.get(path, USUAL), "model": "x y", "source": "x y"})
    plain = sentence(path, sent(engine, path, body))
    assert "x y" in plain or "model name" in plain
    for content in (f"{body} and so on", body + body, body + "\n]}", f'{{"other":[1,{{}}],{body[1:]}'):
        assert sentence(path, sent(engine, path, content)) == plain
    for kind in ("text/plain", "application/x-www-form-urlencoded", "image/png; charset=none", "?"):
        assert sentence(path, sent(engine, path, body, **{"content-type": kind})) == plain
    plain_body = body.encode()
    packings = (
        ("gzip", gzip.compress(plain_body)),
        ("Deflate", zlib.compress(plain_body)),
        ("zstd", plain_body),
    )
    for kind, packed in packings:
        assert sentence(path, sent(engine, path, packed, **{"content-encoding": kind})) == plain


@pytest.mark.parametrize("path", JSON)
@pytest.mark.parametrize(
    ("sent_as", "status", "text"),
    [
        (("zstd", b"\x28\xb5\x2f\xfd"), 415, "A body in zstd is not read here: send it plain, or in gzip."),
        (("gzip, gzip", b""), 415, "A body in gzip, gzip is not read here: send it plain, or in gzip."),
        (("gzip", b"[]"), 400, "The body is no gzip, as its Content-Encoding says."),
        (("gzip", gzip.compress(b"{}")[:-9]), 400, "unexpected EOF"),
        (("gzip", gzip.compress(bytes(65_000_000), 1)), 413, "The request is too large: at most "),
    ],
    ids=["zstd", "twice", "none", "cut", "a bomb"],
)
def test_bodies_that_cannot_be_unpacked(
    engine: Serving, path: str, sent_as: tuple[str, bytes], status: int, text: str
) -> None:
    encoding, body = sent_as
    answer = sent(engine, path, body, **{"content-encoding": encoding})
    assert answer.status_code == status
    assert sentence(path, answer).startswith(text)


@pytest.mark.parametrize("path", JSON)
def test_a_body_of_100_mb_is_refused_before_it_comes(engine: Serving, path: str) -> None:
    url = engine.http.base_url
    head = f"{min(ALLOWED[path])} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100000000\r\n\r\n"
    with socket.create_connection((url.host, url.port or 80), 10) as connection:
        connection.sendall(head.encode() + b"{")
        answer = b""
        while not answer.endswith(b"}"):
            part = connection.recv(4096)
            assert part, answer
            answer += part
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"The request is too large: at most " in answer


@pytest.mark.parametrize("path", ALL)
def test_other_methods(engine: Serving, path: str) -> None:
    place = path.replace("{digest}", f"sha256:{'0' * 64}").replace("{model:path}", "tiny")
    for method in METHODS - ALLOWED[path]:
        answer = engine.http.request(method, place, content=b"{")
        assert (answer.status_code, answer.text) == (
            405,
            "" if method == "HEAD" else "405 method not allowed",
        )


class Asked(Struct):
    number: int | float | None = None
    whole: int | None = None
    inner: list[Asked] | None = None
    texts: str | list[str] | None = None
    more: dict[str, int] | None = None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5, "The request must be an object, and is a number."),
        ({"number": []}, "number must be a number, and is a list."),
        ({"whole": 1.5}, "whole must be a whole number, and is a fraction."),
        ({"inner": [{"texts": True}]}, "inner[0].texts must be text or a list, and is true or false."),
        ({"texts": [None]}, "texts[0] must be text, and is null."),
        ({"more": {"a": "b"}}, "more[...] must be a whole number, and is text."),
    ],
)
def test_what_is_wrong_with_a_value(value: object, text: str) -> None:
    with pytest.raises(msgspec.ValidationError) as raised:
        msgspec.convert(value, Asked)
    assert fault(raised.value) == text
