"""Newer versions, what changed and their size; and, folded, what could not be checked."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct
from rich.cells import cell_len
from textual import on

from llmstack_tui.base.languages import current, later_n, tr, tr_n
from llmstack_tui.base.text import brief
from llmstack_tui.base.units import ago_text, bytes_text
from llmstack_tui.core.wording import text
from llmstack_tui.tui.draw.servers import address
from llmstack_tui.tui.draw.text import segment, wrap
from llmstack_tui.tui.draw.updates import changed_text, newer_programs, progress_cell, total_text, under_way
from llmstack_tui.tui.screen import FramedScreen
from llmstack_tui.tui.updates import KEYS, LIST_KEYS
from llmstack_tui.tui.widgets.list import RowList
from llmstack_tui.tui.widgets.pane import Pane

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from datetime import datetime

    from rich.segment import Segment
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from llmstack_tui.core.state import HostState, StackState
    from llmstack_tui.downloads.types import Download
    from llmstack_tui.tui.draw.marks import Marks
    from llmstack_tui.tui.draw.text import Pen
    from llmstack_tui.tui.draw.updates import NewerProgram
    from llmstack_tui.tui.view import Key, View
    from llmstack_tui.updates.rules import Update


_LEAST_NAME, _WIDEST_NAME = 12, 44
_BEFORE_NAME, _COST = 5, 12
_MOST_UNFOLDED = 500
_MOST_LINES = 1000
_GET_LLMSTACK = "pip install -U llmstack-tui"
_COUNTED = {
    "current": later_n("1 up to date", "{count} up to date"),
    "local": later_n("1 local", "{count} local"),
    "cloud": later_n("1 in the cloud", "{count} in the cloud"),
}
_UNKNOWN = later_n("1 model not known", "{count} models not known")
_FAILED = later_n("1 model whose last check failed", "{count} models whose last check failed")


class UpdateRow(Struct, frozen=True, kw_only=True):
    """A model that is out of date or was changed here, as text.

    Attributes:
        wanted: it has a newer version that is not to be left alone.
        mark: that of a wanted newer version, else empty.
        cost: the size of the download, or the progress of its pull.
        name_cells: the width of the longest name on its host, which aligns the columns.
    """

    key: Key
    wanted: bool
    mark: str
    name: str
    name_cells: int
    cost: str
    changed: str
    note: str


class NoteRow(Struct, frozen=True):
    """Lines that are not about a single model.

    Attributes:
        lines: each a number of texts with their styles; a line of one text is wrapped, others are cut.
        folded: whether the rows under it are folded; None if there are none.
    """

    key: str
    lines: tuple[tuple[tuple[str, str], ...], ...]
    folded: bool | None = None


UpdatesRow = UpdateRow | NoteRow


class UpdatesContext(Struct, frozen=True, kw_only=True):
    """The inputs of the rows beside the state.

    Attributes:
        names: the user's names for hosts, by URL.
        opened: the keys of the rows that are unfolded.
    """

    marks: Marks
    now: datetime
    names: Mapping[str, str]
    opened: Collection[str] = ()


class UpdatesList(RowList[UpdatesRow], inherit_bindings=False):
    """Lists models, in two lines each, and notes."""

    BINDINGS: ClassVar[list[BindingType]] = [*LIST_KEYS]

    @property
    def model(self) -> Key | None:
        """The model under the cursor."""
        return self.row.key if isinstance(self.row, UpdateRow) else None

    def is_heading(self, row: UpdatesRow) -> bool:
        return isinstance(row, NoteRow) and row.folded is None

    def is_folded(self, row: UpdatesRow) -> bool | None:
        return row.folded if isinstance(row, NoteRow) else None

    def height_of(self, row: UpdatesRow, width: int) -> int:
        return 2 if isinstance(row, UpdateRow) else len(_wrapped(row, width - 1))

    def draw(self, row: UpdatesRow, line: int, width: int, pen: Pen) -> list[Segment]:
        if isinstance(row, NoteRow):
            pieces = [segment(text, pen.style(style)) for text, style in _wrapped(row, width - 1)[line]]
            return [pen.pointer(), *pieces]
        if line:
            return [pen.pointer(), pen.cell(f"    {row.note}", width - 1, "muted")]
        room = width - _BEFORE_NAME - _COST - cell_len(row.changed) - 2
        name = min(row.name_cells, max(room, _LEAST_NAME))
        return [
            pen.pointer(),
            pen.tick(),
            pen.cell("", 1, "plain"),
            pen.cell(row.mark, 2, "accent"),
            pen.name(row.name, name, "name" if row.wanted else "plain"),
            pen.cell(row.cost, _COST, "accent" if row.wanted else "muted", right=True),
            pen.cell(f"  {row.changed}", max(width - _BEFORE_NAME - name - _COST, 0), "plain"),
        ]


def _wrapped(row: NoteRow, width: int) -> list[tuple[tuple[str, str], ...]]:
    """The texts of each line of ``width`` cells."""
    found: list[tuple[tuple[str, str], ...]] = []
    for line in row.lines:
        if len(line) > 1:
            found.append(line)
            continue
        ((text, style),) = line
        indent = text[: len(text) - len(text.lstrip())]
        pieces = wrap(text.strip(), max(width - len(indent), 1), most=_MOST_LINES)
        found += [((indent + piece, style),) for piece in pieces]
    return found


def updates_rows(state: StackState, shown: UpdatesContext) -> tuple[UpdatesRow, ...]:
    """The newer versions by host; below them, folded, the unknown models and the failed checks."""
    found: list[UpdatesRow] = [_program(each, shown) for each in newer_programs(state)]
    downloads = under_way(state.downloads)
    for host in state.hosts:
        models = list(_models(host, downloads, shown))
        if len(state.hosts) > 1:
            found.append(_heading(f"host {host.snapshot.url}", _host_text(host, shown), bool(models)))
        found += models
    if not any(isinstance(row, UpdateRow) for row in found):
        found.append(NoteRow("nothing", (((_nothing_text(state), "plain"),),)))
    found += _folded("unknown", _UNKNOWN, _reasons(state, unknown=True), shown)
    found += _unanswered(state, shown)
    found += _folded("problems", _FAILED, _reasons(state, unknown=False), shown)
    if counted := _counted(state):
        found.append(NoteRow("counted", (((counted, "muted"),),)))
    return tuple(found)


def _program(newer: NewerProgram, shown: UpdatesContext) -> NoteRow:
    """A newer version of a program, and how to get it."""
    if "" in newer.there:
        have, how = tr("this is {version}", version=newer.there[""]), _GET_LLMSTACK
    else:
        there = [(address(url), brief(old, 200)) for url, old in newer.there.items()]
        have = ", ".join(tr("{host} has {version}", host=host, version=old) for host, old in there)
        how = "ollama.com/download"
    out = tr("{program} {version} is out; {have}.", program=newer.program, version=newer.version, have=have)
    text = f"  {shown.marks.newer} {out}"
    return NoteRow(f"program {newer.program}", (((text, "accent"),), ((f"    {how}", "muted"),)))


def _unanswered(state: StackState, shown: UpdatesContext) -> Iterator[NoteRow]:
    """The programs whose newest version is not known, and why."""
    problems = [text(*each.problems) for each in state.releases if each.problems]
    if problems:
        yield _fold("programs", tr("Newer programs are not known"), problems[0], shown)
        if "programs" in shown.opened:
            yield from (NoteRow(f"programs {each}", (((f"    {each}", "plain"),),)) for each in problems)


def _fold(group: str, text: str, first: str, shown: UpdatesContext) -> NoteRow:
    """A row that folds the rows under it; while folded it shows the ``first`` of them."""
    is_open = group in shown.opened
    mark = shown.marks.unfolded if is_open else shown.marks.folded
    line = ((f"{mark} {text}", "plain"), ("" if is_open else f"  {first}", "muted"))
    return NoteRow(group, (line,), folded=not is_open)


def summary(state: StackState) -> str:
    """The number of updates, and their total size."""
    wanted = [each for host in state.hosts for each in host.updates.values() if each.is_wanted]
    if not wanted:
        return tr("checking") if state.checking else ""
    checking = [tr("checking")] if state.checking else []
    return ", ".join([str(len(wanted)), total_text(wanted), *checking])


def _host_text(host: HostState, shown: UpdatesContext) -> str:
    url = host.snapshot.url
    where = address(url)
    name = brief(shown.names.get(url, ""), 60)
    return f"{name}  {where}" if name else where


def _heading(of: str, text: str, has_models: bool) -> NoteRow:
    return NoteRow(of, (((text, "name"), ("" if has_models else f"  {tr('nothing newer')}", "muted")),))


def _models(host: HostState, downloads: Mapping[Key, Download], shown: UpdatesContext) -> Iterator[UpdateRow]:
    """Wanted updates before others; otherwise in the server's order."""
    listed = [(name, each) for name, each in host.updates.items() if _is_news(each)]
    cells = min(_WIDEST_NAME, max((cell_len(brief(name, 200)) for name, _ in listed), default=0))
    for name, update in sorted(listed, key=lambda each: not each[1].is_wanted):
        download = downloads.get((host.snapshot.url, name))
        if download is not None:
            cost = progress_cell(download, shown.marks)
        else:
            cost = (shown.marks.at_most if update.at_most else "") + bytes_text(update.download)
        yield UpdateRow(
            key=(host.snapshot.url, name),
            wanted=update.is_wanted,
            mark=shown.marks.newer if update.is_wanted else "",
            name=name,
            name_cells=cells,
            cost=cost,
            changed=changed_text(update),
            note=_note(update, shown.now),
        )


