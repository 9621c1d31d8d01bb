"""Ollama's routes that talk to a model, beyond what the contract with a real Ollama says."""

from __future__ import annotations

import concurrent.futures
import json
import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.contract.recordings import exchanges
from tests.contract.shapes import missing
from tests.support.calling import ARGUMENTS, TOOL
from tests.support.engine import GREEDY, HI, Serving, model_process, model_processes
from tests.support.gguf import models
from tests.support.waiting import wait_until_sync

if TYPE_CHECKING:
    import httpx

RECORDED = exchanges("ollama-0.24.0")


def lines(response: httpx.Response) -> list[dict[str, Any]]:
    return [json.loads(line) for line in response.text.splitlines()]


@pytest.mark.parametrize(
    ("recorded", "path", "asked"),
    [("chat-stream", "/api/chat", {"messages": HI}), ("generate-stream", "/api/generate", {"prompt": "Hi"})],
)
def test_each_token_is_a_line(engine: Serving, recorded: str, path: str, asked: dict[str, Any]) -> None:
    response = engine.post(path, model="tiny", options=GREEDY, **asked)
    assert response.headers["content-type"] == "application/x-ndjson"
    *parts, last = lines(response)
    said = [part["message"]["content"] if "message" in part else part["response"] for part in parts]
    assert "".join(said) == models.ANSWER
    assert len(said) == 8
    for line, of_ollama in ((parts[0], RECORDED[recorded].lines[0]), (last, RECORDED[recorded].lines[-1])):
        assert not missing(of_ollama, line)
        # In Ollama's order, which people read.
        assert isinstance(of_ollama, dict)
        assert [*line] == [*of_ollama]


def test_durations_are_nanoseconds_that_add_up(engine: Serving) -> None:
    answer = engine.chat()
    assert answer["prompt_eval_count"] == 21
    parts = answer["load_duration"] + answer["prompt_eval_duration"] + answer["eval_duration"]
    assert 10_000 < parts <= answer["total_duration"] < 30e9


def test_a_chat_without_messages_loads_and_unloads(engine: Serving) -> None:
    answer = engine.post("/api/chat", model="tiny").json()
    assert (answer["done_reason"], answer["message"]) == ("load", {"role": "assistant", "content": ""})
    assert "tiny:latest" in engine.ps()
    assert engine.post("/api/chat", model="tiny", keep_alive=0).json()["done_reason"] == "unload"
    wait_until_sync(lambda: "tiny:latest" not in engine.ps(), 30)


def test_a_loaded_model_is_told_with_what_it_takes(engine: Serving) -> None:
    engine.unload_all()
    engine.post("/api/generate", model="tiny", options={"num_ctx": 512})
    loaded = engine.ps()["tiny:latest"]
    assert (loaded["requests"], loaded["size_vram"], loaded["context_length"]) == (0, 0, 512)
    process = model_process(engine)
    assert abs(loaded["size"] - process.memory_info().rss) < 20_000_000


def test_no_more_context_than_the_model_was_trained_on(engine: Serving) -> None:
    engine.post("/api/generate", model="random", options={"num_ctx": 100_000})
    assert engine.ps()["random:latest"]["context_length"] == 2048


def test_the_context_goes_round(engine: Serving) -> None:
    first = engine.generate()
    assert first["response"] == models.ANSWER
    second = engine.generate("And?", context=first["context"])
    assert second["context"][: len(first["context"])] == first["context"]
    assert second["prompt_eval_count"] > len(first["context"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, 8),
        ({"num_predict": 3}, 3),
        ({"stop": [" model"]}, 4),
    ],
)
@pytest.mark.parametrize("model", ["tiny", "thinking"])
def test_the_context_is_the_prompt_and_the_words_of_the_answer(
    engine: Serving, model: str, options: dict[str, object], words: int
) -> None:
    """The tokens of the answer are told with it, unless they are more than its text, or llama.cpp thinks."""
    answer = engine.generate(model=model, think=False, options={**GREEDY, **options})
    assert len(answer["context"]) == answer["prompt_eval_count"] + words


def test_a_raw_prompt_gets_no_template(engine: Serving) -> None:
    answer = engine.generate("Hello", raw=True)
    assert answer["response"] == models.ANSWER.removeprefix("Hello")
    assert "context" not in answer
    assert answer["prompt_eval_count"] == 1
    text = engine.error(400, "/api/generate", model="tiny", prompt="x", raw=True, system="y")
    assert text == "raw mode does not support template, system, or context"


