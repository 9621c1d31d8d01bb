"""Why a pull ends without a model."""

from __future__ import annotations

from llmstack_tui.library.storage import LibraryError


class PullFailed(LibraryError):
    """The model was not downloaded; ``str`` of it is a sentence for the user."""


class NotThere(PullFailed):
    """The registry does not have it."""


class TryAgain(Exception):
    """A request for bytes failed in a way that may pass.

    Attributes:
        after_s: seconds that the server wants to be left alone, None if it did not say.
    """

    def __init__(self, why: str, after_s: float | None = None) -> None:
        super().__init__(why)
        self.after_s = after_s
