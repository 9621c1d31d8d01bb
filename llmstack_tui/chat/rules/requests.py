"""What is sent for a talk."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from llmstack_tui.base.structs import replace
from llmstack_tui.providers.types import ChatMessage, Image, Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from llmstack_tui.chat.types import Turn

_FENCES = re.compile("`{3,}")


def messages_of(turns: Iterable[Turn], system: str, contents: Mapping[str, bytes]) -> tuple[ChatMessage, ...]:
    """The system prompt, then each turn; an answer without a word is left out.

    Args:
        contents: what is attached, by its digest. What is missing there is not sent.
    """
    first = (ChatMessage(role=Role.SYSTEM, text=system),) if system else ()
    messages = (with_files(turn, contents) for turn in turns)
    return (*first, *(each for each in messages if _says_something(each)))


def with_files(turn: Turn, contents: Mapping[str, bytes]) -> ChatMessage:
    """The message of a turn with its files: each text before it in a fence of its own, and the images."""
    there = [each for each in turn.attachments if each.digest in contents]
    if not there:
        return turn.message
    texts = [
        _fenced(each.name, contents[each.digest].decode(errors="replace"))
        for each in there
        if not each.is_image
    ]
    images = tuple(Image(each.media_type, contents[each.digest]) for each in there if each.is_image)
    own = turn.message
    text = "\n\n".join((*texts, own.text) if own.text else texts)
    return replace(own, text=text, images=(*own.images, *images))


def _fenced(name: str, text: str) -> str:
    """A file's text, in a fence longer than any that it has itself."""
    ticks = max((len(each) for each in _FENCES.findall(text)), default=2) + 1
    fence = "`" * max(ticks, 3)
    return f"{name}\n{fence}\n{text.rstrip()}\n{fence}"


def _says_something(message: ChatMessage) -> bool:
    return bool(message.role is not Role.ASSISTANT or message.text or message.tool_calls)
