"""A talk in the terms of services that want the system's words apart and two speakers in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from llmstack_tui.providers.types import ChatMessage, ChatRequest, Role

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from llmstack_tui.providers.types import TextRequest

Part = TypeVar("Part")


def system_text(messages: Iterable[ChatMessage]) -> str:
    """All that the system says."""
    return "\n\n".join(each.text for each in messages if each.role is Role.SYSTEM and each.text)


def in_turns(
    messages: Iterable[ChatMessage], parts: Callable[[ChatMessage], list[Part]]
) -> list[tuple[bool, list[Part]]]:
    """The parts of what each speaker says until the other one speaks; whether it is the model.

    What a tool answers is said by the user.
    """
    turns: list[tuple[bool, list[Part]]] = []
    for message in messages:
        if message.role is Role.SYSTEM or not (its := parts(message)):
            continue
        is_model = message.role is Role.ASSISTANT
        if turns and turns[-1][0] is is_model:
            turns[-1][1].extend(its)
        else:
            turns.append((is_model, its))
    return turns


def as_chat(request: TextRequest) -> ChatRequest:
    """A text to go on with as a question."""
    system = (ChatMessage(role=Role.SYSTEM, text=request.system),) if request.system else ()
    question = ChatMessage(role=Role.USER, text=request.prompt, images=request.images)
    return ChatRequest(
        model=request.model,
        messages=(*system, question),
        schema=request.schema,
        parameters=request.parameters,
    )


def given(**fields: object) -> dict[str, object]:
    """The fields that have a value: no None, and nothing empty."""
    return {
        name: value for name, value in fields.items() if value is not None and value not in ("", (), [], {})
    }


def with_more(body: dict[str, object], more: Mapping[str, object]) -> dict[str, object]:
    """A request with further options; those within an object of both are put together."""
    merged = dict(body)
    for name, value in more.items():
        old = merged.get(name)
        merged[name] = {**old, **value} if isinstance(old, dict) and isinstance(value, dict) else value
    return merged