def test_layers_of_the_model_come_before_the_request(engine: Serving) -> None:
    plain = engine.chat(model="tiny", options={"temperature": 0})["prompt_eval_count"]
    layered = engine.answered("/api/chat", model="ollamas", messages=HI)
    # The parameters layer cuts the answer, the system and messages layers make the prompt longer.
    assert layered["message"]["content"] == "Hello from a"
    assert layered["done_reason"] == "length"
    system = f"<|im_start|>system\n{Serving.system}<|im_end|>\n"
    said = "<|im_start|>user\nOne?<|im_end|>\n<|im_start|>assistant\nTwo.<|im_end|>\n"
    words = len(system + said) - len("<|im_start|><|im_end|>") * 3 + 2 * 3
    assert layered["prompt_eval_count"] == plain + words
    own = [{"role": "system", "content": ""}, *HI]
    without = engine.answered("/api/chat", model="ollamas", messages=own)
    assert without["prompt_eval_count"] < layered["prompt_eval_count"]
    generated = engine.answered("/api/generate", model="ollamas", prompt="Hi")
    assert generated["prompt_eval_count"] == layered["prompt_eval_count"]


def test_a_conversation_too_long_loses_its_oldest_turns(engine: Serving) -> None:
    options = {**GREEDY, "num_ctx": 256, "num_predict": 5}
    system = {"role": "system", "content": "s" * 50}
    turns = [{"role": role, "content": "x" * 60} for role in ("user", "assistant") * 4]

    def ask(left_out: int, **body: Any) -> httpx.Response:
        messages = [system, *turns[left_out:], *HI]
        return engine.post(
            "/api/chat", model="tiny", messages=messages, options=options, stream=False, **body
        )

    fitting = next(count for count in range(9) if ask(count, truncate=False).status_code == 200)
    assert 0 < fitting < 8
    assert ask(0).json()["message"]["content"] == "Hello from a tiny model"
    assert ask(0).json()["prompt_eval_count"] == ask(fitting).json()["prompt_eval_count"]
    refused = ask(0, truncate=False)
    assert refused.status_code == 400
    assert "exceeds the available context size" in refused.json()["error"]


def test_a_message_too_long_loses_its_middle(engine: Serving) -> None:
    options = {**GREEDY, "num_ctx": 256, "num_keep": 4}
    answer = engine.chat("long " * 500, options=options)
    assert answer["prompt_eval_count"] == 256 - (256 - 4) // 2
    # The end, which makes the model answer, is still there.
    assert answer["message"]["content"] == models.ANSWER
    raw = engine.generate("x" * 1000 + "\n", raw=True, options=options)
    assert raw["prompt_eval_count"] == 256 - (256 - 4) // 2
    assert raw["response"] == models.ANSWER


def test_thoughts_are_told_apart(engine: Serving) -> None:
    thought = engine.chat(model="thinking", options={**GREEDY, "num_predict": 4})["message"]
    assert (thought["content"], thought["thinking"]) == ("", "Hello from a tiny")
    plain = engine.chat(model="thinking", think=False)["message"]
    assert plain == {"role": "assistant", "content": models.ANSWER}
    generated = engine.generate(model="thinking", options={**GREEDY, "num_predict": 4})
    assert (generated["response"], generated["thinking"]) == ("", "Hello from a tiny")
    assert (
        engine.error(400, "/api/chat", model="tiny", messages=HI, think=True)
        == '"tiny" does not support thinking'
    )


def test_a_tool_is_called(engine: Serving) -> None:
    message = engine.chat(model="caller", tools=[TOOL])["message"]
    (call,) = message["tool_calls"]
    assert message["content"] == ""
    assert call["function"] == {"index": 0, "name": "add", "arguments": ARGUMENTS}
    streamed = engine.post("/api/chat", model="caller", messages=HI, tools=[TOOL], options=GREEDY)
    *parts, last = lines(streamed)
    assert [part["message"]["tool_calls"][0]["function"]["name"] for part in parts] == ["add"]
    assert last["message"] == {"role": "assistant", "content": ""}
    # A client sends the call back with the result.
    said = [*HI, message, {"role": "tool", "content": "2", "tool_name": "add", "tool_call_id": call["id"]}]
    again = engine.chat(model="caller", tools=[TOOL], messages=said)
    assert again["prompt_eval_count"] > engine.chat(model="caller", tools=[TOOL])["prompt_eval_count"]


def test_without_tools_a_call_is_text(engine: Serving) -> None:
    assert engine.chat(model="caller")["message"]["content"].startswith("<tool_call>")


