"""The disk space of models in the folders of this machine, and a clean-up of the engine's own folder."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct
from rich.cells import cell_len

from llmstack_tui.base.sentences import plural
from llmstack_tui.base.text import clean
from llmstack_tui.base.units import bytes_text
from llmstack_tui.core.wording import text, words
from llmstack_tui.tui.disk import KEYS
from llmstack_tui.tui.draw.text import lines_text
from llmstack_tui.tui.screen import FramedScreen
from llmstack_tui.tui.shell import Answer, start
from llmstack_tui.tui.widgets.list import RowList
from llmstack_tui.tui.widgets.pane import Pane

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.segment import Segment
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from llmstack_tui.library.disk import FolderUse, Leftover
    from llmstack_tui.library.errors import LibraryError
    from llmstack_tui.tui.draw.text import Pen

_SIZE, _NOTE, _LEAST_NAME = 10, 37, 9
_NAME = 300
_KINDS = {"orphan": "complete", "partial": "unfinished"}
_WIDE_FROM = 100


class DiskRow(Struct, frozen=True, kw_only=True):
    """A line: a name, sizes, and a remark."""

    key: str
    name: str
    size: str = ""
    shared: str = ""
    alone: str = ""
    note: str = ""
    removable: bool = False
    is_heading: bool = False


class DiskList(RowList[DiskRow]):
    """Lists names, sizes, and what a clean-up would do."""

    def is_heading(self, row: DiskRow) -> bool:
        return row.is_heading

    def draw(self, row: DiskRow, line: int, width: int, pen: Pen) -> list[Segment]:
        # A row without sizes leaves their columns to the remark.
        sizes = 3 * _SIZE if row.size else 0
        room = max(width - 2 - sizes, 0)
        # Remarks are aligned in a column on a wide list; else the name takes the spare width.
        wanted = _NOTE if sizes and width >= _WIDE_FROM else cell_len(row.note) + 2
        note = min(wanted, max(room - _LEAST_NAME, 0)) if row.note else 0
        tone = "heading" if row.is_heading else "plain"
        muted = "heading" if row.is_heading else "muted"
        texts = ((row.size, tone), (row.shared, muted), (row.alone, muted)) if sizes else ()
        return [
            pen.pointer(),
            pen.cell("", 1, "plain"),
            pen.cell(row.name, room - note, tone),
            pen.cell(f"  {row.note}", note, "warning" if row.removable else "muted"),
            *(pen.cell(text, _SIZE, style, right=True) for text, style in texts),
        ]


class DiskScreen(FramedScreen):
    """Reads the folders when it opens, and after a clean-up."""

    AUTO_FOCUS = "DiskList"
    BINDINGS: ClassVar[list[BindingType]] = [*KEYS]

    def __init__(self) -> None:
        super().__init__(Pane("Disk", id="frame"))
        self.list = DiskList()
        self._seen: FolderUse | None = None

    def compose_body(self) -> ComposeResult:
        yield self.list

    def on_mount(self) -> None:
        self.action_look()

    def action_look(self) -> None:
        self.list.show_message((f"Reading the folders{self.shell.marks.dots}",))
        start(self, "The disk", self._look, group="disk", exclusive=True)

    async def _look(self) -> None:
        stack = self.shell.stack
        if stack is None:
            self.list.show_message(("There is no server yet.",))
            return
        from llmstack_tui.library.errors import LibraryError

        own: FolderUse | LibraryError | None
        try:
            own = self._seen = await stack.disk.look()
        except LibraryError as error:
            own, self._seen = error, None
        folders = folders_shown(own, await stack.disk.look_elsewhere())
        self.list.show_message(("There is no folder of models here.",))
        self.list.show(tuple(disk_rows(folders)))
        self.frame.show_title(disk_title(folders))

    def action_clean(self) -> None:
        stack = self.shell.stack
        if self._seen is None or stack is None:
            return
        if stack.read_only:
            self.shell.tell("Nothing can be changed: llmstack is read-only.")
        elif self._seen.unreadable:
            path = clean(str(self._seen.unreadable[0]), limit=200)
            self.shell.tell(f"Nothing is removed while {path} cannot be read: it may name any of the files.")
        elif not self._seen.removable:
            self.shell.tell("There is nothing to remove.")
        else:
            # Started by the dashboard, so that it continues when this screen is closed.
            self.shell.start("Clean up", partial(self._clean, self._seen), group="clean", exclusive=True)

    async def _clean(self, seen: FolderUse) -> None:
        from llmstack_tui.library.errors import LibraryError

        count = len(seen.removable)
        title = plural(count, "Remove this file?", f"Remove these {count} files?")
        answers = (Answer("keep", "Keep all"), Answer("remove", "Remove", dangerous=True))
        answer = await self.shell.ask(title, clean_text(seen.removable), answers, escape="keep")
        stack = self.shell.stack
        if answer != "remove" or stack is None:
            return
        try:
            removed = await stack.disk.clean(seen.removable)
        except LibraryError as error:
            self.shell.warn(words(error), title="Clean-up", severity="error")
        else:
            freed = bytes_text(sum(each.size for each in removed))
            files = plural(len(removed), "1 file", f"{len(removed)} files")
            self.shell.tell(f"Removed {files}: {freed}.", title="Clean-up")
        if self.is_current:
            await self._look()


def folders_shown(
    own: FolderUse | LibraryError | None, others: Sequence[FolderUse | LibraryError]
) -> list[FolderUse | LibraryError]:
    """The engine's own folder first; left out if empty beside others, as for users of Ollama alone."""
    if own is None:
        return [*others]
    is_empty = not isinstance(own, Exception) and not (own.models or own.leftovers or own.unreadable)
    return [*others] if is_empty and others else [own, *others]


