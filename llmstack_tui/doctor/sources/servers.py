"""Servers: how each answers, to whom, and which program has its port."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psutil

from llmstack_tui.base.address import is_loopback
from llmstack_tui.base.sentences import Sentence, said
from llmstack_tui.base.structs import replace
from llmstack_tui.doctor.facts import OpenDoor, ServerFacts
from llmstack_tui.hosts.errors import BadStream, HostError, NotFound, Refused
from llmstack_tui.hosts.transport import Timeouts
from llmstack_tui.ollama.client import OllamaHost

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from llmstack_tui.hosts.host import Host

_PATIENCE_S = 3.0
_DOOR_TIMEOUTS = Timeouts(connect_s=1.0, short_s=1.5)


async def server_facts(hosts: Iterable[Host], named: Container[str]) -> tuple[ServerFacts, ...]:
    """How these servers answer, which are closed then; ``named``: the URLs that the user named."""
    return tuple(await asyncio.gather(*(_asked(host, named=host.url in named) for host in hosts)))


async def _asked(host: Host, *, named: bool) -> ServerFacts:
    facts = ServerFacts(url=host.url, named=named)
    try:
        async with asyncio.timeout(_PATIENCE_S):
            return await _ask(host, facts)
    except TimeoutError:
        silent = Sentence("host.silent", {"host": host.url, "limit_s": _PATIENCE_S})
        return replace(facts, problem=(silent,))
    finally:
        await host.aclose()


async def _ask(host: Host, facts: ServerFacts) -> ServerFacts:
    url = host.url
    try:
        server = await host.version()
        began = time.monotonic()
        await host.version()  # The first request also connects.
        facts = replace(facts, kind=server.kind, version=server.version, latency_s=time.monotonic() - began)
        loaded = (each for each in await host.running() if each.size and each.size_vram is not None)
        return replace(facts, loaded=tuple(loaded))
    except HostError as error:
        if facts.version and not isinstance(error, Refused):
            return facts  # It answers; what is loaded is not known.
        is_other = isinstance(error, BadStream | NotFound)
        program = await asyncio.to_thread(listener, url) if is_other and is_loopback(url) else ""
        return replace(facts, problem=said(error), is_other=is_other, program=program)


def listener(url: str) -> str:
    """The program that listens at a port of this machine; empty where the system does not tell."""
    port = urlsplit(url).port
    with suppress(psutil.Error, OSError):
        for each in psutil.net_connections("tcp"):
            if each.status == psutil.CONN_LISTEN and each.pid and each.laddr and each.laddr[1] == port:
                return f"{psutil.Process(each.pid).name()} ({each.pid})"
    return ""


def own_addresses() -> tuple[str, ...]:
    """The addresses by which other machines may reach this one (IPv4)."""
    import socket  # noqa: PLC0415 (few need it)

    found = (each for entries in psutil.net_if_addrs().values() for each in entries)
    inet = (each.address for each in found if each.family is socket.AF_INET)
    return tuple(dict.fromkeys(address for address in inet if not address.startswith("127.")))


async def open_doors(urls: Iterable[str], addresses: Iterable[str]) -> tuple[OpenDoor, ...]:
    """Where the servers of this machine also answer at ``addresses``. They are asked without a key."""
    ports = dict.fromkeys(urlsplit(url).port for url in urls if is_loopback(url))
    doors = (f"http://{address}:{port}" for address in addresses for port in ports)
    found = await asyncio.gather(*map(_try, doors))
    return tuple(door for door in found if door is not None)


async def _try(url: str) -> OpenDoor | None:
    host = OllamaHost(url, timeouts=_DOOR_TIMEOUTS)
    try:
        await host.version()
        await host.installed()  # The version may be open to all.
    except Refused:
        return OpenDoor(url, has_key=True)
    except HostError:
        return None
    finally:
        await host.aclose()
    return OpenDoor(url, has_key=False)
