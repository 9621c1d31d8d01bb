"""The top of a screen: a line with servers, profile, updates and the time; and the tabs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from textual.containers import Vertical
from textual.message import Message
from textual.widget import Widget

from llmstack_tui.base.languages import tr, tr_n
from llmstack_tui.tui.draw.text import content_of, thing_at
from llmstack_tui.tui.shell import shell_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.content import Content

    from llmstack_tui.tui.draw.marks import Marks
    from llmstack_tui.tui.shell import Tab

_DIM = "$text-muted"


class ServerLine(Struct, frozen=True):
    """A server in the header. ``reachable`` is None until it first answers."""

    name: str
    address: str
    reachable: bool | None
    version: str = ""


class HeaderLine(Struct, frozen=True, kw_only=True):
    """The content of the header.

    Attributes:
        limit: how many models may be loaded at once; None means not known.
        notes: unusual conditions such as "read-only".
        updates: the number of models with a wanted newer version.
        checking: a check for updates is under way.
        newer: programs with a newer version, such as "Ollama 0.25.0".
        about: the tooltip on the profile, in sentences.
    """

    servers: tuple[ServerLine, ...] = ()
    profile: str = ""
    limit: int | None = None
    notes: tuple[str, ...] = ()
    updates: int = 0
    checking: bool = False
    newer: tuple[str, ...] = ()
    clock: str = ""
    about: str = ""


class HeaderBar(Widget):
    """The header line, painted again only when its content changes."""

    class Asked(Message):
        """The number of updates was clicked."""

    DEFAULT_CSS = """
    HeaderBar { height: 1; background: $panel; color: $foreground; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._line = HeaderLine()

    def show(self, line: HeaderLine) -> None:
        if line != self._line:
            self._line = line
            self.tooltip = content_of(tr("Profile {about}", about=line.about)) if line.about else None
            self.refresh()

    def render(self) -> Content:
        return header_content(self._line, self.size.width, shell_of(self).marks)

    def on_click(self, event: events.Click) -> None:
        line = self._line
        if line.updates or line.checking or line.newer:
            right = _right(line, shell_of(self).marks, short=False)
            if event.x >= self.size.width - right.cell_length:
                self.post_message(self.Asked())


class Tabs(Widget):
    """The tabs of the screens, with the current one marked; a click opens another."""

    DEFAULT_CSS = """
    Tabs { height: 1; background: $panel; color: $foreground; }
    """
    ALLOW_SELECT = False

    class TabChosen(Message):
        """A tab was clicked."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def __init__(self, current: str) -> None:
        super().__init__()
        self._current = current
        self._shown: tuple[Tab, ...] = ()

    def show(self, tabs: Sequence[Tab]) -> None:
        """Draw these tabs."""
        if (tabs := tuple(tabs)) != self._shown:
            before, self._shown = self.render(), tabs
            self.refresh(layout=before.cell_length != self.render().cell_length)

    def render(self) -> Content:
        parts: list[tuple[str, str]] = []
        for tab in self._shown:
            is_current = tab.name == self._current
            parts += [
                (f" {tab.key} ", "bold $primary underline" if is_current else "bold $primary"),
                (tab.text, "bold underline" if is_current else "$text-muted"),
                (" ", ""),
            ]
        return content_of(*parts)

    def on_click(self, event: events.Click) -> None:
        tab = thing_at(event.x, ((tab, len(tab.key) + len(tab.text) + 3) for tab in self._shown))
        if tab is not None and tab.name != self._current:
            self.post_message(self.TabChosen(tab.name))


class Top(Vertical):
    """The header above the tabs; beside them if there are few lines."""

    DEFAULT_CSS = """
    Top { dock: top; height: 2; background: $panel; }
    """


def header_content(line: HeaderLine, width: int, marks: Marks) -> Content:
    """The most detailed form that fits into ``width``; what needs attention is the last to be left out."""
    ways = (
        ("version", "address", "profile", "limit"),
        ("address", "profile", "limit"),
        ("address", "profile"),
        ("address",),
        (),
    )
    long, short = (_right(line, marks, short=is_short) for is_short in (False, True))
    lines = ((_left(line, way, marks), right) for right in (long, short) for way in ways)
    left, right = next(
        (each for each in lines if each[0].cell_length + each[1].cell_length <= width),
        (_left(line, ("count",), marks), short),
    )
    room = max(0, width - right.cell_length)
    if left.cell_length > room:
        left = left.truncate(max(room - 1, 0)) + content_of(marks.ellipsis if room else "")
    return left.pad_right(room - left.cell_length) + right


def _right(line: HeaderLine, marks: Marks, *, short: bool) -> Content:
    """Updates, and the time."""
    said: list[tuple[str, str] | str] = []
    if line.newer and not short:
        said.append((f" {', '.join(line.newer)} {marks.newer} ", "$text-primary"))
    if line.updates:
        count = f"{line.updates}" if short else tr_n("{count} update", "{count} updates", line.updates)
        said.append((f" {count} {marks.newer} ", "bold $text-primary"))
    if line.checking and not short:
        said.append((f" {tr('checking')}{marks.dots} ", _DIM))
    return content_of(*said, (f" {line.clock} ", _DIM))


def _left(line: HeaderLine, shown: tuple[str, ...], marks: Marks) -> Content:
    parts: list[tuple[str, str] | str] = [(" llmstack ", "bold $primary")]
    if "count" in shown and len(line.servers) > 1:
        parts += _counted(line.servers, marks)
    else:
        for server in line.servers:
            parts += _server(server, shown, marks)
    parts += [(f"  {note}", "$text-warning") for note in line.notes]
    if line.profile and "profile" in shown:
        parts.append(f"   {line.profile}")
        if line.limit and "limit" in shown:
            parts.append((f" {marks.dot} {tr('limit {count}', count=line.limit)}", _DIM))
    return content_of(*parts)


def _server(server: ServerLine, shown: tuple[str, ...], marks: Marks) -> list[tuple[str, str] | str]:
    sign = {
        True: (marks.active, "$text-success"),
        False: (marks.inactive, "$text-error"),
        None: (marks.loading, _DIM),
    }[server.reachable]
    name = f"{server.name} {server.version}" if server.version and "version" in shown else server.name
    parts: list[tuple[str, str] | str] = ["  ", sign, " ", (name, "bold")]
    if "address" in shown:
        parts.append((f"  {server.address}", _DIM))
    if server.reachable is False:
        parts.append((f"  {tr('not reachable')}", "$text-error"))
    return parts


def _counted(servers: tuple[ServerLine, ...], marks: Marks) -> list[tuple[str, str] | str]:
    """The number of servers, when they do not fit one by one."""
    away = sum(server.reachable is False for server in servers)
    sign = (marks.inactive, "$text-error") if away else (marks.active, "$text-success")
    parts: list[tuple[str, str] | str] = [
        "  ",
        sign,
        " ",
        (tr_n("{count} server", "{count} servers", len(servers)), "bold"),
    ]
    if away:
        parts.append((f"  {tr('{count} not reachable', count=away)}", "$text-error"))
    return parts
