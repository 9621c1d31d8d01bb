"""Every command with arguments under which it does something, for the tests that walk all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.fake_ollama import usual_ollama

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.fake_ollama import FakeOllama

# Nobody listens there, so that nothing waits for a registry.
_PULLED = "127.0.0.1:1/a/b:1"


def server() -> FakeOllama:
    """Has what the calls name; ``b:1`` is loaded."""
    fake = usual_ollama("a:1", "b:1", "c:1", "d:1", loaded=("b:1",))
    fake.weights = {name: f"sha256-{number:064x}" for number, name in enumerate(fake.installed)}
    return fake


def calls(model: Path, url: str) -> dict[str, tuple[str, ...]]:
    """The words of each call, by a name that begins with the command's.

    Args:
        model: a GGUF file.
        url: of the server.
    """
    host = ("--host", url)
    return {
        "ls": ("ls", *host),
        "ps": ("ps", *host),
        "show": ("show", "a:1", *host),
        "start": ("start", "a:1", *host),
        "stop": ("stop", "a:1", *host),
        "rm": ("rm", "c:1", "--yes", *host),
        "import": ("import", str(model), "imported:1", *host),
        "pull": ("pull", _PULLED, *host),
        "copy": ("copy", "a:1", "--to", url, *host),
        "update": ("update", "--check", *host),
        "chat": ("chat", "a:1", "Why?", *host),
        "chats": ("chats",),
        "keys": ("keys",),
        "providers": ("providers",),
        "editors": ("editors", "b:1", *host),
        "status": ("status", *host),
        "doctor": ("doctor", *host),
        "validate": ("validate", "b:1", *host),
        "catalog": ("catalog",),
        "disk": ("disk",),
        "fit": ("fit", "a:1", *host),
        "guard status": ("guard", "status", *host),
        "guard explain": ("guard", "explain", *host),
        "guard idle": ("guard", "idle", "a:1", "10m", *host),
        "guard others": ("guard", "others", "yes", *host),
        "pin": ("pin", "d:1", *host),
        "unpin": ("unpin", "b:1", *host),
        "history": ("history", "a:1", *host),
        "engine status": ("engine", "status"),
        "engine stop": ("engine", "stop"),
        "completion": ("completion", "bash"),
        "prompts": ("prompts",),
        "mcp": ("mcp", *host),
        "guide": ("guide", "start"),
        "service": ("service", "status"),
        "variables": ("variables", *host),
        # The one call that does not ask which versions are published.
        "install": ("install", "ollama", "--unhold"),
        "config": ("config",),
    }


RECORDS = frozenset({"guard idle", "guard others", "pin", "unpin"})
"""Those whose effect is a record."""
