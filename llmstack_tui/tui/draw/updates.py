"""Texts about newer versions and pulls under way. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui import __version__
from llmstack_tui.base.names import listed_name
from llmstack_tui.base.text import brief
from llmstack_tui.base.units import ago_text, bytes_text
from llmstack_tui.core.wording import text
from llmstack_tui.downloads.types import DownloadState
from llmstack_tui.tui.draw.figures import clock_text, when_text
from llmstack_tui.updates.programs import Program, is_newer

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from datetime import datetime

    from llmstack_tui.core.state import StackState
    from llmstack_tui.downloads.types import Download
    from llmstack_tui.tui.draw.marks import Marks
    from llmstack_tui.tui.shell import Key
    from llmstack_tui.updates.rules import Update

_CHANGES = {
    "license": "licence",
    "other": "other parts",
    "config": "its description",
    "system": "system prompt",
}
_STATES = {
    "current": "up to date",
    "stale": "there is a newer version",
    "local": "none: local model",
    "cloud": "runs in the cloud",
    "unknown": "not known",
}
_LEFT_ALONE = {"version": "this version is left alone", "for good": "left alone for good"}
_LONGEST_S = 86_400 * 9
_HELD_UP = {"waiting": "waiting", "paused": "paused"}


def state_text(update: Update) -> str:
    """Whether a model is up to date, in words."""
    return "perhaps changed here" if update.changed_here else _STATES[update.state]


def changed_text(update: Update) -> str:
    """``weights, template``: the parts that differ in the newer version."""
    return ", ".join(_CHANGES.get(change, change) for change in update.changed)


def download_text(update: Update) -> str:
    """The size of an update: ``at most 4.7 GB``."""
    return f"at most {bytes_text(update.download)}" if update.at_most else bytes_text(update.download)


def total_text(updates: Collection[Update]) -> str:
    """The total size of these updates: ``at most 4.7 GB and 2 of unknown size``."""
    known = [each.download for each in updates if each.download is not None]
    most = "at most " if any(each.at_most for each in updates) else ""
    unknown = f" and {len(updates) - len(known)} of unknown size" if len(known) < len(updates) else ""
    return f"{most}{bytes_text(sum(known))}{unknown}"


def news_text(update: Update) -> str:
    """What changed, and its size: ``weights, template; 4.7 GB``."""
    return "; ".join(filter(None, (changed_text(update), download_text(update))))


def update_rows(update: Update | None, now: datetime | None) -> Iterator[tuple[str, str]]:
    """Labels and values: whether a model is up to date, how that is known, and what an update changes."""
    if update is None:
        return
    yield "Update", state_text(update)
    if update.state == "stale" or update.changed_here:
        yield "Changed", changed_text(update)
        yield "Download", download_text(update)
    if update.left_alone is not None:
        yield "Wanted", f"no: {_LEFT_ALONE[update.left_alone]}"
    if now is not None and update.checked_at is not None:
        yield "Checked", ago_text(update.checked_at, now)


def more_update_rows(update: Update | None, now: datetime | None) -> Iterator[tuple[str, str]]:
    """Further rows, shown only where there is room."""
    if update is None:
        return
    if now is not None and update.pushed_at is not None:
        yield "Published", f"{when_text(update.pushed_at, now)} ({ago_text(update.pushed_at, now)})"
    if update.reason and update.state != "local":
        yield "Update note", text(*update.reason)
    if update.problems and update.reason != update.problems:
        yield "Last check", text(*update.problems)


def newer_cell(update: Update, marks: Marks) -> str:
    """The list's cell for a wanted update: ``↑ 4.7 GB``, ``↑≤4.7 GB``."""
    return f"{marks.newer}{marks.at_most if update.at_most else ' '}{bytes_text(update.download)}"


def progress_cell(download: Download, marks: Marks) -> str:
    """The progress of a pull: ``↓ 43 %``, or its bytes if the total is not known."""
    if said := _HELD_UP.get(download.state):
        return f"{marks.pulling} {said}"
    if download.total:
        return f"{marks.pulling} {100 * download.completed // download.total} %"
    return f"{marks.pulling} {bytes_text(download.completed) if download.completed else 'begins'}"


def speed_and_left(download: Download) -> tuple[str, str]:
    """``21 MB/s`` and ``1:46 left`` of a pull that is running; "" for what is not known."""
    if download.state is not DownloadState.RUNNING or not download.speed:
        return "", ""
    left_s = download.left_s
    left = "" if left_s is None or left_s >= _LONGEST_S else f"{clock_text(left_s)} left"
    return f"{bytes_text(round(download.speed))}/s", left


def under_way(downloads: Iterable[Download]) -> dict[Key, Download]:
    """The pulls that are not over, by the model as its host lists it."""
    return {(each.host, listed_name(each.model)): each for each in downloads if not each.state.is_over}


def wanted(state: StackState) -> dict[Key, Update]:
    """All updates that the user did not choose to leave alone."""
    found: dict[Key, Update] = {}
    for host in state.hosts:
        updates: Mapping[str, Update] = host.updates
        found |= {(host.snapshot.url, name): each for name, each in updates.items() if each.is_wanted}
    return found


class NewerProgram(Struct, frozen=True):
    """A program that has a newer version.

    Attributes:
        there: the versions in use, by the URL of the server; "" is this program.
    """

    program: Program
    version: str
    there: Mapping[str, str]


def newer_programs(state: StackState) -> tuple[NewerProgram, ...]:
    """The programs with a newer version than the one in use."""
    found = []
    for release in state.releases:
        if release.program is Program.LLMSTACK:
            there = {"": __version__}
        else:
            servers = ((host.snapshot.url, host.snapshot.server) for host in state.hosts)
            there = {url: server.version for url, server in servers if server and server.kind == "ollama"}
        old = {where: version for where, version in there.items() if is_newer(release.version, version)}
        if old and release.version is not None:
            found.append(NewerProgram(release.program, brief(release.version, 30), old))
    return tuple(found)
