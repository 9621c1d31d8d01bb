"""The servers of the settings: added, tested, named, allowed to be acted on, and removed."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct
from textual import on

from llmstack_tui.base.languages import later, tr
from llmstack_tui.base.text_files import NotWritten
from llmstack_tui.config.editing import toml_of
from llmstack_tui.config.hosts import HostSettings, hosts
from llmstack_tui.config.table import find_setting
from llmstack_tui.core.wording import text, words
from llmstack_tui.tui.dialogs import TypedValue
from llmstack_tui.tui.screen import FramedScreen
from llmstack_tui.tui.settings import HOSTS
from llmstack_tui.tui.shell import AnswerChoice, start
from llmstack_tui.tui.widgets.list import RowList
from llmstack_tui.tui.widgets.pane import Pane

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.segment import Segment
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from llmstack_tui.config.hosts import Allow
    from llmstack_tui.tui.draw.text import Pen
    from llmstack_tui.tui.shell import Work
    from llmstack_tui.tui.stack import DashboardSettings

_NEXT: dict[Allow | None, Allow | None] = {None: "act", "act": "look", "look": None}
_ALLOWED = {"act": later("act"), "look": later("look only")}
_ALLOW, _NAME = 22, 18
_READ_EVERY_S = 2.0
_EXAMPLE = HostSettings(url="gpu-box", name="gpu", allow="act", api_key_file="~/gpu.key")


class NamedHost(Struct, frozen=True, kw_only=True):
    """A server of the settings."""

    key: str
    name: str
    allow: str


class HostList(RowList[NamedHost]):
    """Lists servers by their addresses."""

    def draw(self, row: NamedHost, line: int, width: int, pen: Pen) -> Sequence[Segment]:
        return [
            pen.pointer(),
            pen.cell(f"  {row.name}", _NAME, "name"),
            pen.cell(row.key, width - 1 - _NAME - _ALLOW, "plain"),
            pen.cell(f" {row.allow}", _ALLOW, "muted"),
        ]


def host_row(host: HostSettings) -> NamedHost:
    allow = tr(_ALLOWED["act" if host.may_act else "look"])
    said = allow if host.allow else tr("{allow} (default)", allow=allow)
    return NamedHost(key=host.url, name=host.name or "-", allow=said)


class HostsScreen(FramedScreen):
    """Writes into the file of settings; the servers are used from the next start."""

    AUTO_FOCUS = "HostList"
    BINDINGS: ClassVar[list[BindingType]] = [*HOSTS]

    def __init__(self, file: DashboardSettings) -> None:
        super().__init__(Pane(tr("Servers"), id="frame"))
        self._file = file
        self.list = HostList()
        self._hosts: tuple[HostSettings, ...] = ()

    def compose_body(self) -> ComposeResult:
        yield self.list

    def on_mount(self) -> None:
        self._begin(self._read)
        self.set_interval(_READ_EVERY_S, lambda: self._begin(self._read))

    def _begin(self, work: Work) -> None:
        start(self, tr("The servers"), work)

    def follow_language(self) -> None:
        self._begin(self._read)

    async def _read(self) -> None:
        self.frame.show_title(tr("Servers"))
        self._hosts = (await self._file.load()).settings.hosts
        key = self.shell.view.keys["hosts.add"]
        message = tr("No server is named: a running one is looked for."), tr("{key} adds one.", key=key)
        self.list.show_message(message)
        self.list.show([host_row(each) for each in self._hosts])

    @property
    def _host(self) -> HostSettings | None:
        row = self.list.row
        return next((each for each in self._hosts if row is not None and each.url == row.key), None)

    def action_add(self) -> None:
        self._begin(lambda: self._type(None))

    @on(RowList.Opened)
    def action_change(self) -> None:
        if (host := self._host) is not None:
            self._begin(lambda: self._type(host))

    async def _type(self, host: HostSettings | None) -> None:
        setting = find_setting("hosts")
        assert setting is not None  # noqa: S101
        present = setting.kind.write((host,))[1:-1].strip('"') if host else ""
        example = setting.kind.write((_EXAMPLE,))[1:-1]
        about = tr("An address such as gpu-box:11434, or a table such as {table}.", table=example)

        def read(typed: str) -> str:
            inner = typed.strip() if typed.strip().startswith("{") else f'"{typed.strip()}"'
            return toml_of(setting, f"[{inner}]")

        typed = await self.shell.show(TypedValue(tr("A server"), about, present, read))
        if typed is None:
            return
        (made,) = hosts().read(_parsed(typed), lambda *_: None)
        if made.url != (host.url if host else "") and not await self._is_wanted(made):
            return
        await self._put(partial(_with, made, host.url if host else made.url))

    async def _is_wanted(self, host: HostSettings) -> bool:
        is_there, said = await self._file.test(host)
        if is_there:
            self.shell.tell(text(*said))
            return True
        answers = (AnswerChoice("no", tr("Leave it")), AnswerChoice("yes", tr("Add it")))
        return await self.shell.ask(tr("It does not answer"), text(*said), answers, escape="no") == "yes"

    def action_allow(self) -> None:
        if (host := self._host) is not None:
            other = replace(host, allow=_NEXT[host.allow])
            self._begin(lambda: self._put(partial(_with, other, host.url)))

    def action_test(self) -> None:
        if (host := self._host) is not None:
            self._begin(lambda: self._test(host))

    async def _test(self, host: HostSettings) -> None:
        _, said = await self._file.test(host)
        self.shell.tell(text(*said), title=host.name or host.url)

    def action_remove(self) -> None:
        if (host := self._host) is None:
            return
        at = self._hosts.index(host)
        self._begin(lambda: self._put(lambda now: tuple(each for each in now if each.url != host.url)))

        def take_back() -> bool:
            again = partial(_with, host, host.url, at=at)
            self.shell.start(tr("The servers"), lambda: self._put(again), group="hosts")
            return True

        self.shell.offer_undo(tr("{host} is out of the settings.", host=host.name or host.url), take_back)

    async def _put(self, changed: Callable[[tuple[HostSettings, ...]], tuple[HostSettings, ...]]) -> None:
        """Change the servers of now, which another program may have changed meanwhile."""
        setting = find_setting("hosts")
        assert setting is not None  # noqa: S101
        named = changed((await self._file.load()).settings.hosts)
        try:
            await self._file.change({setting.place: setting.kind.write(named) if named else None})
        except NotWritten as error:
            self.shell.warn(words(error), title=tr("Settings"), severity="error")
        if self.is_attached:
            await self._read()


def _with(
    made: HostSettings, url: str, now: tuple[HostSettings, ...], *, at: int | None = None
) -> tuple[HostSettings, ...]:
    """Servers with one in the place of that at ``url``; where there is none, at ``at``, or else last."""
    rest = [each for each in now if each.url not in (made.url, url)]
    urls = [each.url for each in now if each.url == url or each.url != made.url]
    place = urls.index(url) if url in urls else len(rest) if at is None else at
    return (*rest[:place], made, *rest[place:])


def _parsed(value: str) -> object:
    import tomllib

    return tomllib.loads(f"v = {value}")["v"]
