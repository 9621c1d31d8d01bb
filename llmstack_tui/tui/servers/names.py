"""What a server is called on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.kinds import HostKind

if TYPE_CHECKING:
    from llmstack_tui.hosts.types import ServerVersion


def server_name(server: ServerVersion | None) -> str:
    """What a server is called on the screen."""
    if server is None:
        return "Server"
    return {HostKind.OLLAMA: "Ollama", HostKind.BUILTIN: "Built-in engine", HostKind.OPENAI: "Server"}[
        server.kind
    ]


def server_phrase(server: ServerVersion | None) -> str:
    """The same at the beginning of a sentence."""
    name = server_name(server)
    return (
        name if server is not None and server.kind is HostKind.OLLAMA else f"The {name[0].lower()}{name[1:]}"
    )
