"""How a pull is done, what it reports while it is under way, and why it ends without a model."""

from __future__ import annotations

from msgspec import Struct

from llmstack_tui.library.storage import LibraryError


class PullOptions(Struct, frozen=True, kw_only=True):
    """How blobs are downloaded.

    Attributes:
        connections: of one blob at once.
        part: bytes that one request asks for at most.
        silence_s: without a byte, after which a connection is given up.
        tries: in a row without a byte more, after which the download is given up.
        wait_s: before the second try; it doubles with each.
        longest_wait_s: between two tries, unless the server asks for more.
        note_every_s: how much of the download a killed process may lose.
        reserve: bytes that stay free on the disk.
    """

    connections: int = 8
    part: int = 64 * 1024**2
    silence_s: float = 30.0
    tries: int = 7
    wait_s: float = 0.5
    longest_wait_s: float = 15.0
    note_every_s: float = 1.0
    reserve: int = 512 * 1024**2


class PullStep(Struct, frozen=True):
    """One step of a pull; for a blob with its digest, its size and the bytes that are done."""

    status: str
    digest: str | None = None
    total: int = 0
    completed: int = 0


class NotPublished(LibraryError):
    """The registry does not have it."""


class PassingFailure(Exception):
    """A request for bytes failed in a way that may pass.

    Attributes:
        after_s: seconds that the server wants to be left alone, None if it did not say.
    """

    def __init__(self, why: str, after_s: float | None = None) -> None:
        super().__init__(why)
        self.after_s = after_s
