"""The log: it is read only as fast as it can be shown, and the line under the cursor is explained."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.widgets import Input, Static

from llmstack_tui.base.languages import tr
from llmstack_tui.base.sentences import UserFacingError
from llmstack_tui.base.structs import replace
from llmstack_tui.core.wording import catalogue, text, words
from llmstack_tui.ollama.log.lines import LogLevel, LogLine
from llmstack_tui.service.types import SERVERS
from llmstack_tui.tui.draw.text import content_of
from llmstack_tui.tui.log import KEYS
from llmstack_tui.tui.log.lines import LEVELS, LogLines, about
from llmstack_tui.tui.screen import FramedScreen
from llmstack_tui.tui.shell import start
from llmstack_tui.tui.widgets.pane import Notice, Pane
from llmstack_tui.tui.widgets.table import FilterField

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from llmstack_tui.base.sentences import Sentence
    from llmstack_tui.service.types import Server

_DRAW_EVERY_S = 0.1
_AGAIN_AFTER_S = 2.0


class LogScreen(FramedScreen):
    """Follows the log of one server.

    Args:
        server: Ollama, unless another one is named.
    """

    DEFAULT_CSS = """
    LogScreen #about { height: 5; padding: 0 1; border-top: solid $pane-border; }
    LogScreen Notice { padding: 0 1; color: $text-warning; display: none; height: auto; }
    LogScreen Notice.-shown { display: block; }
    """
    AUTO_FOCUS = "LogLines"
    BINDINGS: ClassVar[list[BindingType]] = [*KEYS]

    def __init__(self, server: Server | None = None) -> None:
        """Without ``server``, that of Ollama, or of the built-in engine where this is the one that runs."""
        super().__init__(Pane(tr("Log"), id="frame"))
        self._server: Server = server or "ollama"
        self._is_chosen = server is not None
        self.lines = LogLines()
        self._notice = Notice()
        self._about = Static("", id="about", markup=False)
        self._field = FilterField()
        self._place = ""
        self._goes_on = asyncio.Event()
        self._goes_on.set()
        self._is_dirty = False

    def compose_body(self) -> ComposeResult:
        yield self._notice
        yield self.lines
        yield self._about
        yield self._field

    def on_mount(self) -> None:
        self.set_interval(_DRAW_EVERY_S, self._settle)
        self._follow()

    def _follow(self) -> None:
        self.lines.clear()
        start(self, tr("The log"), self._read_on, group="log", exclusive=True)

    async def _read_on(self) -> None:
        """Read until the screen is closed; where that fails, say why, and try again later."""
        # The sentences of all rooms are imported for the first known line: 20 ms, not while lines come.
        await asyncio.to_thread(catalogue)
        while True:
            try:
                await self._read()
            except UserFacingError as error:
                self._notice.show(words(error))
            self._show_title()
            await asyncio.sleep(_AGAIN_AFTER_S)

    async def _read(self) -> None:
        if not self._is_chosen:
            self._is_chosen = True
            running = [
                each for each in SERVERS if (await (await self.shell.service(each)).state()).is_running
            ]
            self._server = next(iter(running), self._server)
        service = await self.shell.service(self._server)
        source = await service.log_source()
        self._place = source.shown
        self._show_title()
        is_empty = True
        async with aclosing(service.read_log(source, follow=True)) as batches:
            async for lines, happened in batches:
                is_empty = is_empty and not lines and happened is None
                self._notice.show(tr("The log is empty.") if is_empty else "")
                self._take(lines, happened)
                await self._goes_on.wait()
                await asyncio.sleep(0)  # Keys come first.

    def _take(self, lines: tuple[LogLine, ...], happened: Sentence | None) -> None:
        if happened is not None:
            said = text(happened)
            self.lines.add((LogLine(None, LogLevel.WARNING, "llmstack", said, said),))
        self.lines.add(lines)
        self._is_dirty = True

    def _settle(self) -> None:
        if self._is_dirty:
            self._is_dirty = False
            self.lines.settle()
            self._show_title()

    # What is drawn

    def _show_title(self) -> None:
        chosen = self.lines.filter
        parts = [
            self._place or tr("Log"),
            tr(LEVELS[chosen.level]) if LEVELS[chosen.level] else "",
            f"/{chosen.words}" if chosen.words else "",
            "" if self._goes_on.is_set() else tr("paused"),
            tr("follows") if self.lines.follows and self._goes_on.is_set() else "",
        ]
        self.frame.show_title("  ".join(filter(None, parts)))

    @on(LogLines.CursorMoved)
    def _moved(self) -> None:
        line, means = about(self.lines.line)
        said = content_of(*(((f"{means}\n", "$text-accent"),) if means else ()), line)
        self._about.update(said, layout=False)

    def follow_language(self) -> None:
        self.lines.redraw()
        self._show_title()
        self._moved()

    # Keys

    def action_pause(self) -> None:
        if self._goes_on.is_set():
            self._goes_on.clear()
        else:
            self._goes_on.set()
        self._show_title()

    def action_level(self) -> None:
        levels = list(LogLevel)
        level = levels[(levels.index(self.lines.filter.level) + 1) % len(levels)]
        self.lines.show_only(replace(self.lines.filter, level=level))
        self._show_title()

    def action_known(self) -> None:
        self.lines.is_as_written = not self.lines.is_as_written
        self.lines.redraw()

    def action_server(self) -> None:
        self._is_chosen = True
        self._server = next(each for each in SERVERS if each != self._server)
        self._place = ""
        self._notice.show("")
        self._follow()

    def action_copy(self) -> None:
        if (line := self.lines.line) is not None:
            self.shell.copy(line.text)
            self.shell.tell(tr("The line is copied."))

    def action_filter(self) -> None:
        self._field.placeholder = tr("Text of a line")
        self._field.display = True
        self._field.focus()

    @on(Input.Changed)
    def _filtered(self, message: Input.Changed) -> None:
        message.stop()
        self.lines.show_only(replace(self.lines.filter, words=message.value.casefold()))
        self._show_title()

    @on(FilterField.Kept)
    def _kept(self) -> None:
        self._field.display = bool(self._field.value)
        self.lines.focus()

    @on(FilterField.Cleared)
    def _cleared(self) -> None:
        self._field.value = ""
        self._kept()