@pytest.mark.parametrize(
    "tool",
    [
        {"function": TOOL["function"]},
        {**TOOL, "type": None},
        {**TOOL, "function": {**TOOL["function"], "description": None}},  # type: ignore[dict-item]
        {**TOOL, "function": {**TOOL["function"], "description": 5, "strict": None}},  # type: ignore[dict-item]
    ],
)
def test_a_tool_that_lacks_what_it_need_not_say(engine: Serving, tool: dict[str, Any]) -> None:
    (call,) = engine.chat(model="caller", tools=[tool])["message"]["tool_calls"]
    assert call["function"]["arguments"] == ARGUMENTS


@pytest.mark.parametrize("function", [None, {}, "x", {"name": None}, {"name": 5}, {"name": ""}])
def test_a_tool_that_cannot_be_called_is_refused(engine: Serving, function: object) -> None:
    tools = [{"type": "function", "function": function}]
    said = engine.error(400, "/api/chat", model="caller", messages=HI, tools=tools)
    assert said.startswith("A tool of the request")


@pytest.mark.parametrize("kind", ["any", "int", ["string", "any"]])
def test_a_schema_that_no_grammar_can_express_is_read_and_not_kept_to(engine: Serving, kind: object) -> None:
    def ask(kind: object) -> dict[str, Any]:
        parameters = {"type": "object", "properties": {"a": {"type": kind}}}
        tool = {"type": "function", "function": {"name": "add", "parameters": parameters}}
        return engine.chat(model="caller", tools=[tool])

    free, kept = ask(kind), ask("integer")
    (call,) = free["message"]["tool_calls"]
    assert call["function"]["arguments"] == ARGUMENTS
    # A token is a letter here: the model has read the schema as it was sent.
    shorter = len(json.dumps("integer")) - len(json.dumps(kind, separators=(", ", ": ")))
    assert kept["prompt_eval_count"] - free["prompt_eval_count"] == shorter
    counted = engine.post(
        "/v1/messages/count_tokens",
        model="caller",
        messages=HI,
        tools=[{"name": "add", "input_schema": {"type": "object", "properties": {"a": {"type": kind}}}}],
    )
    assert counted.status_code == 200


def test_a_call_that_its_schema_does_not_allow_comes_as_it_is(engine: Serving) -> None:
    parameters = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    tool = {"type": "function", "function": {"name": "add", "parameters": parameters}}
    (call,) = engine.chat(model="caller", tools=[tool])["message"]["tool_calls"]
    assert call["function"]["arguments"] == ARGUMENTS


def test_a_conversation_that_ends_with_a_call_is_told_what_it_lacks(engine: Serving) -> None:
    called = {"role": "assistant", "tool_calls": [{"function": {"name": "add", "arguments": ARGUMENTS}}]}
    for said in ([*HI, called], [*HI, {"role": "assistant", "content": "a"}, called]):
        text = engine.error(400, "/api/chat", model="caller", messages=said)
        assert "send what the tool answered" in text


def test_a_schema_that_cannot_be_kept_to_is_named(engine: Serving) -> None:
    text = engine.error(400, "/api/chat", model="tiny", messages=HI, format={"type": "any"})
    assert text == "A JSON schema of the request cannot be used: #: unrecognized type any"


def test_answers_at_the_end_are_joined(engine: Serving) -> None:
    answers = [{"role": "assistant", "content": text} for text in ("Hello", "there")]
    joined = [*HI, {"role": "assistant", "content": "Hello\n\nthere"}]
    counts = [engine.chat(messages=said)["prompt_eval_count"] for said in ([*HI, *answers], joined)]
    assert counts[0] == counts[1]


def test_probabilities(engine: Serving) -> None:
    answer = engine.chat(logprobs=True, top_logprobs=2, options={**GREEDY, "num_predict": 2})
    assert [token["token"] for token in answer["logprobs"]] == ["Hello", " from"]
    assert [top["token"] for top in answer["logprobs"][1]["top_logprobs"]] == [" from", " to"]
    streamed = engine.post("/api/chat", model="tiny", messages=HI, logprobs=True, options=GREEDY)
    assert [token["token"] for token in lines(streamed)[0]["logprobs"]] == ["Hello"]
    (alone, _) = engine.chat(logprobs=True, options={**GREEDY, "num_predict": 2})["logprobs"]
    assert sorted(alone) == ["bytes", "logprob", "token"], "those beside it were not asked for"
    text = engine.error(400, "/api/chat", model="tiny", messages=HI, top_logprobs=21)
    assert text == "top_logprobs must be between 0 and 20"


