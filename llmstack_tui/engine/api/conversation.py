"""A conversation in Ollama's form, from the items in which Anthropic's and OpenAI's agents send theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.engine.errors import NO_IMAGES, ApiError
from llmstack_tui.ollama.wire import WireMessage, WireToolCall, WireToolFunction

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_IMAGES = ("image", "image_url", "input_image", "input_audio", "computer_screenshot")
_NO_FILES = "Files are not read here: send their text."


class JoinedTurns:
    """What one side says in a row is one turn, as Anthropic reads it: many templates refuse two.

    They refuse a system message in the middle, too: there it is told as the user's.
    """

    def __init__(self) -> None:
        self.turns: list[WireMessage] = []

    def say(
        self, role: str, text: str = "", *, thinking: str = "", calls: Sequence[WireToolCall] = ()
    ) -> None:
        last = self.turns[-1] if self.turns else None
        if role == "system" and last is not None and last.role != "system":
            role = "user"
        if last is None or last.role != role:
            last = WireMessage(role=role)
            self.turns.append(last)
        last.content = _joined((last.content, text))
        last.thinking = _joined((last.thinking, thinking)) or None
        last.tool_calls = [*(last.tool_calls or ()), *calls] or None

    def answer(self, call_id: str, text: str) -> None:
        """What the tool said to the call."""
        self.turns.append(WireMessage(role="tool", content=text, tool_call_id=call_id))


def tool_call(call_id: str, name: str, arguments: dict[str, object]) -> WireToolCall:
    return WireToolCall(id=call_id, function=WireToolFunction(name=name, arguments=arguments))


def function(name: object, description: object, parameters: object) -> dict[str, object]:
    """A tool in Ollama's form."""
    return {
        "type": "function",
        "function": {"name": name, "description": description, "parameters": parameters},
    }


def offered(tools: Sequence[dict[str, object]], left_out: Sequence[str]) -> list[dict[str, object]]:
    """The tools, unless all were left out: then nothing could do what is asked.

    Args:
        left_out: the types of those that a provider runs itself, such as a search of the web.

    Raises:
        ApiError: all were left out.
    """
    if left_out and not tools:
        raise ApiError(400, f"This engine runs no tools itself: {left_out[0][:80]} cannot be used here.")
    return list(tools)


def chosen(tools: list[dict[str, object]], name: str) -> list[dict[str, object]]:
    """The one tool that the answer has to call.

    Raises:
        ApiError: there is none with that name.
    """
    found = [tool for tool in tools if _name(tool) == name]
    if not found:
        raise ApiError(400, f"tool_choice names {name[:80]!r}, which is not among the tools.")
    return found


def text_of(parts: Iterable[tuple[str, str]]) -> str:
    """The text of parts, each a kind and its text.

    Raises:
        ApiError: one is an image, a sound or a file.
    """
    texts = []
    for kind, text in parts:
        if kind in _IMAGES:
            raise ApiError(400, NO_IMAGES)
        if not text and kind in ("document", "input_file", "file"):
            raise ApiError(400, _NO_FILES)
        texts.append(text)
    return "\n".join(filter(None, texts))


def _name(tool: dict[str, object]) -> object:
    inner = tool.get("function")
    return inner["name"] if isinstance(inner, dict) else None


def _joined(texts: Iterable[str | None]) -> str:
    return "\n\n".join(filter(None, texts))
