"""The top line: the program, the server it drives, and the time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widget import Widget

if TYPE_CHECKING:
    from datetime import datetime

    from llmstack_tui.tui.marks import Marks


@dataclass(frozen=True, slots=True)
class ServerLine:
    """What the header says of a server. ``reachable`` is None while it is being looked for."""

    name: str
    address: str
    reachable: bool | None


class Header(Widget):
    """One line, painted again only when something in it is different."""

    DEFAULT_CSS = """
    Header { height: 1; dock: top; background: $panel; color: $foreground; }
    """

    def __init__(self, marks: Marks, *, notes: tuple[str, ...] = ()) -> None:
        super().__init__()
        self._marks = marks
        self._notes = notes
        self._servers: tuple[ServerLine, ...] = ()
        self._clock = ""

    def show_servers(self, servers: tuple[ServerLine, ...]) -> None:
        if servers != self._servers:
            self._servers = servers
            self.refresh()

    def show_notes(self, notes: tuple[str, ...]) -> None:
        if notes != self._notes:
            self._notes = notes
            self.refresh()

    def show_time(self, now: datetime) -> None:
        clock = f"{now:%H:%M}"
        if clock != self._clock:
            self._clock = clock
            self.refresh()

    def render(self) -> Content:
        parts: list[tuple[str, str] | str] = [(" llmstack ", "bold $primary")]
        for server in self._servers:
            match server.reachable:
                case True:
                    parts += ["  ", (self._marks.active, "$text-success"), " "]
                case False:
                    parts += ["  ", (self._marks.inactive, "$text-error"), " "]
                case None:
                    parts += ["  ", (self._marks.loading, "$foreground 60%"), " "]
            parts += [(server.name, "bold"), (f"  {server.address}", "$foreground 60%")]
            if server.reachable is False:
                parts.append(("  not reachable", "$text-error"))
        parts += [(f"  {note}", "$text-warning") for note in self._notes]
        clock = f" {self._clock} "
        left = Content.assemble(*parts).truncate(
            max(0, self.size.width - len(clock)), ellipsis=True, pad=True
        )
        return left + Content.styled(clock, "$foreground 60%")
