"""What can go wrong between a request and a model's process. ``str`` of each is a sentence for the user."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class LoadFailed(Exception):
    """A model could not be loaded. ``cause`` is what llama.cpp or the operating system said, no full stop."""

    def __init__(self, cause: str) -> None:
        super().__init__(f"The model cannot be loaded: {cause}.")
        self.cause = cause


class RunnerDied(Exception):
    """The process of a model ended under a request. ``cause`` is how, no full stop."""

    def __init__(self, cause: str) -> None:
        super().__init__(f"The model's process {cause}.")
        self.cause = cause


class UpstreamError(Exception):
    """llama.cpp's server refused a request, or failed in the middle of the answer.

    Attributes:
        status: its HTTP status.
        kind: its name for the failure: ``exceed_context_size_error``, ``invalid_request_error``, …
        fields: all that it said, such as ``n_prompt_tokens`` and ``n_ctx``.
    """

    def __init__(self, message: str, *, status: int, kind: str, fields: Mapping[str, object]) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.fields = fields


class ServerBusy(Exception):
    """Too many requests wait for a model to be loaded (503). Clients know these words of Ollama's."""

    def __init__(self) -> None:
        super().__init__("server busy, please try again.  maximum pending requests exceeded")


class EngineStopping(Exception):
    """The engine ends, and takes no more requests (503)."""

    def __init__(self) -> None:
        super().__init__("The engine is stopping: start it again with: llmstack engine start")
