"""A wrong value spoils itself alone, and an answer takes little memory and time however it is made."""

from __future__ import annotations

import gzip
import json
import time
import tracemalloc
import zlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.core.wording import words
from llmstack_tui.hosts.decoding import WrongShape, decode
from llmstack_tui.hosts.errors import BadStream
from llmstack_tui.hosts.transport import MAX_DOCUMENT_BYTES
from llmstack_tui.ollama import wire
from tests.ollama.clients import read, talking
from tests.support.scripted_server import Reply, always

if TYPE_CHECKING:
    from llmstack_tui.hosts.types import Model

DEEP = 100_000
# A figure, a time, a field and a name that make no sense, each in a model of its own beside two others.
NONSENSE = {
    "400 digits": b'"name": "odd:1b", "size": ' + b"9" * 400,
    "5,000 digits": b'"name": "odd:1b", "size": ' + b"9" * 5000,
    "5,000 digits in a field that nobody reads": b'"name": "odd:1b", "families": ' + b"9" * 5000,
    "a negative size": b'"name": "odd:1b", "size": -5',
    "NaN": b'"name": "odd:1b", "size": NaN',
    "infinite": b'"name": "odd:1b", "size": -Infinity',
    "beyond any float": b'"name": "odd:1b", "size": 1e999',
    "a text": b'"name": "odd:1b", "size": "5 GB"',
    "an object": b'"name": "odd:1b", "size": {}',
    "details that are none": b'"name": "odd:1b", "details": [1, 2]',
    "a time that is none": b'"name": "odd:1b", "modified_at": 5',
    "deep lists": b'"name": "odd:1b", "families": ' + b"[" * DEEP + b"]" * DEEP,
    "deep objects": b'"name": "odd:1b", "families": ' + b'{"a":' * DEEP + b"1" + b"}" * DEEP,
}
NAMELESS = {
    "no name": b'"size": 5',
    "null": b'"name": null',
    "a number": b'"name": 5',
    "empty": b'"name": ""',
    "a list": b'"name": ["odd:1b"]',
    "half a pair": b'"name": "\\ud800"',
    "a megabyte": b'"name": "' + b"x" * 2**20 + b'"',
    "the same again": b'"name": "first:1b", "size": 7',
}


async def listed(*models: bytes) -> tuple[Model, ...]:
    reply = Reply((b'{"models": [' + b", ".join(models) + b"]}",))
    async with talking(always(reply)) as (host, _):
        installed = await host.installed()
        assert [each.name for each in await host.running()] == [each.name for each in installed]
    return installed


@pytest.mark.parametrize("odd", NONSENSE)
async def test_a_figure_that_makes_no_sense_is_unknown_and_all_models_are_listed(odd: str) -> None:
    first, second, last = await listed(
        b'{"name": "first:1b", "size": 5}', b"{" + NONSENSE[odd] + b"}", b'{"name": "last:1b", "size": 6}'
    )
    assert (first.name, first.size, last.name, last.size) == ("first:1b", 5, "last:1b", 6)
    assert (second.name, second.size, second.modified_at) == ("odd:1b", None, None)


@pytest.mark.parametrize("odd", NAMELESS)
async def test_a_model_without_a_usable_name_is_left_out_and_the_others_are_listed(odd: str) -> None:
    models = await listed(
        b'{"name": "first:1b", "size": 5}', b"{" + NAMELESS[odd] + b"}", b'{"name": "last:1b"}'
    )
    assert [(each.name, each.size) for each in models] == [("first:1b", 5), ("last:1b", None)]


async def test_what_is_no_model_is_left_out_and_a_name_of_wrong_bytes_is_listed() -> None:
    models = await listed(b"1", b"null", b'"a"', b"[]", b'{"name": "odd\xff:1b"}', b'{"name": "last:1b"}')
    assert [each.name for each in models] == ["odd\ufffd:1b", "last:1b"]


