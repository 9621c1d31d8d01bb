"""The services of this machine: how each is kept running, since when, and what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from msgspec import Struct

from llmstack_tui.base.address import server_id
from llmstack_tui.base.languages import tr
from llmstack_tui.core.wording import text
from llmstack_tui.service.types import SERVERS, ManagerKind
from llmstack_tui.tui.draw.figures import when_text
from llmstack_tui.tui.draw.text import segment, wrap
from llmstack_tui.tui.screen import FramedScreen
from llmstack_tui.tui.service import KEYS
from llmstack_tui.tui.service.actions import NAMES, ServiceController
from llmstack_tui.tui.shell import start
from llmstack_tui.tui.widgets.list import RowList
from llmstack_tui.tui.widgets.pane import Pane

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.segment import Segment
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from llmstack_tui.service.types import Server, ServiceState
    from llmstack_tui.tui.draw.text import Pen
    from llmstack_tui.tui.view import View

_LOOK_EVERY_S = 5.0
_INDENT, _MOST = 4, 110


class ServiceRow(Struct, frozen=True, kw_only=True):
    """A server: its name with its state, then what there is to say of it."""

    key: str
    says: str
    tone: str
    more: tuple[str, ...]


class ServiceList(RowList[ServiceRow]):
    """Lists the servers, each with all that is known of it."""

    def height_of(self, row: ServiceRow, width: int) -> int:
        return len(_lines(row, width)) + 1

    def draw(self, row: ServiceRow, line: int, width: int, pen: Pen) -> list[Segment]:
        lines = [*_lines(row, width), ""]
        return [pen.pointer(), segment(lines[line], pen.style("plain" if line else row.tone))]


def _lines(row: ServiceRow, width: int) -> list[str]:
    room = max(width - 1 - _INDENT, 10)
    wrapped = (piece for each in row.more for piece in wrap(each, room, most=_MOST))
    return [f" {row.says}", *(" " * _INDENT + piece for piece in wrapped)]


class ServiceScreen(FramedScreen):
    """Looks at the services when it opens, and every few seconds."""

    AUTO_FOCUS = "ServiceList"
    BINDINGS: ClassVar[list[BindingType]] = [*KEYS]

    def __init__(self) -> None:
        super().__init__(Pane(tr("Service"), id="frame"))
        self.list = ServiceList()

    def compose_body(self) -> ComposeResult:
        yield self.list

    @property
    def _controller(self) -> ServiceController:
        return self.shell.controller(ServiceController)

    def on_mount(self) -> None:
        self._controller.look()
        self.set_interval(_LOOK_EVERY_S, self._look)
        self.show(self.shell.view)

    def _look(self) -> None:
        if self.is_current and not self._controller.is_looking:
            self._controller.look()

    @property
    def _server(self) -> Server:
        row = self.list.row
        return cast("Server", row.key) if row is not None else SERVERS[0]

    @property
    def targets(self) -> tuple[object, ...]:
        return (self._server,)

    def action_log(self) -> None:
        start(self, tr("The log"), lambda: self.shell.open("log", self._server))

    def show(self, view: View) -> None:
        self.list.show([self._row(server, view) for server in SERVERS])

    def follow_language(self) -> None:
        self.frame.show_title(tr("Service"))
        self.show(self.shell.view)

    def _row(self, server: Server, view: View) -> ServiceRow:
        controller, name = self._controller, tr(NAMES[server])
        state, doing = controller.states.get(server), controller.doing.get(server, "")
        if problem := controller.problems.get(server):
            return ServiceRow(key=server, says=name, tone="bad", more=(problem,))
        if state is None:
            looking = tr("Looking") + self.shell.marks.dots
            return ServiceRow(key=server, says=name, tone="muted", more=(looking,))
        marks = self.shell.marks
        mark = marks.active if state.is_running else marks.inactive
        so = tr("{name} runs", name=name) if state.is_running else tr("{name} does not run", name=name)
        tone = "bad" if state.problem else "good" if state.is_running else "name"
        more = (*((doing + marks.dots,) if doing else ()), *_about(server, state, view))
        return ServiceRow(key=server, says=f"{mark} {so}", tone=tone, more=more)


def _about(server: Server, state: ServiceState, view: View) -> Iterator[str]:
    yield from (text(each) for each in state.problem)
    kept = f"{tr(state.kind)} ({state.unit})" if state.unit else tr(state.kind)
    if state.is_running:
        yield tr("Kept running by {what}.", what=kept)
        if state.pid is not None and state.since is not None:
            since = when_text(state.since, view.moment.now)
            yield tr("Process {pid}, since {time}.", pid=state.pid, time=since)
    elif not state.unit and state.problem:
        pass  # What could not be asked may have a unit for it.
    elif state.kind is ManagerKind.NONE:
        yield tr("It is not installed on this machine.")
    else:
        yield tr("It would be started by {what}.", what=kept)
    if version := _version(server, state, view):
        yield tr("Version {version}.", version=version)
    if state.is_enabled is not None:
        yield tr("It starts by itself.") if state.is_enabled else tr("It does not start by itself.")
    if state.file:
        yield tr("Defined in {file}", file=", ".join((state.file, *state.drop_ins)))


def _version(server: Server, state: ServiceState, view: View) -> str:
    """That of the server which answers, if it is this one."""
    from llmstack_tui.base.kinds import HostKind

    wanted = HostKind.OLLAMA if server == "ollama" else HostKind.BUILTIN
    for host in view.state.hosts if view.state is not None and state.is_running else ():
        found = host.snapshot.server
        if found is not None and found.kind is wanted and server_id(host.snapshot.url).startswith("loopback"):
            return found.version
    return ""