def disk_rows(folders: Sequence[FolderUse | LibraryError]) -> Iterator[DiskRow]:
    """The content of each folder, or why it cannot be read."""
    for each in folders:
        if isinstance(each, Exception):
            yield DiskRow(key=words(each), name=clean(words(each), limit=_NAME))
        else:
            yield from _folder_rows(each)


def _folder_rows(use: FolderUse) -> Iterator[DiskRow]:
    """The models by size, then the files that no model uses."""
    heading = "Models" if use.own else f"Models of Ollama in {clean(str(use.path), limit=120)}"
    at = use.path
    yield DiskRow(
        key=f"{at} models", name=heading, size="Size", shared="Shared", alone="Frees", is_heading=True
    )
    for model in sorted(use.models, key=lambda model: -model.size):
        missing = f"{model.missing} of its files missing" if model.missing else ""
        yield DiskRow(
            key=f"{at} model {model.name}",
            name=clean(model.name, limit=_NAME),
            size=bytes_text(model.size),
            shared=bytes_text(model.shared) if model.shared else "",
            alone=bytes_text(model.alone),
            note=missing,
        )
    if not use.models:
        yield DiskRow(key=f"{at} none", name="No models.")
    yield DiskRow(key=f"{at} leftovers", name="Used by no model", is_heading=True)
    for leftover in use.leftovers:
        kind = _KINDS[leftover.kind.value]
        note = f"kept: {text(leftover.kept)}" if leftover.kept else f"{kind}, removed by a clean-up"
        yield DiskRow(
            key=f"{at} file {leftover.path.name}",
            name=clean(leftover.path.name, limit=_NAME),
            size=bytes_text(leftover.size),
            note=note,
            removable=not leftover.kept,
        )
    if not use.leftovers:
        yield DiskRow(key=f"{at} nothing", name="Nothing: every file is in use.")
    for path in use.unreadable:
        yield DiskRow(
            key=f"unreadable {path}",
            name=clean(str(path), limit=_NAME),
            note="unreadable: nothing is removed while it is there",
        )


def disk_title(folders: Sequence[FolderUse | LibraryError]) -> str:
    read = [each for each in folders if not isinstance(each, Exception)]
    if not read:
        return "Disk"
    where = clean(str(read[0].path), limit=120) if len(read) == 1 else f"{len(read)} folders"
    free = sum(leftover.size for use in read for leftover in use.removable)
    could = f", {bytes_text(free)} to be freed" if free else ""
    return f"Disk  {bytes_text(sum(use.size for use in read))} in {where}{could}"


def clean_text(chosen: Sequence[Leftover]) -> str:
    """The question that names what a clean-up would remove."""
    lines = [
        f"{clean(each.path.name, limit=40)}  {bytes_text(each.size)}, {_KINDS[each.kind.value]}"
        for each in chosen
    ]
    freed = bytes_text(sum(each.size for each in chosen))
    return f"{lines_text(lines)}\n\nNo model uses them. This frees {freed}."
