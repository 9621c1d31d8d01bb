"""The turns of a talk on the screen: only the last ones, until somebody scrolls up."""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, ClassVar

from markdown_it import MarkdownIt
from msgspec import Struct
from textual import on
from textual.containers import VerticalScroll
from textual.widgets import Markdown, Static

from llmstack_tui.base.languages import tr, tr_n
from llmstack_tui.base.text import brief, clean_lines
from llmstack_tui.providers.types import Role
from llmstack_tui.tui.chat import TALK_KEYS
from llmstack_tui.tui.chat.parts import cut, goes_on, parts
from llmstack_tui.tui.chat.text import figures_text
from llmstack_tui.tui.draw.text import content_of
from llmstack_tui.tui.shell import shell_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from textual.binding import BindingType
    from textual.widget import Widget

    from llmstack_tui.chat.types import Turn
    from llmstack_tui.tui.chat.conversation import LiveAnswer

# So many parts are mounted at once.
_BATCH = 16
_MOST_QUESTION_LINES = 60
_WHICH = (
    "   \N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK} {at}/{count} "
    "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}"
)


class TalkPart(Struct, frozen=True):
    """A piece of a turn that is drawn by itself."""

    kind: str
    text: str


def _parser() -> MarkdownIt:
    # Tags are shown as they are written; as HTML they would vanish.
    return MarkdownIt("gfm-like", {"html": False}).disable("linkify")


class AnswerText(Markdown):
    """A part of an answer. A link is not opened: a click copies it."""

    DEFAULT_CSS = """
    AnswerText {
        padding: 0 1;
        & MarkdownFence { margin: 0 0 1 0; }
        &.-goes-on MarkdownFence, &.-goes-on MarkdownList { margin: 0; }
        & MarkdownH1, & MarkdownH2, & MarkdownH3, & MarkdownH4, & MarkdownH5, & MarkdownH6 {
            margin: 0 0 1 0; content-align: left middle; text-style: bold; color: $text-primary; border: none;
        }
    }
    """

    def __init__(self, text: str = "") -> None:
        super().__init__(text, parser_factory=_parser, open_links=False)
        self.set_class(goes_on(text), "-goes-on")

    @on(Markdown.LinkClicked)
    def _link_clicked(self, event: Markdown.LinkClicked) -> None:
        event.stop()
        shell = shell_of(self)
        shell.copy(event.href)
        shell.tell(brief(event.href, 300), title=tr("The address is copied"))


class TalkLine(Static):
    """A line or a few of plain text, whose class says what it is."""

    DEFAULT_CSS = """
    TalkLine { padding: 0 1; height: auto; }
    TalkLine.head { margin-top: 1; color: $text-primary; text-style: bold; }
    TalkLine.question { padding: 0 1; }
    TalkLine.foot { color: $text-muted; }
    TalkLine.trouble { color: $text-warning; }
    """

    def __init__(self, text: str, kind: str) -> None:
        super().__init__(content_of(text), classes=kind, markup=False)


class Thoughts(Static):
    """What a model thought: a line that opens."""

    DEFAULT_CSS = """
    Thoughts { padding: 0 1; height: auto; color: $text-muted; }
    Thoughts:hover { background: $primary 10%; }
    """

    def __init__(self, text: str, *, is_open: bool = False) -> None:
        super().__init__(markup=False)
        self.said = text
        self.is_open = is_open

    def on_mount(self) -> None:
        self.draw()

    def on_click(self) -> None:
        self.fold(is_open=not self.is_open)

    def fold(self, *, is_open: bool) -> None:
        self.is_open = is_open
        self.draw()

    def show(self, text: str) -> None:
        self.said = text
        self.draw()

    def draw(self) -> None:
        marks = shell_of(self).marks
        count = len(self.said.split())
        head = tr_n("Thought: 1 word", "Thought: {count:,} words", count)
        mark = marks.unfolded if self.is_open else marks.folded
        body = f"\n{clean_lines(self.said, None).strip()}" if self.is_open else ""
        self.update(content_of(f"{mark} {head}", body))


