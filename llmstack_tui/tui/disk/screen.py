"""The disk space of models in the folders of this machine, and a clean-up of the engine's own folder."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on

from llmstack_tui.base.languages import later, tr, tr_n
from llmstack_tui.base.names import model_key
from llmstack_tui.base.text import brief
from llmstack_tui.base.units import ago_text, bytes_text
from llmstack_tui.core.wording import text, words
from llmstack_tui.tui.disk import KEYS
from llmstack_tui.tui.disk.list import DiskList, DiskRow
from llmstack_tui.tui.disk.order import BY_SIZE, DiskColumn, DiskOrder, heading, ordered
from llmstack_tui.tui.draw.marks import UNICODE
from llmstack_tui.tui.draw.text import lines_text
from llmstack_tui.tui.screen import FramedScreen
from llmstack_tui.tui.shell import AnswerChoice, start
from llmstack_tui.tui.widgets.list import RowList
from llmstack_tui.tui.widgets.pane import Pane

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.worker import Worker

    from llmstack_tui.library.errors import LibraryError
    from llmstack_tui.library.use import DamagedFile, FolderUse, Leftover, ModelUse
    from llmstack_tui.tui.draw.marks import Marks

_NAME = 300
_KINDS = {"orphan": later("{size}, complete"), "partial": later("{size}, unfinished")}
_REMOVED = {
    "orphan": later("complete, removed by a clean-up"),
    "partial": later("unfinished, removed by a clean-up"),
}
_TICK_S = 0.2


class DiskScreen(FramedScreen):
    """Reads the folders when it opens, and after a clean-up."""

    AUTO_FOCUS = "DiskList"
    BINDINGS: ClassVar[list[BindingType]] = [*KEYS]

    def __init__(self) -> None:
        super().__init__(Pane(tr("Disk"), id="frame"))
        self.list = DiskList()
        self._seen: FolderUse | None = None
        self._order = BY_SIZE
        self._folders: Sequence[FolderUse | LibraryError] = ()
        self._used: Mapping[str, datetime] = {}
        self._damaged: tuple[DamagedFile, ...] = ()
        self._verifying: Worker[object] | None = None

    def compose_body(self) -> ComposeResult:
        yield self.list

    def on_mount(self) -> None:
        self.action_look()

    def action_look(self) -> None:
        self._damaged = ()
        self.list.show_message((tr("Reading the folders") + self.shell.marks.dots,))
        start(self, tr("The disk"), self._look, group="disk", exclusive=True)

    async def _look(self) -> None:
        stack = self.shell.stack
        if stack is None:
            self.list.show_message((tr("There is no server yet."),))
            return
        from llmstack_tui.core.types import StoreError
        from llmstack_tui.library.errors import LibraryError

        own: FolderUse | LibraryError | None
        try:
            own = self._seen = await stack.disk.look()
        except LibraryError as error:
            own, self._seen = error, None
        self._folders = folders_shown(own, await stack.disk.look_elsewhere())
        self._used = {}
        with suppress(StoreError):  # Without it, no time is known.
            self._used = await stack.records.last_used()
        self.follow_language()

    def follow_language(self) -> None:
        self.list.show_message((tr("There is no folder of models here."),))
        self._show_folders()

    def _show_folders(self) -> None:
        rows = disk_rows(self._folders, self._used, self._order, self.shell.marks)
        self.list.show((*damage_rows(self._damaged), *rows))
        self.frame.show_title(disk_title(self._folders, self._order.words))

    @on(RowList.HeadingClicked)
    def _chosen(self, event: RowList.HeadingClicked) -> None:
        if (column := self.list.column_at(event.x)) is not None:
            self._sort(self._order.chosen(column))

    def action_sort(self) -> None:
        self._sort(self._order.next())

    def action_reverse(self) -> None:
        self._sort(self._order.reversed())

    def _sort(self, order: DiskOrder) -> None:
        self._order = order
        self._show_folders()

    def action_verify(self) -> None:
        if self._verifying is not None and not self._verifying.is_finished:
            self._verifying.cancel()
            self.action_look()
        elif self.shell.stack is not None:
            # It ends with this screen: nothing is lost, and nobody would see how far it is.
            self._verifying = start(self, tr("The verification"), self._verify, group="verify")

    async def _verify(self) -> None:
        stack, loop, shown_s = self.shell.stack, asyncio.get_running_loop(), 0.0
        assert stack is not None  # noqa: S101 (it was there when the key was pressed)

        def tell(name: str, done: int | None, total: int | None) -> None:
            nonlocal shown_s
            if total and time.monotonic() - shown_s >= _TICK_S:
                shown_s = time.monotonic()
                title = tr(
                    "Disk  Reading {file}: {percent} % of {size}  (v: stop)",
                    file=brief(name, 60),
                    percent=100 * (done or 0) // total,
                    size=bytes_text(total),
                )
                loop.call_soon_threadsafe(self.frame.show_title, title)

        found = await stack.disk.verify(tell, note=not stack.read_only)
        failed = [each for each in found if isinstance(each, Exception)]
        read = [each for each in found if not isinstance(each, Exception)]
        self._damaged = tuple(file for each in read for file in each.damaged)
        for error in failed:
            self.shell.warn(words(error), title=tr("Verification"), severity="error")
        count, size = sum(each.files for each in read), bytes_text(sum(each.size for each in read))
        if self._damaged:
            files = tr_n("1 file of {size} read.", "{count} files of {size} read.", count, size=size)
            said = tr("{count} damaged or missing: the list says what to do.", count=len(self._damaged))
            self.shell.warn(f"{files} {said}", title=tr("Verification"), severity="error")
        else:
            said = tr_n(
                "1 file of {size} read: nothing is damaged.",
                "{count} files of {size} read: nothing is damaged.",
                count,
                size=size,
            )
            self.shell.tell(said, title=tr("Verification"))
        await self._look()

    def action_clean(self) -> None:
        stack = self.shell.stack
        if self._seen is None or stack is None:
            return
        row = self.list.row
        path = next((each for each in self._seen.unreadable if row and row.key == f"unreadable {each}"), None)
        if stack.read_only:
            self.shell.tell(tr("Nothing can be changed: llmstack is read-only."))
        elif path is not None:
            self.shell.start(tr("Remove a file"), partial(self._remove, path), group="clean", exclusive=True)
        elif self._seen.unreadable:
            first = brief(str(self._seen.unreadable[0]), 200)
            said = tr(
                "Nothing is removed while {file} cannot be read: it may name any of the files. "
                "With the cursor on its row, x removes it.",
                file=first,
            )
            self.shell.tell(said)
        elif not self._seen.removable:
            self.shell.tell(tr("There is nothing to remove."))
        else:
            # Started by the dashboard, so that it continues when this screen is closed.
            self.shell.start(tr("Clean up"), partial(self._clean, self._seen), group="clean", exclusive=True)

    async def _remove(self, path: Path) -> None:
        from llmstack_tui.library.errors import LibraryError

        answers = (AnswerChoice("keep", tr("Keep it")), AnswerChoice("remove", tr("Remove"), dangerous=True))
        about = tr("It is no manifest. The files of its model, if any, stay.")
        text = f"{brief(str(path), 300)}\n\n{about}"
        stack = self.shell.stack
        if (
            stack is None
            or await self.shell.ask(tr("Remove this file?"), text, answers, escape="keep") != "remove"
        ):
            return
        try:
            await stack.disk.remove_unreadable(path)
        except LibraryError as error:
            self.shell.warn(words(error), title=tr("Remove"), severity="error")
        if self.is_current:
            await self._look()

    async def _clean(self, seen: FolderUse) -> None:
        from llmstack_tui.library.errors import LibraryError

        count = len(seen.removable)
        title = tr_n("Remove this file?", "Remove these {count} files?", count)
        answers = (AnswerChoice("keep", tr("Keep all")), AnswerChoice("remove", tr("Remove"), dangerous=True))
        answer = await self.shell.ask(title, clean_text(seen.removable), answers, escape="keep")
        stack = self.shell.stack
        if answer != "remove" or stack is None:
            return
        try:
            removed = await stack.disk.clean(seen.removable)
        except LibraryError as error:
            self.shell.warn(words(error), title=tr("Clean-up"), severity="error")
        else:
            freed = bytes_text(sum(each.size for each in removed))
            said = tr_n("Removed 1 file: {size}.", "Removed {count} files: {size}.", len(removed), size=freed)
            self.shell.tell(said, title=tr("Clean-up"))
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


def damage_rows(damaged: Sequence[DamagedFile]) -> Iterator[DiskRow]:
    """What a verification has found: whose it is, what is wrong, and what to do."""
    if damaged:
        yield DiskRow(key="damaged", name=tr("Damaged or missing"), is_heading=True)
    for each in damaged:
        name = ", ".join(each.models) or each.path.name
        note = text(*each.why, *each.repair)
        yield DiskRow(key=f"damaged {each.path}", name=brief(name, _NAME), note=note, removable=True)


def disk_rows(
    folders: Sequence[FolderUse | LibraryError],
    used: Mapping[str, datetime],
    order: DiskOrder = BY_SIZE,
    marks: Marks = UNICODE,
) -> Iterator[DiskRow]:
    """The content of each folder, or why it cannot be read; ``used``: when each model was loaded last."""
    for each in folders:
        if isinstance(each, Exception):
            yield DiskRow(key=words(each), name=words(each))
        else:
            yield from _folder_rows(each, used, order, marks)


def _folder_rows(
    use: FolderUse, used: Mapping[str, datetime], order: DiskOrder, marks: Marks
) -> Iterator[DiskRow]:
    """The models in their order, then the files that no model uses."""
    name = tr("Models")
    if not use.own:
        name = tr("Models of Ollama in {folder}, only shown", folder=brief(str(use.path), 120))
    at, now = use.path, datetime.now(UTC)
    yield DiskRow(
        key=f"{at} models",
        name=heading(name, DiskColumn.NAME, order, marks),
        size=heading(tr("Size"), DiskColumn.SIZE, order, marks),
        shared=heading(tr("Shared"), DiskColumn.SHARED, order, marks),
        alone=heading(tr("Frees"), DiskColumn.FREES, order, marks),
        used=heading(tr("Last used"), DiskColumn.USED, order, marks),
        is_heading=True,
    )
    for model in ordered(use, used, order):
        used_at = used.get(model_key(model.name))
        yield DiskRow(
            key=f"{at} model {model.name}",
            name=model.name,
            size=bytes_text(model.size),
            shared=bytes_text(model.shared) if model.shared else "",
            alone=bytes_text(use.freed((model.name,))),
            used=ago_text(used_at, now) if used_at else "",
            note=_remark(model),
        )
    if not use.models:
        yield DiskRow(key=f"{at} none", name=tr("No models."))
    yield DiskRow(key=f"{at} leftovers", name=tr("Used by no model"), is_heading=True)
    for leftover in use.leftovers:
        note = tr(_REMOVED[leftover.kind.value])
        if leftover.kept:
            note = tr("kept: {why}", why=text(leftover.kept))
        yield DiskRow(
            key=f"{at} file {leftover.path.name}",
            name=leftover.path.name,
            size=bytes_text(leftover.size),
            note=note,
            removable=not leftover.kept,
        )
    if not use.leftovers:
        yield DiskRow(key=f"{at} nothing", name=tr("Nothing: every file is in use."))
    unreadable = tr("unreadable: nothing is removed while it is there")
    if use.own:
        unreadable = tr("unreadable: nothing is removed while it is there (x: remove it)")
    for path in use.unreadable:
        yield DiskRow(key=f"unreadable {path}", name=str(path), note=unreadable)


def _remark(model: ModelUse) -> str:
    if model.fault:
        return text(*model.fault)
    if model.missing:
        return tr("{count} of its files missing", count=model.missing)
    return tr("changed since it was verified: v reads it") if model.changed else ""


def disk_title(folders: Sequence[FolderUse | LibraryError], order: str = "") -> str:
    read = [each for each in folders if not isinstance(each, Exception)]
    if not read:
        return tr("Disk")
    where = brief(str(read[0].path), 120) if len(read) == 1 else tr("{count} folders", count=len(read))
    free = sum(leftover.size for use in read for leftover in use.removable)
    taken = tr("{size} in {where}", size=bytes_text(sum(use.size for use in read)), where=where)
    could = tr("{size} to be freed", size=bytes_text(free)) if free else ""
    # The order stands before the path, which may be cut.
    return f"{tr('Disk')}  {', '.join(filter(None, (order, taken, could)))}"


def clean_text(chosen: Sequence[Leftover]) -> str:
    """The question that names what a clean-up would remove."""
    lines = [
        f"{brief(each.path.name, 40)}  {tr(_KINDS[each.kind.value], size=bytes_text(each.size))}"
        for each in chosen
    ]
    freed = bytes_text(sum(each.size for each in chosen))
    return f"{lines_text(lines)}\n\n{tr('No model uses them. This frees {size}.', size=freed)}"
