"""Tools and thinking with a model's Go template, on the real engine."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.calling import ARGUMENTS, FUNCTION, TOOL, caller
from tests.support.engine import GREEDY, HI, Serving
from tests.support.gguf import models

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TURNS = "{{ range .Messages }}<|im_start|>{{ .Role }}\n{{ .Content }}"
THOUGHT = "{{ if .Thinking }}<think>{{ .Thinking }}</think>{{ end }}"
CALLS = (
    '{{ if .ToolCalls }}<tool_call>{{ range .ToolCalls }}{"name": "{{ .Function.Name }}",'
    ' "arguments": {{ .Function.Arguments }}}{{ end }}</tool_call>{{ end }}'
)
TOOLS = "{{ if .Tools }}[{{ range .Tools }}{{ .Function }}{{ end }}]{{ end }}"
END = "<|im_end|>\n{{ end }}<|im_start|>assistant\n"
CALLING = TOOLS + TURNS + CALLS + END
THINKING = (
    TOOLS
    + TURNS
    + THOUGHT
    + CALLS
    + "{{ if $.IsThinkSet }}{{ if $.Think }}+{{ else }}-{{ end }}{{ end }}"
    + END
)
CALLED = {"name": "add", "arguments": ARGUMENTS}


@pytest.fixture(scope="module", autouse=True)
def _models(engine: Serving, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One calls a tool, one thinks before it answers, and one before it calls a tool."""
    folder = tmp_path_factory.mktemp("models")
    call = json.dumps(CALLED)
    for name, words in (
        ("thinker", ("\n", "<think>", " Hm", ".", "</think>", " So", "!", models.END)),
        ("thinking-caller", ("\n", "<think>", " Hm", ".", "</think>", "<tool_call>", call, models.END)),
    ):
        script = {word: (follower,) for word, follower in pairwise(words)}
        path = models.chain(
            folder / f"{name}.gguf", name, script, otherwise=" Hm", hidden=32, chat_template=None
        )
        engine.import_file(f"{name}-base", path)
        made(engine, name, THINKING, f"{name}-base")
    made(engine, "calling", CALLING, "caller")
    yield
    engine.unload_all()


def made(engine: Serving, name: str, template: str, base: str) -> None:
    answer = engine.post("/api/create", model=name, **{"from": base, "template": template})
    assert answer.text.endswith('{"status":"success"}\n'), answer.text


def capabilities(engine: Serving, model: str) -> list[str]:
    found: list[str] = engine.answered("/api/show", model=model)["capabilities"]
    return found


def prompt_tokens(engine: Serving, model: str, prompt: str) -> int:
    options = {**GREEDY, "num_predict": 1}
    answer = engine.generate(model=model, prompt=prompt, template="{{ .Prompt }}", options=options)
    return int(answer["prompt_eval_count"])


def test_what_a_template_can_do_is_told(engine: Serving) -> None:
    assert capabilities(engine, "calling") == ["completion", "tools"]
    assert capabilities(engine, "thinker") == ["completion", "tools", "thinking"]
    listed = {each["name"]: each for each in engine.http.get("/api/tags").json()["models"]}
    assert listed["thinker:latest"]["capabilities"] == ["completion", "tools", "thinking"]


