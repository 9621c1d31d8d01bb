"""A test from here: over HTTP, to an engine that asks for a key, and to servers that do it wrong."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.kinds import HostKind
from llmstack_tui.base.secret import Secret
from llmstack_tui.base.structs import replace
from llmstack_tui.core.wording import text
from llmstack_tui.editors.rules.remarks import remarks, works
from llmstack_tui.editors.rules.requests import body
from llmstack_tui.editors.trial import tried
from llmstack_tui.editors.types import Api, Endpoint
from tests.editors.keyed import KEY
from tests.support.scripted_server import Reply, Then, document, serving
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from llmstack_tui.editors.types import TrialReport
    from tests.support.engine import Serving
    from tests.support.scripted_server import Request

CALLING = frozenset({"completion", "tools"})


def _endpoint(url: str, model: str, capabilities: frozenset[str] | None = CALLING) -> Endpoint:
    return Endpoint(
        url=url, model=model, kind=HostKind.BUILTIN, version="0.33.0", capabilities=capabilities, has_key=True
    )


def _kinds(trial: TrialReport, endpoint: Endpoint) -> list[tuple[str, bool | None]]:
    found = remarks(trial, endpoint)
    assert all(text(each.sentence) for each in found)
    return [(each.sentence.kind.removeprefix("editors."), each.is_good) for each in found]


@pytest.mark.parametrize("api", Api)
async def test_a_model_that_calls_the_tool(api: Api, keyed: Serving) -> None:
    endpoint, begun = _endpoint(keyed.url, "calling"), []
    trial = await tried(api, endpoint, Secret(KEY), lambda: begun.append(True))
    assert _kinds(trial, endpoint) == [
        ("first_token", True), ("ended", True), ("called", True), ("key_needed", True),
    ]  # fmt: skip
    assert (trial.status, trial.without_key, begun) == (200, 401, [True])
    assert (trial.heard.tool, json.loads(trial.heard.arguments)) == ("count_lines", {"path": "README.md"})
    assert trial.first_token_s is not None
    assert 0 < trial.first_token_s <= trial.seconds
    assert works(trial)


@pytest.mark.parametrize("api", Api)
async def test_a_model_without_tools(api: Api, keyed: Serving) -> None:
    endpoint = _endpoint(keyed.url, "tiny", frozenset({"completion"}))
    trial = await tried(api, endpoint, Secret(KEY))
    assert ("no_tools", None) in _kinds(trial, endpoint)
    assert trial.heard.text
    assert works(trial)


@pytest.mark.parametrize("api", Api)
async def test_a_wrong_key_is_said_in_the_servers_words(api: Api, keyed: Serving) -> None:
    endpoint = _endpoint(keyed.url, "tiny")
    trial = await tried(api, endpoint, Secret("not-the-key-at-all"))
    assert _kinds(trial, endpoint)[0] == ("refused", False)
    assert trial.status == 401
    assert not works(trial)


@pytest.mark.parametrize("api", Api)
async def test_a_model_that_is_not_there(api: Api, keyed: Serving) -> None:
    endpoint = _endpoint(keyed.url, "nope")
    trial = await tried(api, endpoint, Secret(KEY))
    assert (trial.status, _kinds(trial, endpoint)) == (404, [("refused", False), ("key_needed", True)])
    assert "nope" in text(*trial.failure)


async def test_nobody_is_there() -> None:
    endpoint = _endpoint("http://127.0.0.1:1", "a")
    trial = await tried(Api.OPENAI, endpoint, Secret(KEY))
    assert _kinds(trial, endpoint) == [("no_answer", False)]
    assert trial.without_key is None


def _events(*events: object) -> list[bytes]:
    return [b"data: " + json.dumps(each).encode() + b"\n\n" for each in events]


_SAID = {"choices": [{"delta": {"content": "Hi"}}]}
_STOPPED = {"choices": [{"delta": {}, "finish_reason": "stop"}]}
_CUT = {"choices": [{"delta": {}, "finish_reason": "length"}]}
_CALL = {"function": {"name": "count_lines", "arguments": '{"path"'}}
_CALLED = {"choices": [{"delta": {"tool_calls": [_CALL]}, "finish_reason": "tool_calls"}]}
_DONE = b"data: [DONE]\n\n"

ANSWERS = {
    "text": (Reply([*_events(_SAID, _STOPPED), _DONE]), ["first_token", "ended", "not_called"]),
    "cut by its length": (Reply([*_events(_SAID, _CUT), _DONE]), ["first_token", "cut", "not_called"]),
    "no end": (Reply(_events(_SAID)), ["first_token", "not_ended", "not_called"]),
    "no last event": (Reply(_events(_SAID, _STOPPED)), ["first_token", "not_ended", "not_called"]),
    "half of the arguments": (Reply([*_events(_CALLED), _DONE]), ["first_token", "ended", "bad_arguments"]),
    "an error in the middle": (
        Reply(_events(_SAID, {"error": {"message": "Out of memory."}})),
        ["first_token", "failed_midway"],
    ),
    "a connection that breaks": (Reply(_events(_SAID), then=Then.CUT), ["first_token", "broke_off"]),
    "a web page": (Reply([b"<html>Hello</html>"], content_type="text/html"), ["not_ended", "silent"]),
    "one line without end": (Reply([b"data: " + b"x" * 2_000_000]), ["not_ended", "silent"]),
    "events that are none": (Reply([b"data: [1]\n", b"data: {{\n", b"data: 7\n"]), ["not_ended", "silent"]),
    "an empty answer": (Reply([*_events(_STOPPED), _DONE]), ["empty", "silent"]),
    "a page as an error": (Reply([b"<html>"], status=502), ["refused_silently"]),
    "a sentence as an error": (document({"error": "a does not support tools"}, 400), ["refused"]),
}


@pytest.mark.parametrize(("reply", "kinds"), ANSWERS.values(), ids=ANSWERS)
async def test_what_other_servers_answer(reply: Reply, kinds: list[str]) -> None:
    async def handle(_: Request) -> Reply:
        return reply

    async with serving(handle) as server:
        endpoint = replace(_endpoint(server.url, "a"), has_key=False)
        trial = await tried(Api.OPENAI, endpoint, None)
    assert [kind for kind, _ in _kinds(trial, endpoint)] == kinds
    assert works(trial) == bool({"ended", "cut", "empty"} & {*kinds})


async def test_a_server_that_answers_anybody_is_said() -> None:
    async def handle(_: Request) -> Reply:
        return Reply([*_events(_SAID, _STOPPED), _DONE])

    async with serving(handle) as server:
        endpoint = _endpoint(server.url, "a")
        trial = await tried(Api.OPENAI, endpoint, Secret(KEY))
        sent = [request.headers.get("authorization") for request in server.requests]
    assert _kinds(trial, endpoint)[-1] == ("key_not_needed", False)
    assert sent == [f"Bearer {KEY}", None]


async def test_a_test_that_is_cancelled_leaves_no_connection() -> None:
    async def handle(_: Request) -> Reply:
        return Reply(_events(_SAID), then=Then.HANG)

    async with serving(handle) as server:
        begun = asyncio.Event()
        test = asyncio.create_task(tried(Api.OPENAI, _endpoint(server.url, "a"), None, begun.set))
        await asyncio.wait_for(begun.wait(), 10)
        test.cancel()
        await asyncio.gather(test, return_exceptions=True)
        assert test.cancelled()
        await wait_until(lambda: server.open == 0, what="the connection is closed")


@pytest.mark.parametrize("api", Api)
def test_the_context_of_the_settings_is_asked_for_and_no_other(api: Api) -> None:
    """Another one would load the model again."""
    endpoint = _endpoint("http://x", "a")
    assert "num_ctx" not in json.dumps(body(api, endpoint))
    assert ("num_ctx" in json.dumps(body(api, replace(endpoint, context_length=4096)))) == (api is Api.OLLAMA)
    assert "tools" in body(api, replace(endpoint, capabilities=None))
