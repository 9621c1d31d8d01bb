"""One error per kind of failure, the same for every protocol.

``str(error)`` is a sentence for the person at the screen: what is wrong and, where there is something to do,
what. Text that came from a server is in ``detail`` and is never markup.
"""


class HostError(Exception):
    """A call to a host failed.

    Attributes:
        host: the URL of the host that was asked.
        detail: the server's or the operating system's own words, or an empty string.
        hint: what the user can do about it, one sentence, or an empty string.
    """

    title = "Request failed"

    def __init__(self, message: str, *, host: str, detail: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.host = host
        self.detail = detail
        self.hint = hint

    def __str__(self) -> str:
        return " ".join(part for part in (str(self.args[0]), self.hint) if part)


class Unreachable(HostError):
    """Nothing answers at the address, or not in time."""

    title = "Server not reachable"


class NotFound(HostError):
    """The server does not have what was asked for (404)."""

    title = "Not found"


class Refused(HostError):
    """The server understood and will not do it (another 4xx), or this host cannot do it at all."""

    title = "Refused by the server"


class BadStream(HostError):
    """The answer was not what the protocol says: not JSON, cut in the middle, of an unknown shape."""

    title = "Answer not understood"


class ServerError(HostError):
    """The server failed (5xx, or an error line inside a stream)."""

    title = "Server error"