@pytest.mark.parametrize(
    ("path", "asked", "status", "text"),
    [
        ("/api/generate", {"prompt": "x", "suffix": "y"}, 400, "tiny:latest does not support insert"),
        ("/api/generate", {"prompt": "x", "suffix": "y", "raw": True}, 400, "does not support suffix"),
        ("/api/generate", {"prompt": "x", "template": "{{ .Prompt"}, 400, "ends inside of {{ .Prompt }}"),
        ("/api/generate", {"prompt": "x", "template": "{% if a %}"}, 400, "is a Go template"),
        ("/api/generate", {"prompt": "x", "template": "{{ len .Prompt 1 }}"}, 400, "calls len with a value"),
        ("/api/generate", {"prompt": "x", "template": "x" * 2**20}, 400, "has 1,048,576 characters"),
        ("/api/generate", {"prompt": "x", "images": ["aGk="]}, 400, "needs Ollama"),
        ("/api/chat", {"messages": [{"role": "user", "images": ["aGk="]}]}, 400, "needs Ollama"),
        ("/api/chat", {"messages": HI, "format": "xml"}, 400, "invalid format"),
        ("/api/chat", {"messages": HI, "options": {"num_ctx": "x"}}, 400, "must be of type integer"),
        ("/api/chat", {"messages": HI, "think": "much"}, 400, 'invalid think value: "much" (must '),
        ("/api/generate", {"prompt": "x", "think": ""}, 400, "invalid think value"),
        ("/api/chat", {"messages": HI, "think": "low"}, 400, "does not support thinking"),
        ("/api/chat", {"messages": HI, "think": 1}, 400, "think must be "),
        ("/api/chat", {"messages": "Hi"}, 400, "messages must be a list"),
        ("/api/chat", {"messages": HI, "model": ""}, 400, "model is required"),
        ("/api/chat", {"messages": HI, "model": "a b"}, 400, "invalid model name"),
        ("/api/embed", {"input": [1]}, 400, "input[0] must be text"),
        ("/api/push", {}, 501, "cannot push models"),
        ("/api/create", {"files": {"a": "b"}}, 400, "invalid digest format"),
        ("/api/create", {"from": "tiny", "quantize": "q4_K_M"}, 501, "needs Ollama"),
        ("/api/create", {"from": "tiny", "template": "{{ .Foo"}, 400, "template error: The template ends"),
        ("/api/create", {"from": "tiny", "parameters": {"num_ctx": "x"}}, 400, "must be of type integer"),
        ("/api/create", {"from": "tiny", "system": "s" * 4_194_305}, 400, "more than the 4\xa0MB that"),
    ],
)  # fmt: skip
def test_what_is_refused(engine: Serving, path: str, asked: dict[str, Any], status: int, text: str) -> None:
    assert text in engine.error(status, path, **{"model": "tiny", **asked})


def test_embeddings(engine: Serving) -> None:
    answer = engine.post("/api/embed", model="tiny", input=["a tiny model", "zzz"]).json()
    vectors = answer["embeddings"]
    assert len(vectors) == 2
    assert all(abs(sum(value * value for value in vector) - 1) < 1e-6 for vector in vectors)
    assert answer["prompt_eval_count"] == 3 + 3
    (cut,) = engine.post("/api/embed", model="tiny", input="a tiny model", dimensions=7).json()["embeddings"]
    assert len(cut) == 7
    assert engine.post("/api/embed", model="tiny").json() == {"model": "tiny", "embeddings": []}
    assert engine.post("/api/embeddings", model="tiny").json() == {"embedding": []}


def test_the_vector_of_a_model_that_chats_is_that_of_the_last_token(engine: Serving) -> None:
    """As in Ollama 0.24, the last one that gave any. This model's tokens know nothing of each other."""
    texts = [" tiny", "a tiny", "zzz tiny", "tiny a"]
    alone, *same, other = engine.post("/api/embed", model="tiny", input=texts).json()["embeddings"]
    assert same == [pytest.approx(alone, abs=1e-5)] * 2
    assert other != pytest.approx(alone, abs=1e-2)


def test_the_older_route_to_embed_does_not_bring_to_length_one(engine: Serving) -> None:
    (one,) = engine.post("/api/embed", model="random", input="a tiny model").json()["embeddings"]
    older = engine.post("/api/embeddings", model="random", prompt="a tiny model").json()["embedding"]
    length = sum(value * value for value in older) ** 0.5
    assert abs(length - 1) > 0.01
    assert [value / length for value in older] == pytest.approx(one, abs=1e-5)


@pytest.mark.parametrize("texts", ["", [], None])
def test_to_embed_nothing_loads(engine: Serving, texts: object) -> None:
    assert engine.post("/api/embed", model="tiny", input=texts).json() == {"model": "tiny", "embeddings": []}
    assert "tiny:latest" in engine.ps()


