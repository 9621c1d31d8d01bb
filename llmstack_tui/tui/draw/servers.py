"""The dashboard's texts about servers. Pure."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from msgspec import Struct

from llmstack_tui.base.kinds import HostKind
from llmstack_tui.base.sentences import plural
from llmstack_tui.base.text import brief
from llmstack_tui.base.units import duration_text
from llmstack_tui.core.wording import text, words
from llmstack_tui.hosts.errors import Unreachable
from llmstack_tui.tui import keys
from llmstack_tui.tui.draw.updates import newer_programs, wanted
from llmstack_tui.tui.widgets.header import HeaderLine, ServerLine

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from llmstack_tui.config.settings import Settings
    from llmstack_tui.core.state import StackState
    from llmstack_tui.downloads.types import Download
    from llmstack_tui.hosts.types import ServerVersion, Snapshot
    from llmstack_tui.tui.shell import View

_SLOW_S = 2.0
# The name of a server by itself, and at the beginning of a sentence.
_SERVER = ("Server", "The server")
_NAMES = {HostKind.OLLAMA: ("Ollama", "Ollama"), HostKind.BUILTIN: ("Built-in engine", "The built-in engine")}


class ConnectionProgress(Struct, frozen=True):
    """What is going on while there is no server; during a wait, its start in monotonic seconds."""

    text: str
    since_s: float | None = None


def header_line(view: View, settings: Settings, *, read_only: bool) -> HeaderLine:
    """The content of the header; without a state only the time, and anything unusual."""
    state, clock = view.state, f"{view.moment.now:%H:%M}"
    if state is None:
        return HeaderLine(notes=_notes(None, read_only=read_only), clock=clock)
    return HeaderLine(
        servers=tuple(_server(host.snapshot) for host in state.hosts),
        profile=state.profile.name if state.profile else "",
        limit=_limit(state, settings),
        about=machine_text(state, settings),
        notes=_notes(state, read_only=read_only),
        updates=len(wanted(state)),
        checking=state.checking,
        newer=tuple(f"{each.program} {each.version}" for each in newer_programs(state)),
        clock=clock,
    )


def _server(snapshot: Snapshot) -> ServerLine:
    version = brief(snapshot.server.version, 30) if snapshot.server else ""
    reachable = snapshot.reachable if snapshot.was_polled else None
    return ServerLine(server_name(snapshot.server), address(snapshot.url), reachable, version)


def server_name(server: ServerVersion | None) -> str:
    """The name of a server on the screen."""
    return _NAMES.get(server.kind, _SERVER)[0] if server else _SERVER[0]


def address(url: str) -> str:
    """A URL without the part that all of them share."""
    parts = urlsplit(url)
    return parts.netloc if parts.scheme == "http" and parts.path in {"", "/"} else url


def several_hosts(state: StackState | None, names: Mapping[str, str]) -> dict[str, str]:
    """What to call each host, also one that only has downloads, by URL; empty if there is only one.

    Args:
        names: the user's names for hosts, by URL.
    """
    if state is None:
        return {}
    urls = {host.snapshot.url for host in state.hosts} | {each.host for each in state.downloads}
    return {url: names.get(url) or address(url) for url in urls} if len(urls) > 1 else {}


def banner(view: View, *, restart: bool, names: Mapping[str, str] | None = None) -> str:
    """Which servers are away, why, when they are asked again, and how old the figures are; "" if none is.

    Args:
        restart: one of them is the built-in engine, which can be started from here.
        names: the user's names for hosts, by URL.
    """
    hosts = view.state.hosts if view.state else ()
    now_s = view.moment.monotonic_s
    away = [host.snapshot for host in hosts if host.snapshot.error is not None]
    # There is little room; the activity has the full errors.
    tell = _away if len(away) == 1 else _away_in_short
    names = names or {}
    sentences = [tell(each, brief(names.get(each.url, ""), 60), now_s) for each in away]
    if sentences and restart:
        sentences.append(f"Press {view.keys['models.refresh']} to start the engine again.")
    return " ".join(sentences)


def _away(snapshot: Snapshot, name: str, now_s: float) -> str:
    error = snapshot.error
    if isinstance(error, Unreachable) and snapshot.read_at is not None:
        reason = f" ({brief(error.detail, 100)})" if error.detail else ""
        _, phrase = _NAMES.get(snapshot.server.kind, _SERVER) if snapshot.server else _SERVER
        where = name or f"{phrase} at {address(snapshot.url)}"
        sentences = [f"{where} is not reachable{reason}."]
    else:
        said = words(error)
        sentences = [f"{name}: {said}" if name else said]
    sentences.append(f"{_next_try(snapshot, now_s).capitalize()}.")
    if snapshot.read_at is not None:
        sentences.append(f"The figures are {duration_text(now_s - snapshot.read_at)} old.")
    return " ".join(sentences)


def _away_in_short(snapshot: Snapshot, name: str, now_s: float) -> str:
    what = "is not reachable" if isinstance(snapshot.error, Unreachable) else "gives no proper answer"
    told = [_next_try(snapshot, now_s)]
    if snapshot.read_at is not None:
        told.append(f"figures {duration_text(now_s - snapshot.read_at)} old")
    return f"{name or address(snapshot.url)} {what} ({', '.join(told)})."


def _next_try(snapshot: Snapshot, now_s: float) -> str:
    left_s = 0.0 if snapshot.retry_at is None else snapshot.retry_at - now_s
    return f"next try in {ceil(left_s)} s" if left_s > 0 else "trying again"


def message(view: View, progress: ConnectionProgress) -> tuple[str, ...]:
    """The text in place of the list while there are no models."""
    waited = 0.0 if progress.since_s is None else view.moment.monotonic_s - progress.since_s
    said = progress.text + (f"  {waited:.0f} s" if waited >= _SLOW_S else "")
    if view.state is None:
        return (said,)
    snapshots = [host.snapshot for host in view.state.hosts]
    if not any(snapshot.read_at is not None for snapshot in snapshots):
        failed = any(snapshot.error for snapshot in snapshots)
        again, leave = view.keys["models.refresh"], view.keys[keys.QUIT]
        first = "No answer yet." if failed or not said else said
        return (first, f"Press {again} to try again now, {leave} to leave.")
    add = f"Press {view.keys['models.import']} to pull one by its name, or to import a GGUF file."
    return ("No models here yet.", add)


def left_behind(under_way: Sequence[Download], stopped: Sequence[Download]) -> str:
    """The text about pulls that were under way when the dashboard ended; "" if there were none."""
    if not under_way:
        return ""
    first, count = brief(under_way[0].model, 200), len(under_way)
    what = plural(count, f"The download of {first} goes", f"{count} downloads go")
    text = f"{what} on with the next llmstack: what came is kept.\n"
    for each in stopped:
        text += f"{brief(each.model, 200)} was unloaded for its update, and is loaded again then.\n"
    return text


def _limit(state: StackState, settings: Settings) -> int | None:
    """How many models may be loaded at once; None if there is no limit, or it is not known yet."""
    if state.guards:
        limits = [guard.limits.max_loaded for guard in state.guards.values() if not guard.off]
        return next((each for each in limits if each is not None), settings.engine.max_loaded)
    own = settings.guard.max_loaded or settings.engine.max_loaded
    return own or (state.profile.max_loaded if state.profile and settings.guard.enabled else None)


def machine_text(state: StackState | None, settings: Settings) -> str:
    """The machine's profile, the reason for it, and the limit of loaded models; "" while not known yet."""
    if state is None or (profile := state.profile) is None:
        return ""
    if (limit := _limit(state, settings)) is None:
        return f"{profile.name}. {text(profile.reason)} Nothing limits how many models are loaded at once."
    models = plural(limit, "1 model", f"{limit} models")
    whose = "This machine is good for" if limit == profile.max_loaded else "The settings allow"
    return f"{profile.name}. {text(profile.reason)} {whose} {models} loaded at once."


def _notes(state: StackState | None, *, read_only: bool) -> tuple[str, ...]:
    """Unusual conditions, for the header."""
    guards = state.guards.values() if state else ()
    said = (
        (read_only, "read-only"),
        (any(guard.held for guard in guards), "held"),
        (any(guard.heat for guard in guards), "too hot"),
        (any(guard.proposed for guard in guards), "guard only watches"),
    )
    return tuple(note for is_so, note in said if is_so)


def farewell(state: StackState | None, engine_url: str) -> str:
    """The text after the dashboard has ended if its engine may outlive it for a while; else ""."""
    for host in state.hosts if state else ():
        running = host.snapshot.running
        if host.snapshot.url == engine_url and running:
            answers = " It is answering a request." if any(model.requests for model in running) else ""
            return (
                f"The built-in engine at {engine_url} ends by itself as soon as nobody uses it.{answers}\n"
                "End it now with: llmstack engine stop\n"
            )
    return ""
