"""The errors that a request can end in. ``str(error)`` is the message that the client gets."""

from __future__ import annotations

from llmstack_tui.base import wording as base
from llmstack_tui.base.units import bytes_text
from llmstack_tui.config import wording as config
from llmstack_tui.engine.gotemplate import wording as template
from llmstack_tui.gguf import wording as gguf
from llmstack_tui.library import wording as library
from llmstack_tui.registry import wording as download

# The kind of an `UpstreamError`: llama.cpp cannot hold a model to a JSON schema of the request.
NO_GRAMMAR = "no_grammar"
NO_IMAGES = "Reading images and sound needs Ollama: the built-in engine takes text only."

_ROOMS = (base, config, gguf, library, download, template)
_WORDING = base.Wording({kind: form for room in _ROOMS for kind, form in room.SENTENCES.items()}.get)
# The text of an error, and of sentences, of the rooms below.
words, text = _WORDING.words, _WORDING.text


class ApiError(Exception):
    """A request failed.

    Attributes:
        status: the HTTP status of the answer.
        code: OpenAI's word for what happened, where a client acts on it.
    """

    code: str | None = None

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def as_api_error(error: Exception) -> ApiError:
    """The error that a client gets. Nothing but a client's JSON is nested so deeply that Python gives up."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, RecursionError):
        return ApiError(400, "The JSON is nested too deeply.")
    return ApiError(500, "The engine failed: its log says why.")


class LoadFailed(ApiError):
    """A model could not be loaded. ``cause``: the message of llama.cpp or the system, without a full stop."""

    def __init__(self, cause: str, *, status: int = 500) -> None:
        super().__init__(status, f"The model cannot be loaded: {cause}.")
        self.cause = cause


class MemoryShort(ApiError):
    """A model needs more memory than the machine has; figures in bytes. Clients look for this beginning."""

    def __init__(self, needed: int, room: int, context_length: int) -> None:
        super().__init__(
            500,
            f"model requires more system memory ({bytes_text(needed)}) than is available "
            f"({bytes_text(max(room, 0))}) with a context of {context_length} tokens: ask for a shorter one "
            "(num_ctx), or take a smaller model.",
        )


class PromptTooLong(ApiError):
    """A prompt does not fit into the context; both in tokens.

    Claude Code looks for this beginning, Codex and Cline for the code: they shorten the conversation then.
    """

    code = "context_length_exceeded"

    def __init__(self, tokens: int, context_length: int) -> None:
        super().__init__(
            400,
            f"prompt is too long: {tokens} tokens > {context_length} maximum. "
            "The engine's setting context_length, or OLLAMA_CONTEXT_LENGTH, gives models a longer context.",
        )


class RunnerDied(ApiError):
    """The process of a model ended during a request. ``cause`` completes "The model's process …"."""

    def __init__(self, cause: str) -> None:
        super().__init__(500, f"The model's process {cause}.")


class UpstreamError(ApiError):
    """llama.cpp's server refused a request, or failed in the middle of its answer.

    ``kind`` is the ``type`` of its error, such as ``exceed_context_size_error``, or `NO_GRAMMAR`. A status
    of 4xx is passed on to the client; all others become 500.
    """

    def __init__(self, message: str, *, kind: str = "server_error", status: int = 500) -> None:
        super().__init__(status if 400 <= status < 500 else 500, message)
        self.kind = kind


class ServerBusy(ApiError):
    """Too many requests wait for a model. The message is Ollama's: clients look for it."""

    def __init__(self) -> None:
        super().__init__(503, "server busy, please try again.  maximum pending requests exceeded")


class EngineStopping(ApiError):
    """The engine is shutting down and takes no more requests."""

    def __init__(self) -> None:
        super().__init__(503, "The engine is stopping: start it again with: llmstack engine start")
