"""Whatever the wire looks like, a call ends in a value or in the one error of that kind."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import socket
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmstack_tui.base import languages
from llmstack_tui.base.text import clean
from llmstack_tui.core.wording import words
from llmstack_tui.hosts import transport
from llmstack_tui.hosts.errors import BadStream, HostError, NotFound, Refused, ServerError, Unreachable
from llmstack_tui.hosts.transport import Timeouts
from llmstack_tui.hosts.types import Message
from llmstack_tui.ollama.client import OllamaHost
from tests.ollama.clients import read, talking
from tests.support.scripted_server import Reply, Then, always, document, ndjson
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.support.scripted_server import Request

HTML = Reply((b"<html><body>It works!</body></html>",), content_type="text/html")
QUICK = Timeouts(connect_s=1.0, short_s=0.2, call_s=0.2, load_s=0.2, silence_s=0.2)
HELLO = [Message(role="user", content="Hi")]

# One call of each kind: a document, an act without a document, and streams.
CALLS: dict[str, Callable[[OllamaHost], Awaitable[object]]] = {
    "version": lambda host: host.version(),
    "installed": lambda host: host.installed(),
    "running": lambda host: host.running(),
    "show": lambda host: host.show("m"),
    "load": lambda host: host.load("m"),
    "unload": lambda host: host.unload("m"),
    "embed": lambda host: host.embed("m", ["a"]),
    "chat": lambda host: read(host.chat("m", HELLO)),
    "generate": lambda host: read(host.generate("m", "Hi")),
    "pull": lambda host: read(host.pull("m")),
    "create": lambda host: read(host.create("m", base="n")),
}
ACTS: dict[str, Callable[[OllamaHost], Awaitable[object]]] = {
    "copy": lambda host: host.copy("a", "b"),
    "delete": lambda host: host.delete("m"),
}
STREAMS = ("chat", "generate", "pull", "create")


async def failure(
    handle: Callable[[Request], Awaitable[Reply]],
    call: Callable[[OllamaHost], Awaitable[object]],
    timeouts: Timeouts | None = None,
) -> HostError:
    """The error that a call ends in; it leaves no connection behind."""
    async with talking(handle, timeouts) as (host, server):
        with pytest.raises(HostError) as caught:
            await call(host)
        error = caught.value
        assert error.host == host.url
        await host.aclose()
        await wait_until(lambda: server.open == 0, what="all connections closed")
    for text in (words(error), error.detail):
        assert text.isprintable()
    assert words(error).endswith((".", "?", "…"))
    return error


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "reply",
    [
        HTML,
        Reply((b"Welcome to nginx",), content_type="text/plain"),
        Reply((b'{"version": "1', b'"models": [{"na'), then=Then.CUT),
        Reply((b'{"version": "1"',)),
        Reply((b"[]",)),
        Reply((b"3",)),
        Reply((b'"text"',)),
        Reply((b"\xff\xfe\x00",)),
        Reply((b"",)),
        Reply((b"[" * 100_000,)),
        Reply((b'{"a":' * 100_000,)),
        Reply((b"x",), then=Then.RESET),
        Reply((b'{"models": [1], "version": 2, "status": 3, "done": 4, "embeddings": 5, "details": 6}',)),
        Reply(raw=b"SSH-2.0-OpenSSH_9.6\r\n\r\n"),
        Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}"),
        Reply(raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
        Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"),
        Reply((b"moved",), status=302, headers={"Location": "http://127.0.0.1:9/"}),
        Reply((b"<html>404</html>",), status=404, content_type="text/html"),
    ],
    ids=["html", "text", "cut-json", "half-json", "list", "number", "string", "bytes", "empty", "deep-lists",
         "deep-objects", "reset", "wrong-types",
         "ssh", "short-body", "bad-chunk", "bad-gzip", "redirect", "html-404"],
)  # fmt: skip
async def test_an_answer_of_another_kind_is_not_understood(call: str, reply: Reply) -> None:
    error = await failure(always(reply), CALLS[call])
    assert isinstance(error, BadStream), error


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize(
    "reply",
    [
        HTML,
        Reply((b"OK",), content_type="text/plain"),
        Reply((b"[]",)),
        Reply((b'{"error": ',)),
        Reply((b"{}",), then=Then.CUT),
        Reply((b"<html>moved</html>",), status=302, headers={"Location": "http://127.0.0.1:9/"}),
        Reply((b"<html>404</html>",), status=404, content_type="text/html"),
    ],
    ids=["html", "text", "list", "half-json", "cut", "redirect", "html-404"],
)
async def test_an_act_is_not_believed_to_be_done_by_an_answer_of_another_kind(act: str, reply: Reply) -> None:
    assert isinstance(await failure(always(reply), ACTS[act]), BadStream)


@pytest.mark.parametrize("act", ACTS)
async def test_an_act_that_answers_with_an_error_under_a_good_status_has_failed(act: str) -> None:
    error = await failure(always(document({"error": "disk full"})), ACTS[act])
    assert isinstance(error, ServerError)
    assert "disk full" in words(error)


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("body", [b"", b"null", b"{}", b"\n"], ids=["nothing", "null", "object", "line"])
async def test_an_act_is_done_when_the_server_says_nothing_against_it(act: str, body: bytes) -> None:
    async with talking(always(Reply((body,) if body else ()))) as (host, _):
        await ACTS[act](host)


@pytest.mark.parametrize("call", CALLS | ACTS)
async def test_a_connection_closed_without_an_answer_is_unreachable(call: str) -> None:
    error = await failure(always(Reply(raw=b"")), (CALLS | ACTS)[call])
    assert isinstance(error, Unreachable)


@pytest.mark.parametrize("call", CALLS | ACTS)
async def test_silence_is_unreachable_in_time(call: str) -> None:
    error = await failure(always(Reply(raw=b"", then=Then.HANG)), (CALLS | ACTS)[call], QUICK)
    assert isinstance(error, Unreachable)


@pytest.mark.parametrize("call", STREAMS)
async def test_silence_in_the_middle_of_a_stream_is_unreachable_in_time(call: str) -> None:
    reply = ndjson({"status": "pulling", "message": {"content": "a"}}, then=Then.HANG)
    error = await failure(always(reply), CALLS[call], QUICK)
    assert isinstance(error, Unreachable)


async def test_a_document_that_drips_is_unreachable_in_time() -> None:
    reply = Reply((b'{"version": "1"}',), gate=asyncio.Event().wait)
    error = await failure(always(reply), CALLS["version"], Timeouts(short_s=0.1))
    assert isinstance(error, Unreachable)
    assert "0.1 seconds" in words(error)


@pytest.mark.parametrize("call", CALLS | ACTS)
async def test_nobody_there_is_unreachable_with_a_hint(call: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    host = OllamaHost(f"http://127.0.0.1:{port}")
    with pytest.raises(Unreachable) as caught:
        await (CALLS | ACTS)[call](host)
    await host.aclose()
    assert str(port) in words(caught.value)
    assert caught.value.hint == "host.start_it"
    assert caught.value.detail == os.strerror(errno.ECONNREFUSED)


async def test_a_name_that_nobody_knows_is_unreachable() -> None:
    host = OllamaHost("http://no-such-host.invalid:11434")
    with pytest.raises(Unreachable) as caught:
        await host.version()
    await host.aclose()
    assert "address" in caught.value.hint


@pytest.mark.parametrize("call", CALLS | ACTS)
@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (document({"error": "model 'm' not found"}, 404), NotFound),
        (document({"error": {"message": "no such model", "type": "not_found_error"}}, 404), NotFound),
        (document({"error": "does not support"}, 400), Refused),
        (document({"error": "no"}, 403), Refused),
        (Reply((b"404 page not found",), 404, "text/plain"), Refused),
        (Reply((b"405 method not allowed",), 405, "text/plain"), Refused),
        (Reply((b"<html>no</html>",), 401, "text/html"), Refused),
        (document({"error": "out of memory"}, 500), ServerError),
        (Reply((b"<html>Bad Gateway</html>",), 502, "text/html"), ServerError),
        (Reply((), 503), ServerError),
    ],
)
async def test_a_status_is_an_error_of_its_kind(call: str, reply: Reply, kind: type[HostError]) -> None:
    error = await failure(always(reply), (CALLS | ACTS)[call])
    assert type(error) is kind
    said = json.loads(reply.pieces[0]) if reply.pieces and reply.pieces[0][:1] == b"{" else None
    if said is not None:
        message = said["error"] if isinstance(said["error"], str) else said["error"]["message"]
        assert error.detail == message
        if kind is not NotFound:
            assert message in words(error)


async def test_who_needs_a_key_says_where_it_is_named() -> None:
    error = await failure(always(document({"error": "no"}, 401)), CALLS["installed"])
    assert (error.hint, "api_key_file" in words(error)) == ("host.name_its_key", True)
    assert (await failure(always(document({"error": "no"}, 403)), CALLS["installed"])).hint == ""


@pytest.mark.parametrize("call", STREAMS)
async def test_an_error_line_in_a_stream_is_the_servers_failure(call: str) -> None:
    lines = ndjson({"status": "pulling manifest"}, {"error": "file does not exist"})
    error = await failure(always(lines), CALLS[call])
    assert type(error) is ServerError
    assert error.detail == "file does not exist"


@pytest.mark.parametrize("call", STREAMS)
@pytest.mark.parametrize("then", [Then.END, Then.CUT, Then.RESET])
async def test_a_stream_that_ends_too_early_is_not_understood(call: str, then: Then) -> None:
    lines = ndjson({"status": "pulling", "message": {"content": "a"}, "response": "a"}, then=then)
    error = await failure(always(lines), CALLS[call])
    assert type(error) is BadStream


@pytest.mark.parametrize("call", STREAMS)
async def test_a_line_may_come_in_pieces_and_the_last_without_an_end(call: str) -> None:
    text = b'{"status": "a", "message": {"content": "\xc3\xa4"}}\r\n\n{"done": true, "status": "success"}'
    pieces = [text[index : index + 1] for index in range(len(text))]
    async with talking(always(Reply(pieces, content_type="application/x-ndjson"))) as (host, _):
        values = await CALLS[call](host)
    assert isinstance(values, list)
    assert len(values) == 2


async def test_an_answer_of_absurd_size_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "MAX_DOCUMENT_BYTES", 2**20)
    monkeypatch.setattr(transport, "MAX_LINE_BYTES", 2**20)
    endless = Reply([b" " * 2**18] * 100, then=Then.HANG)
    for call in ("installed", "chat"):
        error = await failure(always(endless), CALLS[call], Timeouts(short_s=5, silence_s=5))
        assert type(error) is BadStream
        assert error.kind in ("answer.too_large", "answer.long_line")


async def test_an_error_of_absurd_size_is_not_read() -> None:
    error = await failure(always(Reply([b"x" * 2**16] * 4, 500, then=Then.HANG)), CALLS["installed"])
    assert isinstance(error, BadStream)


async def test_words_of_a_server_move_no_cursor() -> None:
    words = "bad\x1b[2J\x07\r\nnews\u202e [bold]not markup[/]"
    error = await failure(always(document({"error": words}, 400)), CALLS["version"])
    assert error.detail == "bad\ufffd[2J\ufffd news\ufffd [bold]not markup[/]"


def _nested(depth: int) -> list[dict[str, object]]:
    inner = _nested(depth - 1) if depth else "deep"
    return [{"kind": "quoted", "params": {"text": inner}}]


REACHED = {"host": "r.example", "why": "Connection refused"}


@pytest.mark.parametrize(
    ("sentences", "said"),
    [
        (
            [{"kind": "registry.unreachable", "params": REACHED}],
            "No se puede conectar con r.example: conexión rechazada.",
        ),
        (
            [{"kind": "registry.busy", "params": {"host": "a\x1b[2J\u202e", "retry_after_s": 90}}],
            "Se ha consultado a\ufffd[2J\ufffd demasiadas veces: vuelve a intentarlo en 90 s.",
        ),
        (_nested(7), "deep."),
        (_nested(8), "Its text."),
        ([{"kind": "registry.newer", "params": REACHED}], "Its text."),
        ([{"kind": "registry.unreachable", "params": {}}], "Its text."),
        ([{"kind": "registry.unreachable", "params": {"host": None, "why": True}}], "Its text."),
        ([{"kind": "registry.busy", "params": {"host": "a", "retry_after_s": 1e300}}], "Its text."),
        ([{"kind": "registry.busy", "params": {"host": "a", "retry_after_s": 10**400}}], "Its text."),
        ([{"kind": "registry.busy", "params": {"host": "a", "retry_after_s": "soon"}}], "Its text."),
        ([{"kind": "registry.unreachable", "params": {**REACHED, "more": "x" * 5000}}], "Its text."),
        ([{"kind": "registry.unreachable", "params": {**REACHED, "why": "\ud800"}}], "Its text."),
        ([{"kind": ["registry.unreachable"]}], "Its text."),
        ([], "Its text."),
        (None, "Its text."),
        ({"kind": "registry.unreachable", "params": REACHED}, "Its text."),
        ("registry.unreachable", "Its text."),
    ],
)  # fmt: skip
async def test_an_error_that_comes_as_sentences_is_in_the_language_of_the_screen(
    sentences: object, said: str
) -> None:
    answer = {"error": "Its text.", "sentences": sentences}
    replies = (document(answer, 400), document(answer, 500), ndjson({"status": "a"}, answer))
    errors = [await failure(always(reply), CALLS["pull"]) for reply in replies]
    languages.use("es")
    try:
        refused, *failed = (words(error).partition(": ")[2] for error in errors)
    finally:
        languages.use("en")
    assert (refused, *failed) == (said, said, said)
    assert {error.detail for error in errors} == {"Its text."}


async def test_a_long_error_is_cut() -> None:
    error = await failure(always(document({"error": "x" * 50_000}, 500)), CALLS["version"])
    assert len(error.detail) == 300


@pytest.mark.parametrize("name", ["\x1b[2J", "../../etc/passwd", "a\nb", "\x00", "ä" * 1000, '"}', "%s{x}"])
async def test_a_strange_name_is_only_ever_data(name: str) -> None:
    async with talking(always(document({"error": "no such model"}, 404))) as (host, server):
        for call in (host.show, host.unload, host.delete, lambda name: host.copy(name, name)):
            with pytest.raises(NotFound) as caught:
                await call(name)
            assert words(caught.value).isprintable()
        assert {request.path for request in server.requests} == {
            "/api/show",
            "/api/generate",
            "/api/delete",
            "/api/copy",
        }
        assert name in server.requests[0].json.values()


async def test_a_name_that_is_no_text_is_refused_unsent() -> None:
    async with talking(always(document({}))) as (host, server):
        with pytest.raises(Refused):
            await host.show("\udcff")
        assert server.requests == []


async def test_strange_names_in_a_list_are_kept_as_they_are() -> None:
    models = [{"name": "\x1b[2Jevil"}, {"model": "only:model"}]
    async with talking(always(document({"models": models}))) as (host, _):
        assert [model.name for model in await host.installed()] == ["\x1b[2Jevil", "only:model"]
        assert [model.name for model in await host.running()] == ["\x1b[2Jevil", "only:model"]


@pytest.mark.parametrize("answer", [{}, {"models": None}, {"models": [{}]}, {"models": [{"name": ""}]}])
async def test_a_list_that_is_none_is_not_an_empty_one(answer: dict[str, object]) -> None:
    for call in ("installed", "running"):
        assert type(await failure(always(document(answer)), CALLS[call])) is BadStream


async def test_figures_that_are_not_there_are_unknown() -> None:
    listed = {"name": "a:1", "digest": "sha256:ab", "modified_at": "soon", "details": {"families": None}}
    async with talking(always(document({"models": [listed]}))) as (host, _):
        (model,) = await host.installed()
        (running,) = await host.running()
    assert (model.digest, model.size, model.modified_at, model.family) == ("ab", None, None, None)
    assert (running.size, running.size_vram, running.expires_at, running.requests) == (None, None, None, None)


async def test_a_cloud_model_has_no_size_here() -> None:
    listed = {"name": "big:cloud", "size": 381, "remote_host": "https://ollama.com", "remote_model": "big"}
    async with talking(always(document({"models": [listed]}))) as (host, _):
        (model,) = await host.installed()
    assert model.is_cloud
    assert model.size is None


@pytest.mark.parametrize("call", CALLS)
async def test_cancelling_closes_the_connection(call: str) -> None:
    async with talking(always(Reply(raw=b"", then=Then.HANG))) as (host, server):
        task = asyncio.ensure_future(CALLS[call](host))
        await wait_until(lambda: server.requests)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await wait_until(lambda: server.open == 0, what="the connection closed")


async def test_leaving_a_stream_closes_the_connection() -> None:
    reply = ndjson(*[{"message": {"content": "word "}}] * 3, then=Then.HANG)
    async with talking(always(reply)) as (host, server):
        async with aclosing(host.chat("m", HELLO)) as chunks:
            assert (await anext(chunks)).text == "word "
            assert server.open == 1
        await wait_until(lambda: server.open == 0, what="the connection closed")


async def test_one_connection_serves_many_questions() -> None:
    async with talking(always(document({"models": []}))) as (host, server):
        for _ in range(20):
            await host.running()
        assert server.open == 1


async def test_an_idle_connection_closed_by_the_server_is_no_failure() -> None:
    reply = Reply(raw=b'HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{"version": "1"}')
    async with talking(always(reply)) as (host, server):
        for _ in range(5):
            assert (await host.version()).version == "1"
            await wait_until(lambda: server.open == 0)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.binary(max_size=200) | st.text(max_size=200).map(str.encode), call=st.sampled_from([*CALLS])
)
async def test_any_bytes_end_in_a_value_or_a_host_error(content: bytes, call: str) -> None:
    async with talking(always(Reply((content,))), QUICK) as (host, _):
        try:
            await CALLS[call](host)
        except HostError as error:
            assert clean(words(error)) == words(error)  # noqa: PT017


KEYS = st.sampled_from(
    ["models", "name", "version", "status", "done", "message", "content", "error", "details", "model_info",
     "total_duration", "embeddings", "expires_at", "size", "digest", "capabilities", "modelfile", "completed"]
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150)
@given(value=st.dictionaries(KEYS, JSON, max_size=6), call=st.sampled_from([*CALLS]))
async def test_any_json_ends_in_a_value_or_a_host_error(value: object, call: str) -> None:
    async with talking(always(document(value)), QUICK) as (host, _):
        try:
            await CALLS[call](host)
        except HostError as error:
            assert clean(words(error)) == words(error)  # noqa: PT017
