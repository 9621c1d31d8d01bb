from __future__ import annotations

import json

import pytest

from llmstack_tui.engine.gotemplate.tags import ThinkingTags
from llmstack_tui.engine.inference.chunks import CompletionChunk, joined
from llmstack_tui.engine.inference.tagged_answer import AnswerTags, TaggedAnswer, calls_in

TOOLS = ("add", "add_all", "say")
THINK = ThinkingTags("<think>", "</think>")
CALL = '{"name": "add", "arguments": {"a": 1}}'
ADD = [("add", {"a": 1})]


def read(text: str, tags: AnswerTags, length: int) -> list[CompletionChunk]:
    answer = TaggedAnswer(tags)
    pieces = [text[at : at + length] for at in range(0, len(text), length)]
    return [*(answer.read(CompletionChunk(text=piece)) for piece in pieces), answer.rest()]


@pytest.mark.parametrize("length", [1, 3, 1000])
@pytest.mark.parametrize(
    ("text", "thinks", "thinking", "said"),
    [
        ("<think>Hm.</think>Yes", False, "Hm.", "Yes"),
        ("\n<think>\nHm.\n</think>\n\nYes </think> no", False, "Hm.\n", "Yes </think> no"),
        ("\nHm. </think>\nYes", True, "Hm. ", "Yes"),
        ("<think></think>\n Yes", False, "", "Yes"),
        ("  Yes <think>no</think>", False, "", "  Yes <think>no</think>"),
        ("<thin ice", False, "", "<thin ice"),
        ("<thi", False, "", "<thi"),
        ("<think>a < b </th", False, "a < b </th", ""),
        ("<think>", False, "", ""),
        ("", True, "", ""),
    ],
)
def test_thinking(text: str, thinks: bool, thinking: str, said: str, length: int) -> None:
    found = joined(read(text, AnswerTags(thinking=THINK, thinks=thinks), length))
    assert (found.thinking, found.text) == (thinking, said)


@pytest.mark.parametrize("length", [1, 4, 1000])
@pytest.mark.parametrize(
    ("text", "tag", "said", "called"),
    [
        (f"<call>{CALL}</call>", "<call>", "", 1),
        (f"\n <call>\n{CALL}\n</call>\n<call>{CALL}</call>", "<call>", "", 2),
        (f"Well: <call>{CALL}</call> and more", "<call>", "Well: ", 1),
        ("<call>{}</call>", "<call>", "<call>{}</call>", 0),
        ('<call>{"name": "add", "argu', "<call>", '<call>{"name": "add", "argu', 0),
        ('a < b <cal', "<call>", 'a < b <cal', 0),
        (f"[CALLS] [{CALL}, {CALL}]", "[CALLS] [", "", 2),
        (CALL, "{", "", 1),
        (f"\n{CALL};{CALL}", "{", "", 2),
        (f"As JSON: {CALL}", "{", f"As JSON: {CALL}", 0),
        ('{"answer": 5}', "{", '{"answer": 5}', 0),
        (f"[{CALL}]", "[", "", 1),
        ("  ", "<call>", "  ", 0),
    ],
)  # fmt: skip
def test_calls_of_tools(text: str, tag: str, said: str, called: int, length: int) -> None:
    found = joined(read(text, AnswerTags(tools=TOOLS, call=tag), length))
    assert found.text == said
    assert [(call.function.name, call.arguments) for call in found.tool_calls] == ADD * called
    assert len({call.id for call in found.tool_calls}) == called


def test_a_text_comes_as_soon_as_it_is_none_of_a_call() -> None:
    chunks = read("Is a < b? <call>", AnswerTags(tools=TOOLS, call="<call>"), 1)
    assert [chunk.text for chunk in chunks] == [*"Is a ", "", "< ", *"b? ", "", "", "", "", "", "", "<call>"]


def test_a_call_after_thinking() -> None:
    tags = AnswerTags(thinking=THINK, tools=TOOLS, call="{")
    found = joined(read(f"<think>{{Hm}}</think>\n{CALL}", tags, 2))
    assert (found.thinking, found.text, found.tool_calls[0].arguments) == ("{Hm}", "", {"a": 1})


def test_a_call_that_the_prompt_begins() -> None:
    found = joined(read(f"{CALL}</call>", AnswerTags(tools=TOOLS, call="<call>", calls=True), 5))
    assert (found.text, found.tool_calls[0].function.name) == ("", "add")


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        (CALL, ADD),
        ('{"name": "add", "parameters": {"a": 1}}', ADD),
        ('{"name": "add", "arguments": "{\\"a\\": 1}"}', ADD),
        ('{"type": "function", "function": {"name": "add", "arguments": {"a": 1}}}', ADD),
        ('{"tool_calls": [{"tool_name": "add", "parameters": {"a": 1}}]}', ADD),
        ('{"add": {"a": 1}}', ADD),
        ('add{"a": 1}', ADD),
        ('<function=add>\n{"a": 1}\n</function>', ADD),
        ('add[ARGS]{"a": 1}', ADD),
        ('functions.add_all:0 {"a": 1}', [("add_all", {"a": 1})]),
        ('{"name": "say", "arguments": {"name": "add"}}', [("say", {"name": "add"})]),
        ('say{"name": "Bob"}', [("say", {"name": "Bob"})]),
        ('{"name": "add"}', [("add", {})]),
        ('{"name": "add", "arguments": null}', [("add", {})]),
        ('{"name": "add", "arguments": "not JSON"}', [("add", {})]),
        ('{"name": "say", "arguments": {"text": "two\nlines"}}', [("say", {"text": "two\nlines"})]),
        ('{"name": "other", "arguments": {}}', []),
        ('madding{"a": 1}', []),
        ('{"a": 1}', []),
        ('{{"name": "add", "arguments": {"a": 1}}}', ADD),
        ("{" * 5000, []),
        ('{"a":' * 100_000, []),
        ("[" * 100_000, []),
    ],
)
def test_forms_of_calls(text: str, calls: list[tuple[str, dict[str, object]]]) -> None:
    assert list(calls_in(text, TOOLS)) == calls


def test_a_call_far_inside_is_none() -> None:
    deep: object = json.loads(CALL)
    for _ in range(200):
        deep = {"a": deep}
    assert list(calls_in(json.dumps(deep), TOOLS)) == []
