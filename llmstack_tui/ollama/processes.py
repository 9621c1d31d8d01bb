"""The processes of Ollama on this machine, and which of them llmstack has started. Blocking."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

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
            if variables is None or server_id(ollama_url(variables)) == server_id(url):
                yield ServerProcess(HostKind.OLLAMA, process.pid, variables)


def ollama_url(variables: Mapping[str, str]) -> str:
    """Where Ollama listens with these variables; its usual address where they have none that is one."""
    try:
        return default_host(variables)
    except InvalidAddress:
        return default_host({})
