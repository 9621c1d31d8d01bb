"""A tool, a call that is about to be made, its result, and what a person says to it."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003  # msgspec reads the annotations
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from llmstack_tui.base.sentences import Failure
from llmstack_tui.providers.types import Tool, ToolCall  # noqa: TC001


class Effect(StrEnum):
    """What a call does to the world outside the talk.

    Attributes:
        NONE: nothing, such as a calculation.
        READS: it reads in the folder that the user opened.
        WRITES: it changes a file there.
        FETCHES: it asks a server.
        RUNS: it runs a program, or somebody else's tool, which can do anything.
    """

    NONE = "none"
    READS = "reads"
    WRITES = "writes"
    FETCHES = "fetches"
    RUNS = "runs"


class Proposal(Struct, frozen=True, kw_only=True):
    """A call that could be made: what a person sees before it is.

    Attributes:
        subject: what it is about: a path in the folder, a URL, a command.
        scope: what an answer may be remembered for: a host, a tool of a server; "" for never.
        preview: what would happen, in lines, such as a diff.
        before: the text that a file has now, so that it is not overwritten if it changes meanwhile.
    """

    call: ToolCall
    effect: Effect
    subject: str = ""
    scope: str = ""
    preview: str = ""
    before: str | None = None

    @property
    def arguments(self) -> Mapping[str, object]:
        return self.call.arguments or {}


class CallResult(Struct, frozen=True, kw_only=True):
    """What a call gave. ``left_out`` characters did not fit."""

    text: str
    is_error: bool = False
    left_out: int = 0


class Permit(StrEnum):
    """What a person says to a proposal; ``ALWAYS`` is remembered for its scope in this folder."""

    ONCE = "once"
    ALWAYS = "always"
    NO = "no"


class Permission(Struct, frozen=True):
    """An answer that is remembered: this tool may do this in this folder unasked."""

    folder: str
    tool: str
    scope: str


class RunnableTool(Protocol):
    """A tool that can be called."""

    @property
    def spec(self) -> Tool: ...

    async def propose(self, call: ToolCall) -> Proposal:
        """What the call would do. Its arguments fit the schema.

        Raises:
            ToolFailed: it cannot be done.
        """

    async def run(self, proposal: Proposal) -> CallResult:
        """Do it.

        Raises:
            ToolFailed: it could not be done.
        """


class ToolFailed(Failure):
    """A call cannot be made, or failed. The sentence is for the model as much as for the person."""

    def __str__(self) -> str:
        from llmstack_tui.base import wording  # noqa: PLC0415  # for who shows an error
        from llmstack_tui.tools.wording import SENTENCES  # noqa: PLC0415

        return wording.Wording({**wording.SENTENCES, **SENTENCES}.get).words(self)