async def test_models_beyond_the_most_are_counted() -> None:
    models = b", ".join(b'{"name": "m:%d"}' % number for number in range(5003))
    async with talking(always(Reply((b'{"models": [' + models + b"]}",)))) as (host, _):
        assert len(await host.installed()) == 5000
        assert host.left_out == 3


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("9999-12-31T23:59:59-14:00", datetime(9000, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59Z", datetime(9000, 1, 1, tzinfo=UTC)),
        ("2318-01-01T00:00:00Z", datetime(2318, 1, 1, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("0002-01-01T00:00:00Z", None),
        ("1969-12-31T16:00:00-08:00", None),
    ],
)
async def test_a_time_can_be_compared_and_shown_in_any_zone(text: str, time: datetime | None) -> None:
    model = json.dumps({"name": "a:1b", "expires_at": text, "modified_at": text}).encode()
    async with talking(always(Reply((b'{"models": [' + model + b"]}",)))) as (host, _):
        (installed,), (running,) = await host.installed(), await host.running()
    assert installed.modified_at == running.expires_at == time
    if time is not None:
        assert time.astimezone().year >= 2317


async def test_a_line_of_a_stream_with_nonsense_in_it_is_read() -> None:
    lines = (
        b'{"status": "pulling", "total": ' + b"9" * 400 + b', "completed": NaN}\n'
        b'{"status": "' + b"x" * 2**20 + b'", "total": -1, "digest": 7}\n'
        b'{"status": "success"}\n'
    )
    async with talking(always(Reply((lines,)))) as (host, _):
        first, second, last = await read(host.pull("a"))
    assert (first.status, first.total, first.completed) == ("pulling", None, None)
    assert (len(second.status), second.total, second.digest) == (300, None, None)
    assert last.status == "success"


async def test_the_end_of_an_answer_counts_although_its_figures_make_no_sense() -> None:
    figures = b'"total_duration": ' + b"9" * 300 + b', "eval_count": -4, "eval_duration": 1e999'
    line = b'{"message": {"content": "a"}, "done": true, ' + figures + b"}"
    async with talking(always(Reply((line,)))) as (host, _):
        (chunk,) = await read(host.chat("m", []))
    assert (chunk.text, chunk.done) == ("a", True)
    assert chunk.usage is None or chunk.usage.tokens_per_second is None


def bomb(layers: int) -> bytes:
    packed = b" " * 10**7
    for _ in range(layers):
        packed = gzip.compress(packed)
    return packed


PACKED = {
    "gzip": bomb(1),
    "gzip, gzip, gzip": bomb(3),
    "deflate": zlib.compress(b" " * 10**7),
    "br": b"x",
    "x-unknown": b"x",
}


@pytest.mark.parametrize("encoding", PACKED)
@pytest.mark.parametrize("status", [200, 500])
async def test_nothing_is_unpacked(encoding: str, status: int) -> None:
    reply = Reply((PACKED[encoding],), status, headers={"Content-Encoding": encoding})
    async with talking(always(reply)) as (host, server):
        for call in (host.installed, lambda: read(host.chat("m", [])), lambda: host.delete("m")):
            tracemalloc.start()
            try:
                with pytest.raises(BadStream) as caught:
                    await call()
                assert tracemalloc.get_traced_memory()[1] < 5 * 10**6
            finally:
                tracemalloc.stop()
            assert caught.value.kind == "answer.packed"
            assert "packed" in words(caught.value)
        assert {each.headers["accept-encoding"] for each in server.requests} == {"identity"}


def filled(start: bytes, piece: bytes, end: bytes) -> bytes:
    """A document that is as long as one may be."""
    return start + piece * ((MAX_DOCUMENT_BYTES - len(start) - len(end)) // len(piece)) + end


def models(form: bytes, count: int, first: bytes = b"") -> bytes:
    return b'{"models": [' + first + b", ".join(form % number for number in range(count)) + b"]}"


HEAVY = {
    "empty objects": filled(b'{"models": [', b"{},", b"{}]}"),
    "empty lists": filled(b'{"models": [', b"[],", b"[]]}"),
    "numbers": filled(b'{"models": [', b"1,", b"1]}"),
    "few numbers": b'{"models": [' + b"1," * 200_000 + b"1]}",
    "many models": models(b'{"name":"%d"}', 80_000),
    "many and one wrong": models(b'{"name":"%d"}', 80_000, b"NaN, "),
    "many, all wrong": models(b'{"name":"%d","size":""}', 60_000),
    "a wide text": filled(b'{"models": [{"name": "\xf0\x9f\xa6\x99', b"x", b'"}]}'),
    "unknown fields": b'{"models": [{"name": "a", "x": {' + b'"a":1,' * 200_000 + b'"a":NaN}}]}',
    "escaped quotes": filled(b'{"models": [NaN, {"name": "', b'\\"', b'"}]}'),
    "quotes without an end": filled(b'{"models": [NaN, "', b'\\"', b""),
    "open lists": filled(b'{"models": ', b"[", b""),
    "few open lists": b'{"models": ' + b"[" * 200_000,
}  # fmt: skip


@pytest.mark.parametrize("heavy", HEAVY)
def test_an_answer_takes_neither_memory_nor_time(heavy: str) -> None:
    tracemalloc.start()
    try:
        read_or_refused(HEAVY[heavy])
        assert tracemalloc.get_traced_memory()[1] < 80 * 10**6
    finally:
        tracemalloc.stop()
    start_s = time.process_time()
    read_or_refused(HEAVY[heavy])
    # A slow machine takes a second for the longest.
    assert time.process_time() - start_s < 3


def read_or_refused(content: bytes) -> None:
    try:
        decode(content, wire.ListResponse)
    except (ValueError, RecursionError, WrongShape):
        return
