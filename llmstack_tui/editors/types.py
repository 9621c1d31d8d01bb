"""What a client is to use, the settings that have it do so, and what a test of them found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.kinds import HostKind
from llmstack_tui.base.sentences import Sentence

if TYPE_CHECKING:
    from pathlib import Path

    from llmstack_tui.base.kinds import ServerKind
    from llmstack_tui.base.sentences import Sentence, Sentences

Value = str | int | bool | Mapping[str, "Value"] | Sequence["Value"]
"""A part of settings, in the types that JSON, TOML and YAML share."""

KEY = "\U0010fffd"
"""Stands for the server's key in the texts of settings: a character that is in no other text."""

MASK = "••••"
"""What is shown in place of a key."""


class Client(StrEnum):
    """The editors and agents that there are settings for, and ``curl`` to try a server with."""

    CONTINUE = "continue"
    CLINE = "cline"
    KILO = "kilo"
    ZED = "zed"
    JETBRAINS = "jetbrains"
    AIDER = "aider"
    OPENCODE = "opencode"
    CLAUDE = "claude"
    CODEX = "codex"
    CURL = "curl"


class Api(StrEnum):
    """The protocols that clients speak, by the path of a chat."""

    OLLAMA = "/api/chat"
    OPENAI = "/v1/chat/completions"
    ANTHROPIC = "/v1/messages"
    RESPONSES = "/v1/responses"


class Form(StrEnum):
    """How settings are written. FIELDS are to be typed into a dialog of the client."""

    JSON = "json"
    TOML = "toml"
    YAML = "yaml"
    SHELL = "shell"
    FIELDS = "fields"


class Endpoint(Struct, frozen=True, kw_only=True):
    """The model that a client is to use, and the server that has it.

    Attributes:
        url: the base URL of the server.
        kind, version: of the server; None and "" while it has not answered.
        server: the program, of those that speak OpenAI's protocol.
        context_length: tokens that the model is, or would be, loaded for; None if that is not known.
        capabilities: what the model can do; None if that is not known.
        unusable: why the server cannot run the model.
        has_key: the server asks for a key.
    """

    url: str
    model: str
    kind: HostKind | None = None
    server: ServerKind | None = None
    version: str = ""
    context_length: int | None = None
    capabilities: frozenset[str] | None = None
    unusable: Sentence | None = None
    has_key: bool = False

    @property
    def has_tools(self) -> bool | None:
        """Whether the model can call tools; None if that is not known: only Ollama's protocol tells it."""
        if self.capabilities is None or (self.kind is HostKind.OPENAI and "tools" not in self.capabilities):
            return None
        return "tools" in self.capabilities


class Setup(Struct, frozen=True, kw_only=True):
    """The settings of one client, with `KEY` where the server's key goes.

    Attributes:
        api: what the client speaks to the server.
        text: the settings, to be pasted.
        values: the same, to be merged into a file; None for what is in no file.
        files: where the client looks for that file: the first that is there, else the last.
        variables: what has to be in the client's environment, by name.
        notes: what to do then, and what to know.
    """

    client: Client
    api: Api
    form: Form
    text: str
    values: Mapping[str, Value] | None = None
    files: tuple[Path, ...] = ()
    variables: Mapping[str, str] = {}
    notes: Sentences = ()


class Unsuited(Struct, frozen=True):
    """Why a client cannot use the model there."""

    client: Client
    reason: Sentence


class Heard(Struct, frozen=True, kw_only=True):
    """What has come of a streamed answer.

    Attributes:
        text: what the model wrote, thoughts included; its beginning is enough.
        tool: the name of the tool that it called; "" as long as it called none.
        arguments: those of the call, as JSON.
        is_finished: the answer says why it ended; ``is_closed``: the last event came, too.
        was_cut: it ended because it was as long as the request allows.
        error: the server's words for a failure in the middle.
    """

    text: str = ""
    tool: str = ""
    arguments: str = ""
    is_finished: bool = False
    is_closed: bool = False
    was_cut: bool = False
    error: str = ""

    @property
    def has_begun(self) -> bool:
        return bool(self.text or self.tool)


class TrialReport(Struct, frozen=True, kw_only=True):
    """One request as the client sends it, and what came back.

    Attributes:
        status: of the answer; None if none came.
        first_token_s: seconds from the request to the first piece of the answer.
        seconds: from the request to the end of the answer.
        without_key: the status of the same request without the key; None if there is no key, or no answer.
        failure: why no answer came, or not to its end.
    """

    api: Api
    had_tools: bool
    status: int | None = None
    first_token_s: float | None = None
    seconds: float = 0.0
    heard: Heard = Heard()
    without_key: int | None = None
    failure: Sentences = ()


class Remark(Struct, frozen=True):
    """One finding of a test; ``is_good`` is None for what is neither good nor bad."""

    sentence: Sentence
    is_good: bool | None


class Draft(Struct, frozen=True, kw_only=True):
    """What writing settings into a file would do, with `KEY` where the key goes.

    Attributes:
        file: the one that is written: what ``link`` leads to, if that is not None.
        before: the text of now; None if there is no file.
        after: the text to be written.
        replaced: the settings that get another value, as paths such as ``env.ANTHROPIC_BASE_URL``.
    """

    file: Path
    link: Path | None = None
    before: str | None = None
    after: str
    replaced: tuple[str, ...] = ()

    @property
    def is_done(self) -> bool:
        """Whether the file has these settings already."""
        return self.before == self.after
