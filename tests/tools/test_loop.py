"""A talk with tools: what the model sees, who is asked, and how it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.providers.types import (
    ChatMessage,
    ChatRequest,
    Ending,
    EndReason,
    Piece,
    Role,
    ToolCall,
)
from llmstack_tui.providers.usage import Usage
from llmstack_tui.tools.folder import OpenedFolder
from llmstack_tui.tools.loop import CallEnded, CallStarted, LoopEnd, LoopEnded, MessageAdded, ToolLoop
from llmstack_tui.tools.toolset import built_in
from llmstack_tui.tools.types import Permission, Permit

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from llmstack_tui.tools.loop import Event
    from llmstack_tui.tools.types import Proposal


Turn = str | tuple[str, dict[str, object] | str]


class Scripted:
    """A model that says these texts and calls; a call is its tool and arguments."""

    def __init__(self, *turns: Turn) -> None:
        self.turns = list(turns)
        self.asked: list[ChatRequest] = []

    async def chat(self, request: ChatRequest) -> AsyncGenerator[Piece, None]:
        self.asked.append(request)
        turn = self.turns.pop(0) if len(self.turns) > 1 else self.turns[0]
        if isinstance(turn, str):
            yield Piece(text=turn[:2])
            yield Piece(text=turn[2:], ending=Ending(reason=EndReason.STOP, usage=Usage()))
            return
        name, arguments = turn
        is_broken = isinstance(arguments, str)
        call = ToolCall(
            id=f"c{len(self.asked)}",
            name=name,
            arguments=None if isinstance(arguments, str) else arguments,
            written=arguments if isinstance(arguments, str) else "",
        )
        assert is_broken is (call.arguments is None)
        yield Piece(tool_calls=(call,), ending=Ending(reason=EndReason.TOOLS, usage=Usage()))


class Person:
    """Says these things, one after the other, and keeps what it was asked."""

    def __init__(self, *answers: Permit) -> None:
        self.answers = list(answers)
        self.asked: list[Proposal] = []

    async def __call__(self, proposal: Proposal) -> Permit:
        self.asked.append(proposal)
        return self.answers.pop(0)


REQUEST = ChatRequest(model="m", messages=(ChatMessage(role=Role.USER, text="Do it"),))


async def run(
    model: Scripted, folder: Path, person: Person | None = None, remembered: set[Permission] | None = None
) -> list[Piece | Event]:
    loop = ToolLoop(
        model,
        built_in(OpenedFolder(folder), environ={}),
        person or Person(),
        folder=str(folder),
        remembered=remembered,
    )
    return [event async for event in loop.run(REQUEST)]


def results(events: list[Piece | Event]) -> list[str]:
    return [event.result.text for event in events if isinstance(event, CallEnded)]


async def test_a_result_goes_back_to_the_model_and_its_answer_ends_the_talk(tmp_path: Path) -> None:
    model = Scripted(("calculate", {"expression": "6 * 7"}), "It is 42.")
    events = await run(model, tmp_path)
    assert results(events) == ["42"]
    added = [event.message for event in events if isinstance(event, MessageAdded)]
    assert [(each.role, each.text) for each in added] == [
        (Role.ASSISTANT, ""), (Role.TOOL, "42"), (Role.ASSISTANT, "It is 42."),
    ]  # fmt: skip
    assert added[1].answers == "c1"
    assert model.asked[1].messages == (*REQUEST.messages, *added[:2])
    assert {tool.name for tool in model.asked[0].tools} >= {"calculate", "read_file"}
    assert events[-1] == LoopEnded(LoopEnd.ANSWERED)


async def test_a_person_is_asked_before_a_file_is_written_and_may_say_no(tmp_path: Path) -> None:
    write: Turn = ("write_file", {"path": "a.txt", "text": "hi"})
    person = Person(Permit.NO)
    events = await run(Scripted(write, "Well."), tmp_path, person)
    assert [each.preview for each in person.asked] == ["--- a.txt\n+++ a.txt\n@@ -0,0 +1 @@\n+hi"]
    assert results(events) == ["The user does not want this call. Ask what they want instead."]
    assert not any(isinstance(event, CallStarted) for event in events)
    assert not (tmp_path / "a.txt").exists()

    await run(Scripted(write, "Well."), tmp_path, Person(Permit.ONCE))
    assert (tmp_path / "a.txt").read_text() == "hi"


async def test_what_a_person_allows_for_the_folder_is_not_asked_again(tmp_path: Path) -> None:
    remembered: set[Permission] = set()
    writes: list[Turn] = [("write_file", {"path": f"{name}.txt", "text": "hi"}) for name in "abc"]
    person = Person(Permit.ALWAYS)
    await run(Scripted(*writes, "Done."), tmp_path, person, remembered)
    assert len(person.asked) == 1
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.txt", "b.txt", "c.txt"]
    assert remembered == {Permission(str(tmp_path), "write_file", "*")}


async def test_broken_and_wrong_calls_are_told_to_the_model(tmp_path: Path) -> None:
    model = Scripted(
        ("calculate", '{"expression": '),
        ("calculate", {"expr": "1"}),
        ("launch", {}),
        ("read_file", {"path": "../x"}),
        ("read_file", {"path": 3}),
        "I give up.",
    )
    found = results(await run(model, tmp_path))
    assert found[0] == 'The arguments of calculate are no JSON object: {"expression":'
    assert "do not fit its schema" in found[1]
    assert found[2].startswith("There is no tool 'launch'. These are there: ")
    assert "is not in the opened folder" in found[3]
    assert found[4] == "The arguments of read_file do not fit its schema: path 3 is not of type 'string'"


async def test_a_model_that_turns_in_circles_is_ended(tmp_path: Path) -> None:
    events = await run(Scripted(("list_folder", {})), tmp_path)
    assert results(events) == ["[empty]"] * 3
    assert events[-1] == LoopEnded(LoopEnd.CIRCLE)


async def test_a_model_that_never_ends_is_ended(tmp_path: Path) -> None:
    calls: list[Turn] = [("calculate", {"expression": str(number)}) for number in range(99)]
    model = Scripted(*calls)
    events = await run(model, tmp_path)
    assert events[-1] == LoopEnded(LoopEnd.ROUNDS)
    assert len(model.asked) == 30
