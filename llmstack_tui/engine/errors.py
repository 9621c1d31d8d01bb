"""The errors that a request can end in. ``str(error)`` is the message that the client gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base import wording as base
from llmstack_tui.base.sentences import Sentence, said
from llmstack_tui.config import wording as config
from llmstack_tui.engine import wording as engine
from llmstack_tui.engine.gotemplate import wording as template
from llmstack_tui.gguf import wording as gguf
from llmstack_tui.library import wording as library
from llmstack_tui.registry import wording as download

if TYPE_CHECKING:
    from llmstack_tui.base.sentences import Param, Sentences

# The kind of an `UpstreamError`: llama.cpp cannot hold a model to a JSON schema of the request.
NO_GRAMMAR = "no_grammar"
NO_IMAGES = "Reading images and sound needs Ollama: the built-in engine takes text only."

ROOMS = (base, config, gguf, library, download, template, engine)
_WORDING = base.Wording({kind: form for room in ROOMS for kind, form in room.SENTENCES.items()}.get)
# The text of an error, and of sentences, of the rooms below.
words, text = _WORDING.words, _WORDING.text


class ApiError(Exception):
    """A request failed.

    Attributes:
        status: the HTTP status of the answer.
        code: OpenAI's word for what happened, where a client acts on it.
        sentences: the message as data, which llmstack shows in the user's language; none for one that only
            programs read.
    """

    code: str | None = None

    def __init__(self, status: int, message: str, sentences: Sentences = ()) -> None:
        super().__init__(message)
        self.status = status
        self.sentences = sentences


def refusal(status: int, error: Exception, *, before: str = "") -> ApiError:
    """The answer to a request that a room below has refused. ``before``: what Ollama's clients look for."""
    return ApiError(status, before + words(error), said(error))


def as_api_error(error: Exception) -> ApiError:
    """The error that a client gets. Nothing but a client's JSON is nested so deeply that Python gives up."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, RecursionError):
        return ApiError(400, "The JSON is nested too deeply.")
    return ApiError(500, "The engine failed: its log says why.")


class _OwnError(ApiError):
    """One with a sentence of the engine's own."""

    def __init__(self, status: int, kind: str, /, **params: Param) -> None:
        sentence = Sentence(kind, params)
        super().__init__(status, text(sentence).replace("\N{NO-BREAK SPACE}", " "), (sentence,))


class LoadFailed(_OwnError):
    """A model could not be loaded.

    ``cause``: the message of llama.cpp or the system, or the text of ``why``, without a full stop.
    """

    def __init__(self, cause: str, why: Sentences = (), *, status: int = 500) -> None:
        super().__init__(status, "engine.not_loaded", why=why or f"{cause}.")
        self.cause = cause


class MemoryShort(_OwnError):
    """A model needs more memory than the machine has; figures in bytes. Clients look for this beginning."""

    def __init__(self, needed: int, room: int, context_length: int) -> None:
        figures = {"needed": needed, "room": max(room, 0), "context_length": context_length}
        super().__init__(500, "engine.memory_short", **figures)


class PromptTooLong(_OwnError):
    """A prompt does not fit into the context; both in tokens.

    Claude Code looks for this beginning, Codex and Cline for the code: they shorten the conversation then.
    """

    code = "context_length_exceeded"

    def __init__(self, tokens: int, context_length: int) -> None:
        super().__init__(400, "engine.prompt_too_long", tokens=tokens, context_length=context_length)


class RunnerDied(_OwnError):
    """The process of a model ended during a request. ``cause`` completes "The model's process …"."""

    def __init__(self, cause: str) -> None:
        super().__init__(500, "engine.process_over", cause=cause)


class UpstreamError(ApiError):
    """llama.cpp's server refused a request, or failed in the middle of its answer.

    ``kind`` is the ``type`` of its error, such as ``exceed_context_size_error``, or `NO_GRAMMAR`. A status
    of 4xx is passed on to the client; all others become 500.
    """

    def __init__(self, message: str, *, kind: str = "server_error", status: int = 500) -> None:
        super().__init__(status if 400 <= status < 500 else 500, message)
        self.kind = kind


class ServerBusy(_OwnError):
    """Too many requests wait for a model. The message is Ollama's: clients look for it."""

    def __init__(self) -> None:
        super().__init__(503, "engine.busy")


class EngineStopping(_OwnError):
    """The engine is shutting down and takes no more requests."""

    def __init__(self) -> None:
        super().__init__(503, "engine.stopping")


class StoppedInAnswer(_OwnError):
    """The engine was shut down during the answer."""

    def __init__(self) -> None:
        super().__init__(503, "engine.stopped")