@pytest.mark.parametrize("texts", [[""], ["a", ""]])
def test_an_empty_text_of_which_a_model_makes_nothing_is_named(engine: Serving, texts: list[str]) -> None:
    assert "An empty text" in engine.error(400, "/api/embed", model="tiny", input=texts)


@pytest.mark.parametrize("options", [{"repeat_last_n": -1}, {"repeat_penalty": 0}, {"repeat_penalty": -1}])
def test_what_is_documented_of_repetitions_is_taken(engine: Serving, options: dict[str, Any]) -> None:
    assert engine.chat(options={**GREEDY, **options})["message"]["content"] == models.ANSWER


def test_a_chat_after_an_embedding_does_not_load_again(engine: Serving) -> None:
    engine.unload_all()
    engine.post("/api/embed", model="tiny", input="a")
    process = model_process(engine)
    assert engine.chat()["message"]["content"] == models.ANSWER
    assert process.is_running()


def test_a_text_too_long_to_embed_is_cut(engine: Serving) -> None:
    asked = {"model": "tiny", "input": ["x" * 1000, "a"], "options": {"num_ctx": 256}}
    answer = engine.post("/api/embed", **asked).json()
    assert len(answer["embeddings"]) == 2
    assert 250 <= answer["prompt_eval_count"] <= 257
    assert (
        engine.error(400, "/api/embed", truncate=False, **asked)
        == "the input length exceeds the context length"
    )


def test_a_text_is_cut_to_a_context_shorter_than_any_that_is_loaded(engine: Serving) -> None:
    asked = {"model": "tiny", "input": "x" * 10, "options": {"num_ctx": 3}}
    # One token for the text, and room for two that the model may add.
    assert engine.post("/api/embed", **asked).json()["prompt_eval_count"] <= 3
    assert (
        engine.post("/api/embed", **asked).json()["embeddings"]
        == (engine.post("/api/embed", **{**asked, "input": "x"}).json()["embeddings"])
    )


@pytest.mark.parametrize("length", [0, 1, 2])
def test_a_context_that_no_text_fits_in_is_refused(engine: Serving, length: int) -> None:
    said = engine.error(400, "/api/embed", model="tiny", input="a", options={"num_ctx": length})
    assert said == "input after truncation exceeds maximum context length"


def test_many_chats_at_once(engine: Serving) -> None:
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        answers = [*pool.map(lambda _: engine.chat()["message"]["content"], range(32))]
    assert answers == [models.ANSWER] * 32
    assert engine.ps()["tiny:latest"]["requests"] == 0


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("path", ["/api/chat", "/api/generate", "/v1/chat/completions"])
def test_a_client_that_leaves_frees_the_model(engine: Serving, path: str, stream: bool) -> None:
    options = {"num_predict": 1_000_000}
    asked = {"model": "endless", "stream": stream, "messages": HI, "prompt": "Hi", "options": options}
    content = json.dumps(asked | {"max_tokens": 1_000_000}).encode()
    address = urlsplit(engine.url)
    with socket.create_connection((address.hostname, address.port)) as connection:
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(content)}\r\n\r\n"
        connection.sendall(head.encode() + content)
        wait_until_sync(lambda: engine.ps().get("endless:latest", {}).get("requests") == 1, 30)
        if stream:
            assert connection.recv(100).startswith(b"HTTP/1.1 200")
    engine.wait_idle("endless:latest")
    # There is one slot for a request, and it is free.
    last = engine.chat(model="endless", options={"num_predict": 1})
    assert last["done_reason"] == "length"


def test_a_model_that_dies_says_so_and_is_loaded_again(engine: Serving) -> None:
    asked = {"model": "endless", "messages": HI, "options": {"num_predict": 1_000_000}}
    with engine.http.stream("POST", "/api/chat", json=asked) as response:
        received = response.iter_lines()
        next(received)
        for process in model_processes(engine):
            process.kill()
        last = json.loads([*received][-1])
    assert list(last) == ["error", "sentences"]
    assert "was killed (SIGKILL)" in last["error"]
    answer = engine.chat(model="endless", options={**GREEDY, "num_predict": 2})
    assert answer["done_reason"] == "length"


def test_a_model_that_dies_under_a_whole_answer(engine: Serving) -> None:
    asked = {"model": "endless", "messages": HI, "options": {"num_predict": 1_000_000}, "stream": False}
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        running = pool.submit(engine.post, "/api/chat", **asked)
        wait_until_sync(lambda: engine.ps().get("endless:latest", {}).get("requests") == 1, 30)
        for process in model_processes(engine):
            process.kill()
        response = running.result(30)
    assert response.status_code == 500
    assert "was killed (SIGKILL)" in response.json()["error"]
