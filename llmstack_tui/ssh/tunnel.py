"""The SSH connection to a machine: made when it is first used, watched, and made again when it has broken.

The user's SSH settings, agent, keys and known hosts are obeyed, as far as asyncssh knows them; the key of an
unknown machine is never accepted.
"""

from __future__ import annotations

import asyncio
import errno
import os
import re
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import asyncssh

from llmstack_tui.base.address import parse_ssh
from llmstack_tui.base.connections import connection_error
from llmstack_tui.base.text import excerpt
from llmstack_tui.hosts.errors import NoTunnel

if TYPE_CHECKING:
    from llmstack_tui.base.sentences import Param

# For all of it, with a jump host in between and a key that has to be touched.
_CONNECT_S = 20.0
# A machine that went away without a word is noticed after three of these.
_ALIVE_EVERY_S, _MOST_SILENT = 5, 3
# A machine that refused our keys may shut out who tries five times in ten minutes (fail2ban's default).
_PAUSE_S = 180.0
_CLOSE_S = 2.0
# Encrypted at once, on the event loop: key presses have their turn in between.
_PIECE_BYTES = 2**15
_KNOWN_HOSTS = ("~/.ssh/known_hosts", "/etc/ssh/ssh_known_hosts")


class Tunnel:
    """The connection to the machine of an address over SSH. Every call raises `NoTunnel` and nothing else."""

    def __init__(self, url: str) -> None:
        # Its log tells files of keys, addresses and users, and nobody reads it.
        asyncssh.set_log_level("CRITICAL")
        self._url = url
        self._address = parse_ssh(url)
        self._connection: asyncssh.SSHClientConnection | None = None
        self._opening: asyncio.Task[asyncssh.SSHClientConnection] | None = None
        self._denied: NoTunnel | None = None
        self._denied_at = 0.0

    async def channel(self, host: str, port: int) -> Channel:
        """A connection to a port that the machine can reach."""
        connection = await self._open()
        try:
            reader, writer = await connection.open_connection(host, port)
        except asyncssh.ChannelOpenError as error:
            if connection.is_closed():
                raise self.failure("ssh.lost") from None
            forbidden = error.code == asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED
            kind = "ssh.forbidden" if forbidden else "ssh.no_server"
            raise self.failure(kind, server=f"{host}:{port}", detail=error.reason) from None
        except (asyncssh.Error, OSError) as error:
            raise self.failure("ssh.lost", detail=str(error)) from None
        return Channel(self, connection, reader, writer)

    async def aclose(self) -> None:
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait((self._opening,))
        if self._connection is not None:
            self._connection.close()
            with suppress(TimeoutError, asyncssh.Error, OSError):
                async with asyncio.timeout(_CLOSE_S):
                    await self._connection.wait_closed()

    async def _open(self) -> asyncssh.SSHClientConnection:
        """The connection. All who ask meanwhile wait for one try, which goes on if some of them leave."""
        if self._connection is not None and not self._connection.is_closed():
            return self._connection
        if self._denied is not None and time.monotonic() < self._denied_at + _PAUSE_S:
            raise self._denied
        if self._opening is None:
            self._opening = asyncio.create_task(self._connect(), name=f"connect to {self._address.host}")
            self._opening.add_done_callback(self._opened)
        return await asyncio.shield(self._opening)

    def _opened(self, opening: asyncio.Task[asyncssh.SSHClientConnection]) -> None:
        self._opening = None
        if not opening.cancelled() and opening.exception() is None:
            self._connection = opening.result()

    async def _connect(self) -> asyncssh.SSHClientConnection:
        place = {
            key: value
            for key, value in (("username", self._address.user), ("port", self._address.port))
            if value is not None
        }
        client = _Login()
        try:
            async with asyncio.timeout(_CONNECT_S):
                known = await asyncio.to_thread(_known_hosts, self._address.host, place)
                client.known_hosts = known
                return await asyncssh.connect(
                    self._address.host,
                    **place,
                    known_hosts=known or (),
                    client_factory=lambda: client,
                    keepalive_interval=_ALIVE_EVERY_S,
                    keepalive_count_max=_MOST_SILENT,
                )
        except (asyncssh.Error, OSError, ValueError) as error:
            failure = self._why(error, client)
            if isinstance(error, asyncssh.PermissionDenied):
                self._denied, self._denied_at = failure, time.monotonic()
            raise failure from None

    def _why(self, error: Exception, client: _Login) -> NoTunnel:
        """What to tell of a connection that could not be made."""
        kind, why, fingerprint = "ssh.failed", excerpt(str(error)).rstrip("."), client.fingerprint or ""
        match error:
            case asyncssh.HostKeyNotVerifiable():
                seen = "ssh.changed_key" if client.has_changed else "ssh.unknown_key"
                kind = seen if fingerprint else "ssh.bad_key"
            case asyncssh.PermissionDenied():
                kind = "ssh.wants_password" if client.was_asked else "ssh.denied"
            case asyncssh.ConfigParseError():
                kind = "ssh.bad_settings"
            case asyncssh.KeyImportError():
                kind, why = "ssh.bad_file", ""  # Its words may name the file of the key.
            case OSError(filename=str() | bytes()):
                kind, why = "ssh.bad_file", ""
            case socket.gaierror():
                kind, why = "ssh.no_name", connection_error(error)
            case TimeoutError():
                kind = "ssh.silent"
            case OSError():
                # For a name with several addresses, there are only the words for each.
                number = [error.errno or 0, *map(int, re.findall(r"\[Errno (\d+)\]", why))][-1]
                kind = "ssh.refused" if number == errno.ECONNREFUSED else "ssh.not_reached"
                why = os.strerror(number) if number > 0 else connection_error(error)
        return self.failure(kind, why=why, fingerprint=fingerprint, pause_s=_PAUSE_S)

    def failure(self, kind: str, *, detail: str = "", **params: Param) -> NoTunnel:
        address = self._address
        user = f"{address.user}@" if address.user else ""
        port = f":{address.port}" if address.port else ""
        box, detail = f"{user}{address.host}{port}", excerpt(detail)
        return NoTunnel(
            kind,
            host=self._url,
            detail=detail,
            hint="",
            box=box,
            machine=address.host,
            command=address.command(),
            **params,
        )


