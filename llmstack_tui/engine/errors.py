"""What can go wrong with a request. ``str`` of each error is what the client is told."""

from __future__ import annotations

NO_IMAGES = "Reading images and sound needs Ollama: the built-in engine takes text only."


class ApiError(Exception):
    """A request is answered with this error. ``status`` is the HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class LoadFailed(Exception):
    """A model could not be loaded. ``cause`` is what llama.cpp or the system said (no full stop)."""

    def __init__(self, cause: str) -> None:
        super().__init__(f"The model cannot be loaded: {cause}.")
        self.cause = cause


class RunnerDied(Exception):
    """The process of a model ended during a request. ``cause`` says how (no full stop)."""

    def __init__(self, cause: str) -> None:
        super().__init__(f"The model's process {cause}.")
        self.cause = cause


class UpstreamError(Exception):
    """llama.cpp's server refused a request, or failed in the middle of its answer.

    Attributes:
        status: its HTTP status.
        kind: the ``type`` of its error: ``exceed_context_size_error``, ``invalid_request_error``, …
    """

    def __init__(self, message: str, *, status: int, kind: str) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind


class ServerBusy(Exception):
    """Too many requests wait for a model (503), in Ollama's words, which clients look for."""

    def __init__(self) -> None:
        super().__init__("server busy, please try again.  maximum pending requests exceeded")


class EngineStopping(Exception):
    """The engine is shutting down and takes no more requests (503)."""

    def __init__(self) -> None:
        super().__init__("The engine is stopping: start it again with: llmstack engine start")
