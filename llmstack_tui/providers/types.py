"""What is asked of a model and what it answers, in one shape for all providers."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003  # msgspec reads the annotations
from enum import Flag, StrEnum, auto

from msgspec import Struct

from llmstack_tui.providers.usage import Usage  # noqa: TC001  # msgspec reads the annotations


class Ability(Flag):
    """What a provider can do at all, or a model of it."""

    CHAT = auto()
    GENERATE = auto()
    EMBED = auto()
    TOOLS = auto()
    IMAGES = auto()
    SCHEMA = auto()
    REASONING = auto()


class Role(StrEnum):
    """Who speaks. The answer to a tool call is a message of its own."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


class Image(Struct, frozen=True):
    """A picture. ``media_type`` is told by its content, never by its name: such as ``image/png``."""

    media_type: str
    content: bytes


class Tool(Struct, frozen=True, kw_only=True):
    """A function that a model may call. ``schema`` is the JSON schema of its arguments."""

    name: str
    purpose: str
    schema: Mapping[str, object]


class ToolCall(Struct, frozen=True, kw_only=True):
    """A call that a model wants.

    Attributes:
        id: names the call in the answer to it; made by us where the provider sends none.
        arguments: None where what the model wrote is no JSON object: ``written`` has it.
        written: the arguments as the model wrote them.
        signature: what the provider wants back with the call, unread (Gemini's thought signature).
    """

    id: str
    name: str
    arguments: Mapping[str, object] | None
    written: str = ""
    signature: str = ""


class ChatMessage(Struct, frozen=True, kw_only=True):
    """One turn of a talk.

    Attributes:
        reasoning: what an assistant thought before it answered.
        signature: what the provider wants back with the reasoning, unread (Anthropic).
        answers: of a tool's message, the id of the call that it answers.
        tool: of a tool's message, the name of the tool.
    """

    role: Role
    text: str
    images: tuple[Image, ...] = ()
    reasoning: str = ""
    signature: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    answers: str = ""
    tool: str = ""


class Parameters(Struct, frozen=True, kw_only=True):
    """How to answer; None leaves it to the provider.

    Attributes:
        max_tokens: of the answer.
        context_length: tokens of prompt and answer together. Only a local server can be told it.
        keep_alive_s: how long a local server keeps the model afterwards; a negative one is for ever.
        more: further options in the provider's own words, sent as they are.
    """

    temperature: float | None = None
    max_tokens: int | None = None
    top_p: float | None = None
    top_k: int | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    context_length: int | None = None
    keep_alive_s: float | None = None
    more: Mapping[str, object] = {}


class ChatRequest(Struct, frozen=True, kw_only=True):
    """A talk that a model shall continue.

    Attributes:
        schema: the JSON schema that the answer must have; an empty one asks for any JSON object.
        reasoning: whether to think before the answer, or how much ("low", "medium", "high").
    """

    model: str
    messages: tuple[ChatMessage, ...]
    tools: tuple[Tool, ...] = ()
    schema: Mapping[str, object] | None = None
    reasoning: bool | str | None = None
    parameters: Parameters = Parameters()


class TextRequest(Struct, frozen=True, kw_only=True):
    """A text that a model shall go on with. ``raw``: as it is, without the model's template."""

    model: str
    prompt: str
    system: str = ""
    images: tuple[Image, ...] = ()
    schema: Mapping[str, object] | None = None
    raw: bool = False
    parameters: Parameters = Parameters()


class EmbedRequest(Struct, frozen=True, kw_only=True):
    """Texts whose vectors are wanted."""

    model: str
    texts: tuple[str, ...]


class EndReason(StrEnum):
    """Why an answer ended."""

    STOP = "stop"
    LENGTH = "length"
    TOOLS = "tools"
    REFUSED = "refused"
    OTHER = "other"


class Prefill(Struct, frozen=True, kw_only=True):
    """How far the prompt has been read. ``cached`` tokens of ``total`` had not to be read again."""

    read: int
    total: int
    cached: int = 0


class Ending(Struct, frozen=True, kw_only=True):
    """The end of an answer.

    Attributes:
        said: the provider's own word for the reason.
        model: the model that has answered, where the provider tells it.
        provider: the name of the provider that has answered.
    """

    reason: EndReason
    usage: Usage
    said: str = ""
    model: str = ""
    provider: str = ""


class Piece(Struct, frozen=True, kw_only=True):
    """A piece of a streamed answer.

    Attributes:
        tool_calls: whole calls, never parts of one.
        prefill: while the prompt is read, where the server tells it.
        notice: a sentence of ours, such as that another provider answers.
        ending: of the last piece of an answer that was not cut.
    """

    text: str = ""
    reasoning: str = ""
    signature: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    prefill: Prefill | None = None
    notice: str = ""
    ending: Ending | None = None


class Answer(Struct, frozen=True, kw_only=True):
    """A whole answer."""

    text: str
    ending: Ending
    reasoning: str = ""
    signature: str = ""
    tool_calls: tuple[ToolCall, ...] = ()

    @property
    def message(self) -> ChatMessage:
        """The answer as a turn of the talk."""
        return ChatMessage(
            role=Role.ASSISTANT,
            text=self.text,
            reasoning=self.reasoning,
            signature=self.signature,
            tool_calls=self.tool_calls,
        )


class Vectors(Struct, frozen=True, kw_only=True):
    """One vector for each text, in their order."""

    vectors: tuple[tuple[float, ...], ...]
    usage: Usage


class ModelFacts(Struct, frozen=True, kw_only=True):
    """A model of a provider; None is not known.

    Attributes:
        context_length: tokens of prompt and answer together.
        abilities: what it can do.
    """

    name: str
    abilities: Ability | None = None
    context_length: int | None = None
    most_answer_tokens: int | None = None


class Health(Struct, frozen=True, kw_only=True):
    """Whether a provider answers, after how many seconds, and if not, why, in a sentence."""

    is_healthy: bool
    latency_s: float | None = None
    problem: str = ""