def _is_news(update: Update) -> bool:
    return update.state == "stale" or update.changed_here


def _note(update: Update, now: datetime) -> str:
    told = []
    if update.left_alone is not None:
        told.append(tr("left alone") if update.left_alone == "for good" else tr("this version is left alone"))
    if update.changed_here:
        told.append(tr("changed here? asks first"))
    if update.pushed_at is not None:
        told.append(tr("published {ago}", ago=ago_text(update.pushed_at, now)))
    if update.checked_at is not None:
        told.append(tr("checked {ago}", ago=ago_text(update.checked_at, now)))
    return ", ".join(told)


def _reasons(state: StackState, *, unknown: bool) -> dict[str, list[str]]:
    """Names of models by problem: those that are ``unknown``, else those known from an older check."""
    found = defaultdict[str, list[str]](list)
    for host in state.hosts:
        for name, update in host.updates.items():
            is_unknown = update.state == "unknown" and not update.changed_here
            said = text(*(update.reason if is_unknown else update.problems))
            if said and is_unknown is unknown:
                found[said].append(name)
    return found


def _folded(
    group: str, what: tuple[str, str], reasons: Mapping[str, list[str]], shown: UpdatesContext
) -> Iterator[NoteRow]:
    if not reasons:
        return
    count = sum(map(len, reasons.values()))
    yield _fold(group, tr_n(*what, count), brief(next(iter(reasons)), 300), shown)
    if group not in shown.opened:
        return
    for reason, names in reasons.items():
        listed = ", ".join(brief(name, 100) for name in names[:_MOST_UNFOLDED])
        if (more := len(names) - _MOST_UNFOLDED) > 0:
            listed = tr("{names} and {count:,} more", names=listed, count=more)
        lines = (f"    {brief(reason, 400)}", "plain"), (f"    {listed}", "muted")
        yield NoteRow(f"{group} {reason}", tuple((line,) for line in lines))


