"""An SSH server on loopback that passes connections on, and a home folder whose user may use it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import asyncssh

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

USER = "ada"


@dataclass
class SshBox:
    """What a test sets, and what the server saw.

    Attributes:
        home: the user's home folder; the key there is accepted, and the server's key is known there.
        key: the server's.
        forwards: whether it passes connections on.
        wants_password: whether it accepts a password only.
        connections: those that are open.
        logins: how many have asked to be let in.
    """

    home: Path
    key: asyncssh.SSHKey
    port: int = 0
    forwards: bool = True
    wants_password: bool = False
    logins: int = 0
    connections: list[asyncssh.SSHServerConnection] = field(default_factory=list)

    def url(self, server_port: int, user: str = USER) -> str:
        return f"ssh://{user}@127.0.0.1:{self.port}?server=127.0.0.1:{server_port}"

    def trust(self, key: asyncssh.SSHKey | None) -> None:
        """Have this key known for the server in the user's home, instead of any other."""
        known = "" if key is None else f"[127.0.0.1]:{self.port} {key.export_public_key().decode()}"
        (self.home / ".ssh" / "known_hosts").write_text(known)

    def cut(self) -> None:
        """Break every connection."""
        for connection in self.connections:
            connection.abort()


class _Server(asyncssh.SSHServer):
    def __init__(self, box: SshBox) -> None:
        self._box = box

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._box.connections.append(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        self._box.connections.remove(self._connection)

    def begin_auth(self, username: str) -> bool:
        self._box.logins += 1
        if not self._box.wants_password:
            self._connection.set_authorized_keys(str(self._box.home / ".ssh" / "authorized"))
        return True

    def public_key_auth_supported(self) -> bool:
        return not self._box.wants_password

    def password_auth_supported(self) -> bool:
        return self._box.wants_password

    def connection_requested(self, dest_host: str, dest_port: int, orig_host: str, orig_port: int) -> bool:
        if not self._box.forwards:
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED, "forbidden")
        return True


@asynccontextmanager
async def ssh_box(home: Path) -> AsyncIterator[SshBox]:
    """A running server, and in ``home`` the files of a user that it lets in. HOME is not changed."""
    settings = home / ".ssh"
    settings.mkdir(parents=True)
    users, servers = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    users.write_private_key(settings / "id_ed25519")
    users.write_public_key(settings / "authorized")
    box = SshBox(home=home, key=servers)
    acceptor = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_factory=lambda: _Server(box),
        server_host_keys=[servers],
    )
    box.port = acceptor.get_port()
    box.trust(servers)
    try:
        yield box
    finally:
        acceptor.close()
        box.cut()
        await acceptor.wait_closed()
