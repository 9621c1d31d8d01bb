"""What the dashboard says of its servers, as text. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from llmstack_tui.hosts.types import HostKind
from llmstack_tui.tui.figures import age_text
from llmstack_tui.tui.server_names import server_name, server_phrase
from llmstack_tui.tui.text import clean
from llmstack_tui.tui.widgets.header import ServerLine

if TYPE_CHECKING:
    from llmstack_tui.hosts.types import Snapshot
    from llmstack_tui.stack import StackState
    from llmstack_tui.tui.screens.live import View

_SLOW_S = 2.0


@dataclass(frozen=True, slots=True)
class Saying:
    """What is going on while there is no server, and for a wait since when in monotonic seconds."""

    text: str
    since_s: float | None = None


def servers(state: StackState | None) -> tuple[ServerLine, ...]:
    """The header's part for each server."""
    return tuple(_server(host.snapshot) for host in state.hosts) if state else ()


def _server(snapshot: Snapshot) -> ServerLine:
    version = clean(snapshot.server.version, limit=30) if snapshot.server else ""
    asked = snapshot.read_at is not None or snapshot.error is not None
    reachable = snapshot.reachable if asked else None
    return ServerLine(server_name(snapshot.server), address(snapshot.url), reachable, version)


def address(url: str) -> str:
    """A URL without what every one of them has."""
    parts = urlsplit(url)
    return parts.netloc if parts.scheme == "http" and parts.path in {"", "/"} else url


def banner(view: View, *, restart: bool) -> str:
    """Which servers are away, why, and how old the figures are; empty when all is well."""
    hosts = view.state.hosts if view.state else ()
    sentences = [_away(host.snapshot, view.moment.monotonic_s) for host in hosts if host.snapshot.error]
    if sentences and restart:
        sentences.append("Press r to start the engine again.")
    return " ".join(sentences)


def _away(snapshot: Snapshot, now_s: float) -> str:
    error = snapshot.error
    assert error is not None  # noqa: S101  # the caller looks for it
    reason = f" ({clean(error.detail, limit=100)})" if error.detail else ""
    age = ""
    if snapshot.read_at is not None:
        age = f" The figures are {age_text(now_s - snapshot.read_at)} old."
    if snapshot.read_at is None:
        return f"{clean(str(error), limit=300)} Trying again."
    where = f"{server_phrase(snapshot.server)} at {address(snapshot.url)}"
    return f"{where} is not reachable{reason}. Trying again.{age}"


def message(view: View, saying: Saying) -> tuple[str, ...]:
    """What stands in the place of the list while there are no models."""
    waited = 0.0 if saying.since_s is None else view.moment.monotonic_s - saying.since_s
    said = saying.text + (f"  {waited:.0f} s" if waited >= _SLOW_S else "")
    if view.state is None:
        return (said,)
    snapshots = [host.snapshot for host in view.state.hosts]
    if not any(snapshot.read_at is not None for snapshot in snapshots):
        failed = any(snapshot.error for snapshot in snapshots)
        return ("No answer yet." if failed or not said else said, "Press r to try again now, q to leave.")
    lines = ["No models here yet.", "Press p to add one from a GGUF file."]
    if any(snapshot.server and snapshot.server.kind is HostKind.OLLAMA for snapshot in snapshots):
        lines.append("Or let Ollama fetch one:  ollama pull qwen2.5:0.5b")
    return tuple(lines)


def farewell(state: StackState | None, engine_url: str) -> str:
    """What to say after the dashboard has ended, where its engine may outlive it for a while; else ""."""
    for host in state.hosts if state else ():
        running = host.snapshot.running
        if host.snapshot.url == engine_url and running:
            answers = " It is answering a request." if any(model.requests for model in running) else ""
            return (
                f"The built-in engine at {engine_url} ends by itself as soon as nobody uses it.{answers}\n"
                "End it now with: llmstack engine stop\n"
            )
    return ""
