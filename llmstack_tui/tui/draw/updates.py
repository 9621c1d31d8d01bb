"""Texts about newer versions and pulls under way. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui import __version__
from llmstack_tui.base.address import is_loopback
from llmstack_tui.base.languages import later, tr
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
    from llmstack_tui.updates.rules import Update

_CHANGES = {
    "license": later("licence"),
    "other": later("other parts"),
    "config": later("its description"),
    "system": later("system prompt"),
    "weights": later("weights"),
    "template": later("template"),
    "parameters": later("parameters"),
    "messages": later("messages"),
    "adapter": later("adapter"),
    "projector": later("projector"),
}
_STATES = {
    "current": later("up to date"),
    "stale": later("there is a newer version"),
    "local": later("none: local model"),
    "cloud": later("runs in the cloud"),
    "unknown": later("not known"),
}
_LEFT_ALONE = {
    "version": later("no: this version is left alone"),
    "for good": later("no: left alone for good"),
}
_LONGEST_S = 86_400 * 9
_HELD_UP = {"waiting": later("waiting"), "paused": later("paused")}


def state_text(update: Update) -> str:
    """Whether a model is up to date, in words."""
    return tr("perhaps changed here") if update.changed_here else tr(_STATES[update.state])


def changed_text(update: Update) -> str:
    """``weights, template``: the parts that differ in the newer version."""
    return ", ".join(tr(_CHANGES.get(change, change)) for change in update.changed)


def download_text(update: Update) -> str:
    """The size of an update: ``at most 4.7 GB``."""
    size = bytes_text(update.download)
    return tr("at most {size}", size=size) if update.at_most else size


def total_text(updates: Collection[Update]) -> str:
    """The total size of these updates: ``at most 4.7 GB and 2 of unknown size``."""
    known = [each.download for each in updates if each.download is not None]
    size = bytes_text(sum(known))
    if any(each.at_most for each in updates):
        size = tr("at most {size}", size=size)
    unknown = len(updates) - len(known)
    return tr("{size} and {count} of unknown size", size=size, count=unknown) if unknown else size


def news_text(update: Update) -> str:
    """What changed, and its size: ``weights, template; 4.7 GB``."""
    return "; ".join(filter(None, (changed_text(update), download_text(update))))


def update_rows(update: Update | None, now: datetime | None) -> Iterator[tuple[str, str]]:
    """Labels and values: whether a model is up to date, how that is known, and what an update changes."""
    if update is None:
        return
    # The noun, as the column has it; the name of the key is a verb.
    yield tr(" Update").strip(), state_text(update)
    if update.state == "stale" or update.changed_here:
        yield tr("Changed"), changed_text(update)
        yield tr("Download"), download_text(update)
    if update.left_alone is not None:
        yield tr("Wanted"), tr(_LEFT_ALONE[update.left_alone])
    if now is not None and update.checked_at is not None:
        yield tr("Checked"), ago_text(update.checked_at, now)


def more_update_rows(update: Update | None, now: datetime | None) -> Iterator[tuple[str, str]]:
    """Further rows, shown only where there is room."""
    if update is None:
        return
    if now is not None and update.pushed_at is not None:
        yield tr("Published"), f"{when_text(update.pushed_at, now)} ({ago_text(update.pushed_at, now)})"
    if update.reason and update.state != "local":
        yield tr("Update note"), text(*update.reason)
    if update.problems and update.reason != update.problems:
        yield tr("Last check"), text(*update.problems)


def newer_cell(update: Update, marks: Marks) -> str:
    """The list's cell for a wanted update: ``↑ 4.7 GB``, ``↑≤4.7 GB``."""
    return f"{marks.newer}{marks.at_most if update.at_most else ' '}{bytes_text(update.download)}"


def progress_cell(download: Download, marks: Marks) -> str:
    """The progress of a pull: ``↓ 43 %``, or its bytes if the total is not known."""
    if said := _HELD_UP.get(download.state):
        return f"{marks.pulling} {tr(said)}"
    if download.total:
        return f"{marks.pulling} {100 * download.completed // download.total} %"
    return f"{marks.pulling} {bytes_text(download.completed) if download.completed else tr('begins')}"


def speed_and_left(download: Download) -> tuple[str, str]:
    """``21 MB/s`` and ``1:46 left`` of a pull that is running; "" for what is not known."""
    if download.state is not DownloadState.RUNNING or not download.speed:
        return "", ""
    left_s = download.left_s
    left = "" if left_s is None or left_s >= _LONGEST_S else tr("{time} left", time=clock_text(left_s))
    return f"{bytes_text(round(download.speed))}/s", left


def under_way(downloads: Iterable[Download]) -> dict[tuple[str, str], Download]:
    """The pulls that are not over, by the model as its host lists it."""
    return {(each.host, listed_name(each.model)): each for each in downloads if not each.state.is_over}


def wanted(state: StackState) -> dict[tuple[str, str], Update]:
    """All updates that the user did not choose to leave alone."""
    found: dict[tuple[str, str], Update] = {}
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
    """The programs with a newer version than the one in use, but for an Ollama here that the user holds."""
    found = []
    for release in state.releases:
        if release.program is Program.LLMSTACK:
            there = {"": __version__}
        else:
            servers = ((host.snapshot.url, host.snapshot.server) for host in state.hosts)
            there = {
                url: server.version
                for url, server in servers
                if server and server.kind == "ollama" and not (state.held and is_loopback(url))
            }
        old = {where: version for where, version in there.items() if is_newer(release.version, version)}
        if old and release.version is not None:
            found.append(NewerProgram(release.program, brief(release.version, 30), old))
    return tuple(found)
