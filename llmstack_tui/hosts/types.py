"""The answers of a host, as frozen values.

Sizes are bytes, times are aware datetimes; ``None`` means that the server does not say, never zero.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta  # noqa: TC003  # msgspec reads the annotations of what is kept as JSON
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.kinds import ServerKind
from llmstack_tui.base.sentences import Sentence  # noqa: TC001  # as above

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from llmstack_tui.base.kinds import Capability, HostKind
    from llmstack_tui.hosts.errors import HostError


class ServerVersion(Struct, frozen=True, kw_only=True):
    """The kind and the version of a server.

    Attributes:
        version: in the program's words; "" if it tells none.
        server: the program; our own engine counts as Ollama.
    """

    kind: HostKind
    version: str
    server: ServerKind = ServerKind.OLLAMA


class Model(Struct, frozen=True, kw_only=True):
    """A model that is installed on a host.

    Attributes:
        name: canonical short name with its tag, as the server lists it.
        digest: hexadecimal sha256 of the manifest, without a prefix; empty if unknown.
        size: bytes on disk of all layers.
        remote_host: set for a cloud model, which runs elsewhere.
        unusable: why the server cannot run it; only the built-in engine lists such.
    """

    name: str
    digest: str
    size: int | None = None
    modified_at: datetime | None = None
    format: str | None = None
    family: str | None = None
    parameters: str | None = None
    quantization: str | None = None
    context_length: int | None = None
    capabilities: frozenset[str] | None = None
    weights_digest: str | None = None
    remote_host: str | None = None
    remote_model: str | None = None
    unusable: Sentence | None = None

    @property
    def is_cloud(self) -> bool:
        return self.remote_host is not None

    @property
    def is_here(self) -> bool:
        """Whether it is its server's own, and known by its digest: only then are updates and memory known."""
        return bool(self.digest) and self.remote_host is None


class TimedAnswer(Struct, frozen=True):
    """The last answer that a model gave to anybody, and how fast it was.

    Attributes:
        tokens_per_second: of decode.
        first_token: the time from the request to the first token, without a load.
    """

    at: datetime
    tokens_per_second: float
    first_token: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningModel:
    """A model that the host lists as loaded.

    Attributes:
        size: bytes in all memory, as the *server* reckons.
        size_vram: the part of ``size`` on a GPU, 0 when it runs on the CPU.
        context_length: tokens of context that it was loaded with.
        requests: how many are in flight; only the built-in engine tells this, ``used_at`` and ``answer``.
        used_at: when its last request, or its load, ended.
        weights_digest: the digest of its weights, if known.
        answers_for: digests of other installed models that share its process.
        pid: the id of its process, if that runs on this machine.
        resident: bytes of main memory that the process holds, as the *system* says; ``mapped`` of them are
            pages of files, which the system counts as free.
        processor_s: seconds of processor time that the process has used.
    """

    name: str
    digest: str
    size: int | None = None
    size_vram: int | None = None
    expires_at: datetime | None = None
    context_length: int | None = None
    requests: int | None = None
    used_at: datetime | None = None
    weights_digest: str | None = None
    answers_for: frozenset[str] = frozenset()
    pid: int | None = None
    answer: TimedAnswer | None = None
    resident: int | None = None
    mapped: int = 0
    processor_s: float | None = field(default=None, compare=False)

    @property
    def shows_work(self) -> bool:
        """Whether its server, or the system, tells anything by which it is seen to be at work."""
        signs = (self.expires_at, self.requests, self.used_at, self.processor_s)
        return any(sign is not None for sign in signs)


class Message(Struct, frozen=True, kw_only=True):
    """One turn of a chat. ``role`` is "system", "user", "assistant" or "tool"."""

    role: str
    content: str


