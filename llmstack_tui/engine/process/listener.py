"""A listening socket, and uvicorn's server on it."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import socket
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING

import uvicorn

from llmstack_tui.base.address import is_loopback_host
from llmstack_tui.engine.api.limits import BodyLimit, ServerLimits
from llmstack_tui.engine.process.connection import LimitedConnection

if TYPE_CHECKING:
    from collections.abc import Generator

    from starlette.types import ASGIApp

# Clients reuse connections after a pause; Ollama never closes an idle one.
_KEEP_ALIVE_SECONDS = 120
_GRACE_SECONDS = 20


class CannotListen(Exception):
    """No socket could be opened at the address; the text is a sentence with the cause."""


class NeedsKey(CannotListen):
    """Other machines could reach the server, and it has no key."""

    def __init__(self) -> None:
        super().__init__(
            "To be reached from other machines, the engine needs a key: make one with `llmstack engine key`, "
            "then start it again."
        )


class Server(uvicorn.Server):
    """uvicorn's server, but `run` returns after SIGINT or SIGTERM instead of raising the signal again.

    After a signal, running requests have twenty seconds to finish; then they are cancelled.
    """

    def __init__(self, app: ASGIApp, limits: ServerLimits | None = None) -> None:
        limits = limits or ServerLimits()
        super().__init__(
            uvicorn.Config(
                BodyLimit(app, limits),
                loop="uvloop" if find_spec("uvloop") else "asyncio",
                http=partial(LimitedConnection, limits),  # type: ignore[arg-type]  # it is only called
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=_KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        numbers = (signal.SIGINT, signal.SIGTERM)
        before = [signal.signal(number, self.handle_exit) for number in numbers]
        try:
            yield
        finally:
            for number, handler in zip(numbers, before, strict=True):
                signal.signal(number, handler)


def listen(host: str, port: int, *, tries: int = 1, has_key: bool = False) -> socket.socket:
    """A socket on ``port`` (0: any), or on the first free one of ``tries`` ports from ``port`` on.

    Raises:
        NeedsKey: other machines could reach it, and there is no key.
        CannotListen: with the cause.
    """
    for number in range(port, port + tries):
        try:
            bound = _listen(host, number)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or number == port + tries - 1:
                raise CannotListen(_cause(error, host, number)) from error
        else:
            if not has_key and not is_loopback_host(bound.getsockname()[0]):
                bound.close()
                raise NeedsKey
            return bound
    raise ValueError("A socket needs at least one try.")


def base_url(listening: socket.socket) -> str:
    """The URL of the socket for a client on this machine."""
    host, port = listening.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 (nothing is bound here)
    return f"http://{_joined(host, port)}"


def bound_address(listening: socket.socket) -> str:
    """The address and the port of the socket: "0.0.0.0:11434"."""
    return _joined(*listening.getsockname()[:2])


def _joined(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _listen(host: str, port: int) -> socket.socket:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, address = found[0]
    both = family == socket.AF_INET6 and socket.has_dualstack_ipv6()
    return socket.create_server(address, family=family, dualstack_ipv6=both)


def _cause(error: OSError, host: str, port: int) -> str:
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is no address of this machine."
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} of {host} is in use by another program: choose another port."
    if error.errno == errno.EACCES:
        return f"Port {port} needs more rights than this user has: choose one above 1023."
    return f"Port {port} of {host} cannot be used: {os.strerror(error.errno) if error.errno else error}."