class Channel:
    """A connection to a port of the machine, as a stream of bytes."""

    def __init__(
        self,
        tunnel: Tunnel,
        connection: asyncssh.SSHClientConnection,
        reader: asyncssh.SSHReader[bytes],
        writer: asyncssh.SSHWriter[bytes],
    ) -> None:
        self._tunnel = tunnel
        self._connection = connection
        self._reader = reader
        self._writer = writer

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come."""
        return self._connection.is_closed() or self._reader.at_eof()

    async def read(self, most_bytes: int) -> bytes:
        """The next bytes; none at the end."""
        try:
            piece = await self._reader.read(most_bytes)
        except (asyncssh.Error, OSError) as error:
            raise self._tunnel.failure("ssh.lost", detail=str(error)) from None
        if not piece and self._connection.is_closed():
            raise self._tunnel.failure("ssh.lost")
        return piece

    async def write(self, content: bytes) -> None:
        """Raises BrokenPipeError if the server has closed it, perhaps after an answer."""
        try:
            for start in range(0, len(content), _PIECE_BYTES):
                self._writer.write(content[start : start + _PIECE_BYTES])
                await self._writer.drain()
                await asyncio.sleep(0)
        except (asyncssh.Error, OSError) as error:
            if self._connection.is_closed():
                raise self._tunnel.failure("ssh.lost", detail=str(error)) from None
            raise BrokenPipeError from error

    def close(self) -> None:
        self._writer.close()


class _Login(asyncssh.SSHClient):
    """Hears what the machine asks while we connect, and refuses it.

    Attributes:
        known_hosts: the files with the keys that are known.
        fingerprint: of the machine's key, if that is not among them.
        has_changed: whether another key is known of this machine.
        was_asked: whether the machine asked for a password.
    """

    known_hosts: list[str]
    fingerprint: str | None = None
    has_changed = False
    was_asked = False

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        self.fingerprint = key.get_fingerprint()
        if self.known_hosts:
            known = asyncssh.match_known_hosts(self.known_hosts, host, addr, None if port == 22 else port)
            self.has_changed = bool(known[0])
        return False

    def password_auth_requested(self) -> str | None:
        self.was_asked = True
        return None

    def kbdint_auth_requested(self) -> str | None:
        self.was_asked = True
        return None


def _known_hosts(host: str, place: dict[str, str | int]) -> list[str]:
    """The files with the keys of known machines that the user's settings name for this one.

    To name none means, to asyncssh, to trust every machine. To us it is as if nothing was said.
    """
    named = asyncssh.SSHClientConnectionOptions(host=host, **place).known_hosts
    files = named if isinstance(named, list) else []
    paths = [Path(str(file)).expanduser() for file in files or _KNOWN_HOSTS]
    return [str(path) for path in paths if os.access(path, os.R_OK)]
