"""One error per kind of failure, the same for every protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.kinds import SERVER_NAMES
from llmstack_tui.base.sentences import Failure

if TYPE_CHECKING:
    from llmstack_tui.base.kinds import Capability, ServerKind
    from llmstack_tui.base.sentences import Param


class Refusal(Struct, frozen=True, kw_only=True):
    """What a server said of a failure beside its words.

    Attributes:
        status: of the HTTP answer; None for an error in the middle of a stream.
        codes: its own names for what is wrong, such as ``insufficient_quota``.
        retry_after_s: seconds after which it wants to be asked again.
    """

    status: int | None = None
    codes: tuple[str, ...] = ()
    retry_after_s: float | None = None


class HostError(Failure):
    """A call to a host failed.

    Attributes:
        host: the URL of the host that was asked, which the sentence may name.
        detail: the server's or the operating system's own words, or an empty string; never markup.
        title: the kind of a few words for what happened.
        refusal: of an unsuccessful answer, or of an error within a stream.
    """

    title = "title.failed"
    refusal: Refusal | None = None

    def __init__(self, kind: str, /, *, host: str, detail: str = "", hint: str = "", **params: Param) -> None:
        super().__init__(kind, hint=hint, host=host, **params)
        self.host = host
        self.detail = detail


class Unreachable(HostError):
    """Nothing answers at the address, or not in time."""

    title = "title.unreachable"


class NoTunnel(Unreachable):
    """There is no SSH connection to the server's machine; the sentence says why, and what to do."""

    title = "title.no_tunnel"


class NotFound(HostError):
    """The server does not have what was asked for (404)."""

    title = "title.not_found"


class Refused(HostError):
    """The server refuses (another 4xx), or this kind of host cannot do it at all."""

    title = "title.refused"


def cannot(act: Capability, *, host: str, server: ServerKind) -> Refused:
    """The error for what this kind of server cannot do: the sentence names the program."""
    kind = f"host.cannot_{(act.name or 'this').lower()}"
    return Refused(kind, host=host, server=SERVER_NAMES[server])


class BadStream(HostError):
    """The answer was not what the protocol says: not JSON, cut in the middle, of an unknown shape."""

    title = "title.bad_answer"


class ServerError(HostError):
    """The server failed (5xx, or an error line inside a stream)."""

    title = "title.server"
