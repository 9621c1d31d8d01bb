"""What editors and agents send is answered, and each answer has what they read (see ``editors.py``)."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.engine.api import editors
from tests.engine.api.editors import CLIENTS, Ask, Client
from tests.support import folders
from tests.support.calling import ARGUMENTS, FUNCTION, REPLY, TOOL
from tests.support.engine import GREEDY, Serving, serving
from tests.support.gguf import models

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import httpx

EVERY_CLIENT = pytest.mark.parametrize("client", CLIENTS, ids=[client.name for client in CLIENTS])
ASKED = [(client, ask) for client in CLIENTS for ask in client.asks]


class Told(NamedTuple):
    """What a client takes from a stream: the text, the calls of tools, why it ended, and all tokens."""

    text: str
    calls: list[tuple[str, Any]]
    reason: str
    tokens: int


def stream_of_ollama(response: httpx.Response) -> Told:
    assert response.headers["content-type"] == "application/x-ndjson"
    lines = [json.loads(line) for line in response.text.splitlines()]
    calls = []
    for line in lines:
        assert isinstance(line["model"], str)
        assert isinstance(line["created_at"], str)
        assert line["message"]["role"] == "assistant"
        for call in line["message"].get("tool_calls", ()):
            assert call["id"]
            calls.append((call["function"]["name"], call["function"]["arguments"]))
    *others, end = lines
    assert (end["done"], {line["done"] for line in others}) == (True, {False})
    text = "".join(line["message"]["content"] for line in lines)
    return Told(text.strip(), calls, end["done_reason"], end["prompt_eval_count"] + end["eval_count"])


def data(response: httpx.Response) -> Iterator[Any]:
    """The values of a stream of events."""
    assert response.headers["content-type"] == "text/event-stream"
    for event in response.text.strip().split("\n\n"):
        value = event.rpartition("data: ")[2]
        yield value if value == "[DONE]" else json.loads(value)


def stream_of_openai(response: httpx.Response) -> Told:
    *parts, usage, end = data(response)
    assert end == "[DONE]"
    assert usage["choices"] == []
    deltas = [part["choices"][0]["delta"] for part in parts]
    calls = [call for delta in deltas for call in delta.get("tool_calls", ())]
    assert all((call["type"], call["index"]) == ("function", at) for at, call in enumerate(calls))
    assert len({call["id"] for call in calls}) == len(calls)
    return Told(
        "".join(delta.get("content") or "" for delta in deltas),
        [(call["function"]["name"], json.loads(call["function"]["arguments"])) for call in calls],
        parts[-1]["choices"][0]["finish_reason"],
        usage["usage"]["total_tokens"],
    )


def stream_of_anthropic(response: httpx.Response) -> Told:
    start, *events, delta, stop = data(response)
    assert (start["type"], stop) == ("message_start", {"type": "message_stop"})
    assert start["message"]["id"].startswith("msg_")
    blocks: list[dict[str, Any]] = []
    for event in events:
        if event["type"] == "content_block_start":
            assert event["index"] == len(blocks)
            blocks.append({**event["content_block"], "told": ""})
        elif event["type"] == "content_block_delta":
            told = event["delta"]
            blocks[-1]["told"] += told.get("text") or told.get("partial_json") or ""
    calls = [(each["name"], json.loads(each["told"])) for each in blocks if each["type"] == "tool_use"]
    text = "".join(each["told"] for each in blocks if each["type"] == "text")
    return Told(text, calls, delta["delta"]["stop_reason"], sum(delta["usage"].values()))


def stream_of_responses(response: httpx.Response) -> Told:
    created, *events, completed = data(response)
    assert (created["type"], completed["type"]) == ("response.created", "response.completed")
    assert created["response"]["id"] == completed["response"]["id"]
    items = [event["item"] for event in events if event["type"] == "response.output_item.done"]
    text = "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta")
    assert text == "".join(
        part["text"] for item in items if item["type"] == "message" for part in item["content"]
    )
    calls = [
        (item["name"], json.loads(item["arguments"])) for item in items if item["type"] == "function_call"
    ]
    return Told(text, calls, completed["response"]["status"], completed["response"]["usage"]["total_tokens"])


STREAMS: dict[str, Callable[[httpx.Response], Told]] = {
    "ollama": stream_of_ollama,
    "openai": stream_of_openai,
    "anthropic": stream_of_anthropic,
    "responses": stream_of_responses,
}
# Why an answer ends, and why it ends with a call.
REASONS = {
    "ollama": ("stop", "stop"),
    "openai": ("stop", "tool_calls"),
    "anthropic": ("end_turn", "tool_use"),
    "responses": ("completed", "completed"),
}


def asked(engine: Serving, client: Client, model: str, *fields: dict[str, Any]) -> httpx.Response:
    body = {"model": model, **client.body}
    for each in fields:
        body |= each
    return engine.http.post(client.path, json=body, headers=client.headers)


def told(engine: Serving, client: Client, model: str, *fields: dict[str, Any]) -> Told:
    response = asked(engine, client, model, *fields)
    assert response.status_code == 200, response.text
    found = STREAMS[client.protocol](response)
    assert found.tokens
    return found


def read(value: Any, path: str) -> Any:
    for key in path.split("."):
        value = value[int(key)] if isinstance(value, list) else value[key.replace(":", ".")]
    return value


@pytest.mark.parametrize(("client", "ask"), ASKED, ids=[f"{each.name} {ask.path}" for each, ask in ASKED])
def test_what_it_asks_first(engine: Serving, client: Client, ask: Ask) -> None:
    answer = engine.http.request(ask.method, ask.path, json=ask.body, headers=client.headers)
    assert answer.status_code == 200, answer.text
    for path in ask.reads:
        assert read(answer.json(), path) is not None


@EVERY_CLIENT
def test_a_chat(engine: Serving, client: Client) -> None:
    found = told(engine, client, "tiny", client.said)
    assert (found.text, found.calls) == (models.ANSWER, [])
    assert found.reason == REASONS[client.protocol][0]


@EVERY_CLIENT
def test_a_call_of_a_tool_and_its_result(engine: Serving, client: Client) -> None:
    calling = ("", [("add", ARGUMENTS)], REASONS[client.protocol][1])
    assert told(engine, client, "agreeing", client.said, client.tools)[:3] == calling
    answered = (REPLY, [], REASONS[client.protocol][0]) if client.ends else calling
    assert told(engine, client, "agreeing", client.result)[:3] == answered


@pytest.mark.parametrize(
    ("client", "part"),
    [
        (editors.VS_CODE, {"content": [{"type": "image_url", "image_url": {"url": "data:image/png,"}}]}),
        (editors.CLINE, {"content": "", "images": ["AA=="]}),
        (editors.ZED, {"content": "See.", "images": ["AA=="]}),
    ],
)
def test_pictures_are_refused_with_the_reason(engine: Serving, client: Client, part: dict[str, Any]) -> None:
    refused = asked(engine, client, "tiny", {"messages": [{"role": "user", **part}]})
    assert refused.status_code == 400
    assert "takes text only" in refused.text


def test_vs_code_has_one_tool_called(engine: Serving) -> None:
    """As for its title and categories: ``tool_choice`` of promptCategorizer.ts."""
    other = {**TOOL, "function": {**FUNCTION, "name": "categorize"}}
    choice = {"type": "function", "function": {"name": "add"}}
    fields = {"tools": [other, TOOL], "tool_choice": choice}
    assert told(engine, editors.VS_CODE, "agreeing", editors.VS_CODE.said, fields).calls == [
        ("add", ARGUMENTS)
    ]
    # It would not have called one by itself.
    history = {**editors.VS_CODE.result, "tool_choice": "required", "max_tokens": 60}
    assert told(engine, editors.VS_CODE, "agreeing", history).text != REPLY


def test_a_models_stops_are_read_by_continue(engine: Serving) -> None:
    """It splits each line of ``parameters`` at the first space, and decodes a text as JSON."""
    body = {"model": "stopping", "from": "tiny", "parameters": {"stop": ["</s>", 'a "b"'], "num_ctx": 4096}}
    assert engine.post("/api/create", **body).text.endswith('{"status":"success"}\n')
    lines = engine.answered("/api/show", name="stopping")["parameters"].splitlines()
    found = [re.fullmatch(r'(\S+)\s+(".*"|\S+)', line) for line in lines]
    assert [json.loads(each[2]) for each in found if each] == [4096, "</s>", 'a "b"']


def test_completions_of_code(engine: Serving) -> None:
    """Zed and Continue write the prompt around the gap themselves, for a model with no template for it."""
    prompt = "<|fim_prefix|>def add(a):<|fim_suffix|><|fim_middle|>\n"
    stops = ["<|endoftext|>", "<|fim_prefix|>", "[PREFIX]", " model"]
    options = {**GREEDY, "num_predict": 64, "stop": stops}
    raw = {"model": "tiny", "prompt": prompt, "raw": True, "options": options}
    assert engine.answered("/api/generate", **raw)["response"] == "Hello from a tiny"
    lines = engine.post("/api/generate", **raw, keep_alive=1800, stream=True).text.splitlines()
    assert "".join(json.loads(line)["response"] for line in lines) == "Hello from a tiny"


def test_what_continue_embeds(engine: Serving) -> None:
    found = engine.answered("/api/embed", model="tiny", input=["def add(a):", "return a"])
    assert [len(vector) for vector in found["embeddings"]] == [320, 320]


def test_codex_hears_that_a_conversation_is_too_long(tmp_path: Path, tiny_model: Path) -> None:
    """It shortens one then; a first prompt, of which it can leave out nothing, is refused with the reason."""
    with serving(tmp_path, OLLAMA_CONTEXT_LENGTH="2048") as engine:
        engine.import_file("tiny", tiny_model)
        first = {"role": "user", "content": "x" * 20_000}
        long = {"input": [{"role": "assistant", "content": "Hi."}, first]}
        created, failed = data(asked(engine, editors.CODEX_CLI, "tiny", long))
        assert (created["type"], failed["type"]) == ("response.created", "response.failed")
        assert failed["response"]["error"]["code"] == "context_length_exceeded"
        told_once = asked(engine, editors.CODEX_CLI, "tiny", {"input": [first]})
        assert (told_once.status_code, told_once.json()["error"]["code"]) == (400, None)
        assert "OLLAMA_CONTEXT_LENGTH" in told_once.text
        whole = asked(engine, editors.CODEX_CLI, "tiny", long, {"stream": False})
        assert (whole.status_code, whole.json()["error"]["code"]) == (400, "context_length_exceeded")


def test_models_that_cannot_be_used_are_not_among_those_that_an_editor_shows(
    tmp_path: Path, tiny_model: Path
) -> None:
    """Roo Code and Zed ask for the details of every model, and show none after one error."""
    folder = tmp_path / ".local" / "share" / "llmstack" / "models"
    weights = tiny_model.read_bytes()
    folders.write(folder, "registry.ollama.ai/library/tiny/latest", folders.manifest(folder, weights))
    folders.write(folder, "registry.ollama.ai/library/cut/latest", b'{"schemaVersion": 2,')
    with serving(tmp_path) as engine:
        tags = engine.http.get("/api/tags").json()
        assert [model["name"] for model in tags["models"]] == ["tiny:latest"]
        assert [model["name"] for model in tags["unusable"]] == ["cut:latest"]