class ModelDetails(Struct, frozen=True, kw_only=True):
    """The details of one model.

    Attributes:
        parameters: a line for each, with name and value.
        template_notes: why another template than that answers, or the model cannot be run; empty if neither.
        parent_model: the name of the model that this one was made from.
        messages: the conversation that begins each chat.
        info: the metadata of its file, by key; ``projector_info``: that of its vision projector.
    """

    name: str
    modelfile: str = ""
    parameters: str = ""
    template: str = ""
    template_notes: str = ""
    system: str = ""
    license: str = ""
    format: str | None = None
    family: str | None = None
    parameter_size: str | None = None
    quantization: str | None = None
    context_length: int | None = None
    embedding_length: int | None = None
    capabilities: frozenset[str] | None = None
    weights_digest: str | None = None
    modified_at: datetime | None = None
    parent_model: str | None = None
    remote_host: str | None = None
    remote_model: str | None = None
    messages: tuple[Message, ...] = ()
    info: Mapping[str, object] = {}
    projector_info: Mapping[str, object] = {}


class ModelFile(Struct, frozen=True):
    """A file of this machine that is a part of a model. ``digest`` is ``sha256:`` and the hexadecimal one."""

    path: Path
    digest: str
    size: int


class ModelParts(Struct, frozen=True, kw_only=True):
    """All that a model is made of; an empty text means that it has none.

    Attributes:
        files: its weights, then its projectors.
        parameters: options that hold unless a request says otherwise.
        messages: the conversation that begins each chat; each has ``role`` and ``content``.
        renderer, parser, requires: only Ollama's: what it makes prompts with, and its version.
    """

    files: tuple[ModelFile, ...]
    adapters: tuple[ModelFile, ...] = ()
    template: str = ""
    system: str = ""
    parameters: Mapping[str, object] = {}
    messages: tuple[Mapping[str, object], ...] = ()
    licenses: tuple[str, ...] = ()
    renderer: str = ""
    parser: str = ""
    requires: str = ""

    @property
    def weights_digest(self) -> str:
        """Of the weights, hexadecimal, as in `ModelDetails`."""
        return self.files[0].digest.removeprefix("sha256:")

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in (*self.files, *self.adapters))


class AnswerUsage(Struct, frozen=True, kw_only=True):
    """The time and the tokens of a finished answer, as the server counted them."""

    total: timedelta
    load: timedelta
    prompt_tokens: int
    prompt: timedelta
    answer_tokens: int
    answer: timedelta

    @property
    def tokens_per_second(self) -> float | None:
        """Decode speed, or None when nothing was timed."""
        seconds = self.answer.total_seconds()
        return self.answer_tokens / seconds if seconds > 0 and self.answer_tokens else None


class Chunk(Struct, frozen=True, kw_only=True):
    """A piece of a streamed answer; the last one is ``done`` and carries ``usage``."""

    text: str
    thinking: str = ""
    done: bool = False
    done_reason: str | None = None
    usage: AnswerUsage | None = None


class Progress(Struct, frozen=True, kw_only=True):
    """The progress of a pull, create or import: the step, and the bytes completed of the total."""

    status: str
    digest: str | None = None
    total: int | None = None
    completed: int | None = None


class Snapshot(Struct, frozen=True, kw_only=True):
    """All that is known of one host at one moment.

    ``error`` is why the last poll failed; the figures are then the old ones of ``read_at``.

    Attributes:
        url: the host's base URL, its key everywhere.
        left_out: how many more models the server lists than are in ``installed``.
        read_at: monotonic seconds of the last poll that succeeded, None before the first.
        recalled_at: when an earlier session saw ``installed``, which is kept until the first poll.
        latency_s: seconds in which the host answered short requests of late.
        retry_at: monotonic seconds of the next try, after a failed one; None while all is well.
    """

    url: str
    capabilities: Capability
    server: ServerVersion | None = None
    installed: tuple[Model, ...] = ()
    left_out: int = 0
    running: tuple[RunningModel, ...] = ()
    read_at: float | None = None
    error: HostError | None = None
    recalled_at: datetime | None = None
    latency_s: float | None = None
    retry_at: float | None = None

    @property
    def reachable(self) -> bool:
        return self.read_at is not None and self.error is None

    @property
    def was_polled(self) -> bool:
        """Whether a poll has succeeded or failed."""
        return self.read_at is not None or self.error is not None

    @property
    def is_old(self) -> bool:
        """Whether the figures are those of an earlier poll, or of an earlier session."""
        return self.error is not None or (self.read_at is None and self.recalled_at is not None)