def _counted(state: StackState) -> str:
    counts = Counter(str(each.state) for host in state.hosts for each in host.updates.values())
    counts["local"] -= sum(
        each.changed_here and each.state == "local" for host in state.hosts for each in host.updates.values()
    )
    return ", ".join(tr_n(*forms, counts[each]) for each, forms in _COUNTED.items() if counts[each] > 0)


def _nothing_text(state: StackState) -> str:
    updates = [each for host in state.hosts for each in host.updates.values()]
    if any(each.state == "current" for each in updates):
        return tr("Nothing newer is known.")
    return (
        tr("Asking the registries.") if state.checking else tr("No model was compared with its registry yet.")
    )


class UpdatesScreen(FramedScreen):
    """Follows the state."""

    AUTO_FOCUS = "UpdatesList"
    BINDINGS: ClassVar[list[BindingType]] = [*KEYS]

    def __init__(self) -> None:
        super().__init__(Pane(tr("Updates")))
        self._list = UpdatesList(id="updates")
        self._marked: frozenset[Key] = frozenset()
        self._opened: frozenset[str] = frozenset()
        self._facts: tuple[object, ...] = ()

    def compose_body(self) -> ComposeResult:
        yield self._list

    def show(self, view: View) -> None:
        if view.state is None:
            self._list.show(())
            self._facts = ()
            return
        shown = UpdatesContext(
            marks=self.shell.marks,
            now=view.moment.now,
            names=self.shell.host_names,
            opened=self._opened,
        )
        facts = _facts(view.state, shown)
        if facts == self._facts:
            return
        self._facts = facts
        rows = updates_rows(view.state, shown)
        self._mark(self._marked & {row.key for row in rows})
        said = summary(view.state)
        self.frame.show_title(f"{tr('Updates')}  {said}" if said else tr("Updates"))
        self._list.show(rows)

    @property
    def targets(self) -> tuple[Key, ...]:
        """The models that a key acts on: the marked ones, else the one under the cursor."""
        if self._marked:
            return tuple(sorted(self._marked))
        return (self._list.model,) if self._list.model else ()

    @on(RowList.Folded)
    def _fold(self, event: RowList.Folded) -> None:
        self._opened ^= {str(event.key)}
        self.show(self.shell.view)

    @on(RowList.Opened)
    async def action_open(self) -> None:
        """Open the details of a model, or unfold a row."""
        if not self._list.toggle_fold() and (key := self._list.model):
            await self.shell.open("details", key)

    def action_mark(self) -> None:
        if key := self._list.model:
            self._mark(self._marked ^ {key})
            self._list.action_cursor_down()

    def _mark(self, keys: frozenset[Key]) -> None:
        self._marked = keys
        self._list.show_marked(keys)

    def action_close(self) -> None:
        """Clear the marks, else go back."""
        if self._marked:
            self._mark(frozenset())
        else:
            super().action_close()


def _facts(state: StackState, shown: UpdatesContext) -> tuple[object, ...]:
    """The inputs of the rows, with ages in minutes; mostly identical to those before."""
    hosts = tuple((host.snapshot.url, host.snapshot.server, host.updates) for host in state.hosts)
    of_state = (hosts, state.downloads, state.releases, state.checking)
    return (*of_state, f"{shown.now:%d-%H:%M}", shown.marks, shown.opened, current())
