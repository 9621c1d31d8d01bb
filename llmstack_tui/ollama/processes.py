"""The processes of Ollama on this machine, and which of them llmstack has started. Blocking."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psutil
from msgspec import Struct

from llmstack_tui.base.address import InvalidAddress, default_host, server_id
from llmstack_tui.base.kinds import HostKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class ServerProcess(Struct, frozen=True):
    """A server on this machine; ``variables`` is its environment, None if that cannot be read."""

    kind: HostKind
    pid: int
    variables: Mapping[str, str] | None


def processes(url: str) -> Iterator[ServerProcess]:
    """The processes ``ollama serve`` that listen at ``url``, or may do so."""
    for process in psutil.process_iter(["cmdline"]):
        # A script is started by an interpreter, which comes before its name.
        words = [*(process.info["cmdline"] or ())]
        named = [index for index, word in enumerate(words[:2]) if Path(word).name in ("ollama", "ollama.exe")]
        if named and "serve" in words[named[0] + 1 :]:
            try:
                variables: Mapping[str, str] | None = process.environ()
            except (psutil.Error, OSError):
                variables = None
            if _is_at(url, variables):
                yield ServerProcess(HostKind.OLLAMA, process.pid, variables)


def _is_at(url: str, variables: Mapping[str, str] | None) -> bool:
    """Whether a server with these variables listens at a URL; one whose cannot be read, if anybody does."""
    if variables is not None:
        return server_id(ollama_url(variables)) == server_id(url)
    with suppress(psutil.Error, OSError):  # Only some systems tell it to everybody.
        port = urlsplit(url).port
        connections = psutil.net_connections("tcp")
        ends = [each.laddr for each in connections if each.status == psutil.CONN_LISTEN]
        return any(end and end.port == port for end in ends)
    return True


def ollama_url(variables: Mapping[str, str]) -> str:
    """Where Ollama listens with these variables; its usual address where they have none that is one."""
    try:
        return default_host(variables)
    except InvalidAddress:
        return default_host({})
