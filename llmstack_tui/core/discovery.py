"""Looks for servers on this machine, when the user asks: one GET at each port that a program is known by.

The ports are the programs' defaults: Ollama's 11434 (``envconfig/config.go``), 8080 of llama-server and of
llama-swap and 9292 of the latter's container (their README.md), 8000 of vLLM and of Ray Serve, 1234 of LM
Studio, 3000 of TGI (their documentation, 2026).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.address import server_id
from llmstack_tui.base.kinds import HostKind
from llmstack_tui.config.hosts import HostSettings, hosts
from llmstack_tui.hosts.errors import HostError, Refused
from llmstack_tui.hosts.transport import Timeouts
from llmstack_tui.hosts.types import ServerVersion
from llmstack_tui.ollama.client import OllamaHost
from llmstack_tui.openai.client import OpenAIHost

if TYPE_CHECKING:
    from collections.abc import Sequence

OLLAMA_PORT = 11434
PORTS = (OLLAMA_PORT, 8080, 8000, 1234, 9292, 3000)
_PATIENCE = Timeouts(connect_s=0.5, short_s=1.0)


class FoundServer(Struct, frozen=True, kw_only=True):
    """A server that answered.

    Attributes:
        server: which one it is; None where it tells nothing without a key.
        is_used: it is among the servers that are used now.
    """

    url: str
    server: ServerVersion | None
    is_used: bool = False


class Discovery(Struct, frozen=True):
    """What was found, in the order of the ports, and the setting that adds what is new; "" if nothing is."""

    servers: tuple[FoundServer, ...]
    setting: str


async def discover(used: Sequence[HostSettings], ports: Sequence[int] = PORTS) -> Discovery:
    """Ask this machine, and nothing else.

    Args:
        used: the servers that are used now.
    """
    known = {server_id(host.url) for host in used}
    answers = await asyncio.gather(*map(_ask, ports))
    found = tuple(
        FoundServer(url=each.url, server=each.server, is_used=server_id(each.url) in known)
        for each in answers
        if each is not None
    )
    new = tuple(HostSettings(url=each.url) for each in found if not each.is_used)
    return Discovery(found, f"hosts = {hosts().write((*used, *new))}" if new else "")


async def _ask(port: int) -> FoundServer | None:
    url = f"http://127.0.0.1:{port}"
    host = (OllamaHost if port == OLLAMA_PORT else OpenAIHost)(url, timeouts=_PATIENCE)
    try:
        if isinstance(host, OpenAIHost):
            kind = await host.recognize()
            return FoundServer(url=url, server=ServerVersion(kind=HostKind.OPENAI, version="", server=kind))
        return FoundServer(url=url, server=await host.version())
    except Refused:
        return FoundServer(url=url, server=None)
    except HostError:
        return None
    finally:
        await host.aclose()
