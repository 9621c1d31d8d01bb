"""The dashboard's texts about servers. Pure."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from msgspec import Struct

from llmstack_tui.base.kinds import SERVER_NAMES, HostKind
from llmstack_tui.base.languages import later, tr, tr_n
from llmstack_tui.base.system_errors import system_words
from llmstack_tui.base.text import brief
from llmstack_tui.base.units import duration_text
from llmstack_tui.core.wording import text, words
from llmstack_tui.hosts.errors import NoTunnel, Unreachable
from llmstack_tui.tui import keys
from llmstack_tui.tui.draw.updates import newer_programs, wanted
from llmstack_tui.tui.widgets.header import HeaderLine, ServerLine

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from llmstack_tui.config.settings import Settings
    from llmstack_tui.core.discovery import Discovery
    from llmstack_tui.core.state import StackState
    from llmstack_tui.downloads.types import Download
    from llmstack_tui.hosts.types import ServerVersion, Snapshot
    from llmstack_tui.tui.view import View

_SLOW_S = 2.0
# The name of a server by itself, and at the beginning of a sentence.
_SERVER = (later("Server"), later("The server"))
_BUILTIN = (later("Built-in engine"), later("The built-in engine"))


class ConnectionProgress(Struct, frozen=True):
    """What is going on while there is no server; during a wait, its start in monotonic seconds."""

    text: str
    since_s: float | None = None


def header_line(
    view: View, settings: Settings, *, read_only: bool, notes: tuple[str, ...] = ()
) -> HeaderLine:
    """The content of the header; without a state only the time, and anything unusual, as ``notes`` are."""
    state, clock = view.state, f"{view.moment.now:%H:%M}"
    if state is None:
        return HeaderLine(notes=_notes(None, read_only=read_only), clock=clock)
    return HeaderLine(
        servers=tuple(_server(host.snapshot) for host in state.hosts),
        profile=state.profile.name if state.profile else "",
        limit=_limit(state, settings),
        about=machine_text(state, settings),
        notes=(*_notes(state, read_only=read_only), *notes),
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
    return _names(server)[0]


def _names(server: ServerVersion | None) -> tuple[str, str]:
    if server is not None and server.kind is not HostKind.BUILTIN:
        return SERVER_NAMES[server.server], SERVER_NAMES[server.server]
    alone, first = _SERVER if server is None else _BUILTIN
    return tr(alone), tr(first)


def address(url: str) -> str:
    """A URL without the part that all of them share."""
    parts = urlsplit(url)
    return parts.netloc if parts.scheme == "http" and parts.path in {"", "/"} else url


def found_text(found: Discovery) -> str:
    """The servers that were found on this machine, and the setting that adds them."""
    if not found.servers:
        return tr("No server answers at the ports that servers are known by.")
    lines = []
    for each in found.servers:
        name = server_name(each.server) if each.server else tr("a server that asks for a key")
        lines.append(f"{address(each.url)}  {name}  {tr('in use') if each.is_used else tr('not in use')}")
    if found.setting:
        lines += ["", tr("To use them all, put this line into config.toml:"), "", found.setting]
    return "\n".join(lines)


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
        sentences.append(tr("Press {key} to start the engine again.", key=view.keys["models.refresh"]))
    return " ".join(sentences)


def _away(snapshot: Snapshot, name: str, now_s: float) -> str:
    error = snapshot.error
    if (
        isinstance(error, Unreachable)
        and not isinstance(error, NoTunnel)  # Only its own sentence helps.
        and snapshot.read_at is not None
    ):
        _, phrase = _names(snapshot.server)
        where = name or tr("{server} at {address}", server=phrase, address=address(snapshot.url))
        if error.detail:
            why = brief(system_words(error.detail), 100)
            sentences = [tr("{server} is not reachable ({why}).", server=where, why=why)]
        else:
            sentences = [tr("{server} is not reachable.", server=where)]
    else:
        said = words(error)
        sentences = [f"{name}: {said}" if name else said]
    sentences.append(f"{_next_try(snapshot, now_s).capitalize()}.")
    if snapshot.read_at is not None:
        sentences.append(tr("The figures are {age} old.", age=duration_text(now_s - snapshot.read_at)))
    return " ".join(sentences)


def _away_in_short(snapshot: Snapshot, name: str, now_s: float) -> str:
    told = [_next_try(snapshot, now_s)]
    if snapshot.read_at is not None:
        told.append(tr("figures {age} old", age=duration_text(now_s - snapshot.read_at)))
    values = {"server": name or address(snapshot.url), "why": ", ".join(told)}
    if isinstance(snapshot.error, Unreachable):
        return tr("{server} is not reachable ({why}).", **values)
    return tr("{server} gives no proper answer ({why}).", **values)


def _next_try(snapshot: Snapshot, now_s: float) -> str:
    left_s = 0.0 if snapshot.retry_at is None else snapshot.retry_at - now_s
    return tr("next try in {seconds} s", seconds=ceil(left_s)) if left_s > 0 else tr("trying again")


def message(view: View, progress: ConnectionProgress) -> tuple[str, ...]:
    """The text in place of the list while there are no models."""
    waited = 0.0 if progress.since_s is None else view.moment.monotonic_s - progress.since_s
    said = progress.text + (f"  {waited:.0f} s" if waited >= _SLOW_S else "")
    if view.state is None:
        return (said,)
    snapshots = [host.snapshot for host in view.state.hosts]
    if not any(snapshot.reachable for snapshot in snapshots):
        failed = any(snapshot.error for snapshot in snapshots)
        again, leave = view.keys["models.refresh"], view.keys[keys.QUIT]
        first = tr("No answer yet.") if failed or not said else said
        if any(snapshot.read_at is not None for snapshot in snapshots):
            first = tr("No models were here when the server last answered.")
        return (first, tr("Press {again} to try again now, {leave} to leave.", again=again, leave=leave))
    add = tr("Press {key} to pull one by its name, or to import a GGUF file.", key=view.keys["models.import"])
    worth = tr("Press {key} for models worth having.", key=view.keys["app.catalog"])
    return (tr("No models here yet."), add, worth)


def left_behind(under_way: Sequence[Download], stopped: Sequence[Download]) -> str:
    """The text about pulls that were under way when the dashboard ended; "" if there were none."""
    if not under_way:
        return ""
    first, count = brief(under_way[0].model, 200), len(under_way)
    said = [
        tr_n(
            "The download of {model} goes on with the next llmstack: what came is kept.",
            "{count} downloads go on with the next llmstack: what came is kept.",
            count,
            model=first,
        )
    ]
    for each in stopped:
        name = brief(each.model, 200)
        said.append(tr("{model} was unloaded for its update, and is loaded again then.", model=name))
    return "\n".join([*said, ""])


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
        most = tr("Nothing limits how many models are loaded at once.")
    elif limit == profile.max_loaded:
        most = tr_n(
            "This machine is good for 1 model loaded at once.",
            "This machine is good for {count} models loaded at once.",
            limit,
        )
    else:
        most = tr_n(
            "The settings allow 1 model loaded at once.",
            "The settings allow {count} models loaded at once.",
            limit,
        )
    return f"{profile.name}. {text(profile.reason)} {most}"


def _notes(state: StackState | None, *, read_only: bool) -> tuple[str, ...]:
    """Unusual conditions, for the header."""
    guards = state.guards.values() if state else ()
    said = (
        (read_only, tr("read-only")),
        (any(guard.held for guard in guards), tr("held")),
        (any(guard.heat for guard in guards), tr("too hot")),
        (any(guard.proposed for guard in guards), tr("guard only watches")),
    )
    return tuple(note for is_so, note in said if is_so)


def farewell(state: StackState | None, engine_url: str) -> str:
    """The text after the dashboard has ended if its engine may outlive it for a while; else ""."""
    for host in state.hosts if state else ():
        running = host.snapshot.running
        if host.snapshot.url == engine_url and running:
            said = tr(
                "The built-in engine at {url} ends by itself as soon as nobody uses it.", url=engine_url
            )
            if any(model.requests for model in running):
                said = f"{said} {tr('It is answering a request.')}"
            return f"{said}\n{tr('End it now with: llmstack engine stop')}\n"
    return ""
