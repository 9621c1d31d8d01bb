"""HTTP through SSH: each connection to the server is a channel of one SSH connection to its machine.

No port is opened on this machine: one on the loopback interface would let every user of it, and every page in
a browser, ask the server as us; a socket in a folder of ours would have to be cleaned up after a kill.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpcore
import httpx

from llmstack_tui.base import lazy
from llmstack_tui.base.address import parse_ssh
from llmstack_tui.hosts.errors import NoTunnel

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llmstack_tui.ssh.tunnel import Channel, Tunnel


# As without SSH: less than the time after which servers close an idle connection.
_MOST_KEPT, _KEEP_S = 8, 3.0


class SshTransport(httpx.AsyncHTTPTransport):
    """Sends requests for the server at ``url``, an address over SSH. It connects with the first of them.

    Why it cannot is raised as `HostError`, which passes through httpx.
    """

    def __init__(self, url: str) -> None:
        super().__init__(verify=False, trust_env=False)
        self._channels = _Channels(url)
        self._pool = httpcore.AsyncConnectionPool(
            max_keepalive_connections=_MOST_KEPT, keepalive_expiry=_KEEP_S, network_backend=self._channels
        )

    async def aclose(self) -> None:
        await super().aclose()
        await self._channels.aclose()


class _Channels(httpcore.AsyncNetworkBackend):
    """Where httpcore gets its connections from."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._tunnel: Tunnel | None = None

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        await lazy.load(".ssh.tunnel")
        try:
            from llmstack_tui.ssh.tunnel import Tunnel  # noqa: PLC0415 (half a second, only if needed)
        except ModuleNotFoundError:
            box = parse_ssh(self._url).host
            raise NoTunnel("ssh.not_installed", host=self._url, box=box) from None
        if self._tunnel is None:
            self._tunnel = Tunnel(self._url)
        try:
            async with asyncio.timeout(timeout):
                return _Stream(await self._tunnel.channel(host, port))
        except TimeoutError:
            raise self._tunnel.failure("ssh.silent") from None

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def aclose(self) -> None:
        if self._tunnel is not None:
            await self._tunnel.aclose()


class _Stream(httpcore.AsyncNetworkStream):
    """A channel as httpcore uses it."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            async with asyncio.timeout(timeout):
                return await self._channel.read(max_bytes)
        except TimeoutError:
            raise httpcore.ReadTimeout from None

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        try:
            async with asyncio.timeout(timeout):
                await self._channel.write(buffer)
        except TimeoutError:
            raise httpcore.WriteTimeout from None
        except BrokenPipeError:
            raise httpcore.WriteError from None

    async def aclose(self) -> None:
        self._channel.close()

    def get_extra_info(self, info: str) -> object:
        # Asked before a connection is used again: with nothing to come, it is readable only at its end.
        return self._channel.is_over if info == "is_readable" else None
