"""Where a registry may lead to, by a redirect or for a token: never to less safety than it has itself."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies

from llmstack_tui.base.address import is_inside

if TYPE_CHECKING:
    from collections.abc import Sequence

_LOOK_UP_S = 2.0


async def why_not_followed(origin: str, target: str) -> str | None:
    """The kind of the sentence that says why a redirect between two URLs is not followed, if it is not."""
    if urlsplit(target).scheme not in ("https", urlsplit(origin).scheme):
        return "registry.unsafe_redirect"
    return "registry.inward_redirect" if await leads_inside(origin, target) else None


async def leads_inside(origin: str, target: str) -> bool:
    """Whether one URL outside leads to another on this machine or in its network.

    A registry outside has no business there. Names are looked up, unless a proxy does that.
    """
    host, leader = urlsplit(target).hostname or "", urlsplit(origin).hostname or ""
    if host == leader or not any(map(is_inside, await _addresses(host))):
        return False
    return not all(map(is_inside, await _addresses(leader)))


async def _addresses(host: str) -> Sequence[str]:
    """The addresses of a host; its name where they are not known."""
    if is_inside(host) or getproxies().keys() & {"http", "https", "all"}:
        return (host,)
    try:
        async with asyncio.timeout(_LOOK_UP_S):
            found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError, ValueError):
        return (host,)
    return [str(each[4][0]) for each in found]