class Transcript(VerticalScroll, can_focus=True):
    """Draws turns, and an answer while it comes. At the end it follows what comes."""

    DEFAULT_CSS = """
    Transcript { height: 1fr; background: $surface; scrollbar-size-vertical: 1; scrollbar-gutter: stable; }
    Transcript > .gap { height: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*TALK_KEYS]

    def __init__(self) -> None:
        super().__init__(id="transcript")
        self._turns: tuple[Turn, ...] = ()
        self._above: Iterator[TalkPart] = iter(())
        self._live: LiveAnswer | None = None
        self._part: AnswerText | None = None
        self._thoughts: Thoughts | None = None
        self._source = ""  # Of the part that is being written.
        self._taken = 0
        self._is_growing = False
        self._is_cut = False  # The first ones were taken away while an answer came.
        self.thoughts_open = False

    # What is shown

    async def show(
        self, turns: Sequence[Turn], versions: Sequence[tuple[int, int]], live: LiveAnswer | None
    ) -> None:
        """Show these turns; ``versions`` has for each which one it is of how many."""
        turns = tuple(turns)
        if turns != self._turns or (live is None) != (self._live is None):
            await self._show_turns(turns, versions, live)
        if live is not None:
            await self._feed(live)

    async def _show_turns(
        self, turns: tuple[Turn, ...], versions: Sequence[tuple[int, int]], live: LiveAnswer | None
    ) -> None:
        known, ended = len(self._turns), self._live
        is_longer = known and [each.id for each in turns[:known]] == [each.id for each in self._turns]
        if ended is not None and self._is_cut:
            is_longer, self._is_cut = False, False
        if ended is not None:
            await self._feed(ended)
            ended_turn = next((each for each in turns if each.id == ended.turn.id), None)
            if is_longer and ended_turn is not None:
                self._turns = (*self._turns[:-1], ended_turn)
                await self.mount_all(self._widget(each) for each in _foot(ended_turn))
            self._live = self._part = self._thoughts = None
        if is_longer and turns[:known] == self._turns:
            new = zip(turns[known:], versions[known:], strict=True)
            items = [item for turn, version in new for item in self._items(turn, version, live)]
            await self.mount_all(self._widget(each) for each in items)
        elif not is_longer or turns != self._turns:
            self._above = (
                item
                for turn, version in zip(reversed(turns), reversed(versions), strict=True)
                for item in reversed(tuple(self._items(turn, version, live)))
            )
            await self.remove_children()
            await self.mount_all(self._widget(each) for each in reversed(tuple(islice(self._above, _BATCH))))
        is_new = turns[-1:] != self._turns[-1:]
        before, self._turns, self._live = self._live, turns, live
        if live is not None and (before is None or before.turn.id != live.turn.id):
            self._source, self._taken = "", 0
        if is_new:
            self.anchor()

    async def _feed(self, live: LiveAnswer) -> None:
        """Draw what has come since the last time."""
        if live.reasoning and self._thoughts is None:
            self._thoughts = Thoughts(live.reasoning, is_open=self.thoughts_open)
            await self.mount(self._thoughts)
        elif self._thoughts is not None and self._thoughts.said != live.reasoning:
            self._thoughts.show(live.reasoning)
        new, self._taken = live.text[self._taken :], len(live.text)
        if not new:
            return
        shown = len(self._source)
        self._source += clean_lines(new, None)
        ends: list[str] = []
        while (found := cut(self._source, shown)) is not None:
            ends.append(self._source[shown : found.at])
            self._source, shown = found.prefix + self._source[found.at :], 0
        for at, end in enumerate(ends):
            if at == 0 or at > len(ends) - _BATCH:
                await self._write(end, is_last=True)
            else:
                self._is_cut = True
        await self._write(self._source[shown:])

    async def _write(self, text: str, *, is_last: bool = False) -> None:
        """Add to the present part; ``is_last``: what comes next goes into another one."""
        if text and self._part is None:
            await self._begin_part()
        if text and self._part is not None:
            await self._part.append(text)
        if is_last and self._part is not None:
            self._part.set_class(goes_on(self._part.source), "-goes-on")
            self._part = None

    async def _begin_part(self) -> None:
        self._part = AnswerText()
        await self.mount(self._part)
        spare = self._spare()
        if len(spare) >= _BATCH // 2 and not self._is_read_above:
            await self.remove_children(spare)
            self._is_cut = True

    def _spare(self) -> list[Widget]:
        """The parts that stand more than a screen above what is seen: each costs time at each piece."""
        height, children = 0, [*self.children]
        while children and height < 2 * self.size.height:
            height += children.pop().outer_size.height
        return children

    @property
    def _is_read_above(self) -> bool:
        return self.scroll_offset.y < self.max_scroll_y

    # What a turn is drawn as

    def _items(self, turn: Turn, version: tuple[int, int], live: LiveAnswer | None) -> Iterator[TalkPart]:
        at, count = version
        which = _WHICH.format(at=at, count=count)
        message = turn.message
        is_question = message.role is Role.USER
        yield TalkPart("head", (tr("You") if is_question else brief(turn.model, 200)) + which * (count > 1))
        if is_question:
            yield TalkPart("question", _shortened(message.text))
            if turn.attachments:
                yield TalkPart("foot", "  ".join(brief(each.name, 60) for each in turn.attachments))
        elif live is None or live.turn.id != turn.id:
            if message.reasoning:
                yield TalkPart("thoughts", message.reasoning)
            yield from (TalkPart("answer", each) for each in parts(clean_lines(message.text, None)))
            yield from _foot(turn)

    def _widget(self, item: TalkPart) -> Widget:
        if item.kind == "answer":
            return AnswerText(item.text)
        if item.kind == "thoughts":
            return Thoughts(item.text, is_open=self.thoughts_open)
        return TalkLine(item.text, item.kind)

    # Scrolling

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if new_value <= 0 and old_value > 0 and not self._is_growing:
            self._is_growing = True
            self.call_later(self._grow)

    async def _grow(self) -> None:
        """Show what is further above, with what is being read in its place."""
        items = tuple(islice(self._above, _BATCH))
        if items and self.children:
            first = self.children[0]
            await self.mount_all((self._widget(each) for each in reversed(items)), before=0)
            self.call_after_refresh(partial(self._stay_at, first))
        else:
            self._is_growing = False

    def _stay_at(self, widget: Widget) -> None:
        self._is_growing = False
        if widget.parent is self:
            self.scroll_to(y=widget.virtual_region.y, animate=False, immediate=True)

    def action_cursor_up(self) -> None:
        self.scroll_relative(y=-1, animate=False)

    def action_cursor_down(self) -> None:
        self.scroll_relative(y=1, animate=False)

    def action_first(self) -> None:
        self.scroll_home(animate=False)

    def action_last(self) -> None:
        self.anchor()

    def action_page_up(self) -> None:
        self.scroll_page_up(animate=False)

    def action_page_down(self) -> None:
        self.scroll_page_down(animate=False)

    def fold(self) -> None:
        """Open what was thought, or hide it again."""
        self.thoughts_open = not self.thoughts_open
        for each in self.query(Thoughts):
            each.fold(is_open=self.thoughts_open)


def _foot(turn: Turn) -> Iterator[TalkPart]:
    if said := figures_text(turn.usage, turn.state, turn.problem):
        yield TalkPart("trouble" if turn.problem else "foot", said)


def _shortened(text: str) -> str:
    lines = clean_lines(text, None).splitlines()
    more = len(lines) - _MOST_QUESTION_LINES
    return "\n".join(
        [*lines[:_MOST_QUESTION_LINES], *([tr("and {count} more", count=more)] if more > 0 else [])]
    )