def test_tools_come_into_the_prompt_and_the_call_out_of_the_answer(engine: Serving) -> None:
    answer = engine.chat(model="calling", tools=[TOOL])
    (call,) = answer["message"]["tool_calls"]
    assert call["function"] == {"index": 0, **CALLED}
    assert call["id"].startswith("call_")
    assert (answer["message"]["content"], answer["done_reason"]) == ("", "stop")
    schema = '{"type":"object","required":["a"],"properties":{"a":{"type":"integer"}}}'
    prompt = (
        f'[{{"name":"add","description":"Adds.","parameters":{schema}}}]'
        "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    )
    assert answer["prompt_eval_count"] == prompt_tokens(engine, "calling", prompt)
    result = {"role": "tool", "tool_name": "add", "content": "1"}
    again = engine.chat(model="calling", messages=[*HI, answer["message"], result], tools=[TOOL])
    prompt = prompt.removesuffix("\n") + (
        '\n<tool_call>{"name": "add", "arguments": {"a":1}}</tool_call><|im_end|>\n'
        "<|im_start|>tool\n1<|im_end|>\n<|im_start|>assistant\n"
    )
    assert again["prompt_eval_count"] == prompt_tokens(engine, "calling", prompt)


def test_a_call_comes_as_each_protocol_sends_it(engine: Serving) -> None:
    body: dict[str, Any] = {"model": "calling", "messages": HI, "tools": [TOOL]}
    lines = [json.loads(line) for line in engine.post("/api/chat", **body, options=GREEDY).text.splitlines()]
    assert [line["message"].get("tool_calls", [{}])[0].get("function") for line in lines] == [
        {"index": 0, **CALLED},
        None,
    ]
    (choice,) = engine.post("/v1/chat/completions", **body, temperature=0).json()["choices"]
    assert choice["finish_reason"] == "tool_calls"
    assert json.loads(choice["message"]["tool_calls"][0]["function"]["arguments"]) == ARGUMENTS
    tool = {"name": "add", "input_schema": FUNCTION["parameters"]}
    claude = engine.post("/v1/messages", model="calling", messages=HI, tools=[tool], max_tokens=50).json()
    assert (claude["stop_reason"], claude["content"][-1]["input"]) == ("tool_use", ARGUMENTS)
    written = engine.chat(model="calling", tools=[{"type": "function", "function": {"name": "other"}}])
    assert "tool_calls" not in written["message"]
    assert json.dumps(ARGUMENTS) in written["message"]["content"], "a call of what is no tool is text"


@pytest.mark.parametrize("model", ["tool-tag", "no-tag"])
def test_a_call_that_has_to_be_is_begun(engine: Serving, model: str) -> None:
    """The model itself would only say something."""
    made(
        engine,
        model,
        THINKING if model == "tool-tag" else THINKING.replace("<tool_call>", ""),
        "thinker-base",
    )
    answer = engine.post(
        "/v1/chat/completions", model=model, messages=HI, tools=[TOOL], tool_choice="required",
        max_tokens=200, temperature=0,
    ).json()  # fmt: skip
    (choice,) = answer["choices"]
    assert choice["finish_reason"] == "tool_calls"
    (call,) = choice["message"]["tool_calls"]
    assert (call["function"]["name"], json.loads(call["function"]["arguments"])) == ("add", {"a": 0})


def test_thinking_is_told_apart(engine: Serving) -> None:
    answer = engine.chat(model="thinker")
    assert (answer["message"]["thinking"], answer["message"]["content"]) == ("Hm.", "So!")
    answer = engine.generate(model="thinker")
    assert (answer["thinking"], answer["response"]) == ("Hm.", "So!")
    again = engine.generate(model="thinker", prompt="Hi", context=answer["context"])
    question = "<|im_start|>user\nHi+<|im_end|>\n<|im_start|>assistant\n"
    whole_text = f"{question}<think> Hm.</think> So!{question}"
    assert again["prompt_eval_count"] == prompt_tokens(engine, "thinker", whole_text)
    said = engine.chat(model="thinker", think=False)["message"]
    assert (said["content"], "thinking" in said) == ("<think> Hm.</think> So!", False)
    whole = engine.chat(model="thinking-caller", tools=[TOOL])["message"]
    assert (whole["thinking"], whole["content"]) == ("Hm.", "")
    assert [call["function"]["name"] for call in whole["tool_calls"]] == ["add"]


@pytest.mark.parametrize(("think", "sign"), [(None, "+"), (True, "+"), (False, "-")])
def test_what_a_request_says_of_thinking_comes_into_the_prompt(
    engine: Serving, think: bool | None, sign: str
) -> None:
    count = engine.chat(model="thinker", think=think)["prompt_eval_count"]
    prompt = f"<|im_start|>user\nHi{sign}<|im_end|>\n<|im_start|>assistant\n"
    assert count == prompt_tokens(engine, "thinker", prompt)


@pytest.mark.parametrize("streams", [False, True])
def test_a_format_is_that_of_the_answer_and_not_of_the_thinking(engine: Serving, streams: bool) -> None:
    body = {"model": "thinker", "messages": HI, "format": {"const": 5}, "options": GREEDY, "stream": streams}
    lines = [json.loads(line) for line in engine.post("/api/chat", **body).text.splitlines()]
    assert "".join(line["message"].get("thinking", "") for line in lines) == "Hm."
    assert "".join(line["message"]["content"] for line in lines) == "5"
    assert lines[-1]["done_reason"] == "stop"
    unthought = engine.chat(model="thinker", think=False, format={"const": 5})
    assert unthought["message"] == {"role": "assistant", "content": "5"}


def test_a_thought_that_the_prompt_begins(engine: Serving) -> None:
    made(engine, "begun", THINKING + "<think>\n", "thinker-base")
    said = engine.chat(model="begun")["message"]
    assert (said["thinking"], said["content"]) == ("<think> Hm.", "So!")


def test_a_special_token_as_a_tag_is_seen(engine: Serving, tmp_path: Path) -> None:
    """llama.cpp writes no special tokens, unless they are asked for."""
    words = ("\n", models.PADDING, " [", json.dumps(CALLED), models.END)
    script = {word: (follower,) for word, follower in pairwise(words)}
    path = models.chain(tmp_path / "special.gguf", "special", script, otherwise="\n", hidden=32)
    engine.import_file("special-base", path)
    made(engine, "special", CALLING.replace("<tool_call>", models.PADDING + " ["), "special-base")
    assert [
        each["function"] for each in engine.chat(model="special", tools=[TOOL])["message"]["tool_calls"]
    ] == [{"index": 0, **CALLED}]


def test_a_template_of_the_registrys_answers_with_its_tools(engine: Serving, tmp_path: Path) -> None:
    """Of two templates that can do the same, the layer's counts."""
    engine.import_file("twice-base", caller(tmp_path / "caller.gguf"))
    made(engine, "twice", CALLING, "twice-base")
    assert engine.answered("/api/show", model="twice")["prompt_template"]["source"] == "layer"
