"""Asks for a file and a name, checks both while they are typed, and shows how the import goes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.content import Content
from textual.screen import ModalScreen
from textual.suggester import Suggester
from textual.widgets import Input, Static
from textual.worker import Worker, WorkerState

from llmstack_tui.tui import keys
from llmstack_tui.tui.figures import bytes_text
from llmstack_tui.tui.importing import CheckedFile, NotImportable, check_file, check_name, completion
from llmstack_tui.tui.text import clean
from llmstack_tui.tui.widgets.bar import bar
from llmstack_tui.tui.widgets.pane import Pane

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection
    from pathlib import Path

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from llmstack_tui.hosts.types import Progress
    from llmstack_tui.tui.marks import Marks

_BAR_CELLS = 40
_PAUSE_S = 0.2
_FRAME_S = 0.1
_TYPING = "enter  add    tab  next field    right  complete    esc  back"
_UNDER_WAY = "esc  cancel"


class PathSuggester(Suggester):
    """Completes folders and GGUF files."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        return await asyncio.to_thread(completion, value)


class ImportScreen(ModalScreen[str]):
    """Returns the name of the model that was added, or None.

    Args:
        start: begins the import of a file under a name, and tells how it goes.
        names: those that are taken.
    """

    CSS_PATH = "screen.tcss"
    AUTO_FOCUS = "#path"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.MODAL]

    def __init__(
        self, start: Callable[[Path, str], AsyncIterator[Progress]], names: Collection[str], marks: Marks
    ) -> None:
        super().__init__()
        self._start = start
        self._names = names
        self._marks = marks
        self._file: CheckedFile | None = None
        self._suggested = ""
        self._importing = False

    def compose(self) -> ComposeResult:
        with Pane("Add a model from a GGUF file", id="dialog"):
            yield Static("File (type its path, or drop it here)", classes="label", markup=False)
            yield Input(placeholder="~/models/name.gguf", suggester=PathSuggester(), id="path")
            yield Static("", id="file-said", classes="said", markup=False)
            yield Static("Name", classes="label", markup=False)
            yield Input(placeholder="name:tag", id="name")
            yield Static("", id="name-said", classes="said", markup=False)
            yield Static(_TYPING, id="hint", markup=False)

    @on(Input.Changed, "#path")
    def _path_changed(self, event: Input.Changed) -> None:
        self._file = None
        self._say("#file-said", "")
        self.workers.cancel_group(self, "check")
        if event.value.strip():
            work = self._check_after_pause(event.value)
            self.run_worker(work, group="check", description="Check", exit_on_error=False)

    async def _check_after_pause(self, text: str) -> None:
        await asyncio.sleep(_PAUSE_S)
        await self._check(text)

    async def _check(self, text: str) -> None:
        try:
            checked = await asyncio.to_thread(check_file, text)
        except NotImportable as error:
            self._say("#file-said", str(error), "-wrong")
            return
        self._file = checked
        self._say("#file-said", checked.summary, "-right")
        name = self.query_one("#name", Input)
        if name.value in {"", self._suggested}:
            self._suggested = checked.name
            name.value = checked.name

    @on(Input.Changed, "#name")
    def _name_changed(self, event: Input.Changed) -> None:
        self._say_name(event.value)

    def _say_name(self, name: str) -> None:
        problem = check_name(name) if name else None
        if problem:
            self._say("#name-said", problem, "-wrong")
        elif name.strip() in self._names:
            self._say("#name-said", "There is a model of this name: it will be replaced.", "-warning")
        else:
            self._say("#name-said", "")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if not self._importing:
            self.workers.cancel_group(self, "check")
            work = self._submit(in_path=event.input.id == "path")
            self.run_worker(work, group="check", description="Check", exit_on_error=False)

    async def _submit(self, *, in_path: bool) -> None:
        """Begin if all is right, else go to the field where it is not."""
        path, name = self.query_one("#path", Input), self.query_one("#name", Input)
        if not path.value.strip():
            self._say("#file-said", "Choose a GGUF file first.", "-wrong")
        elif self._file is None:
            # Enter may come before the pause after the last letter is over.
            await self._check(path.value)
        wanted = name.value.strip()
        if self._file is None:
            path.focus()
        elif not wanted:
            self._say("#name-said", "Give the model a name, such as smollm2:135m.", "-wrong")
            name.focus()
        elif check_name(wanted) or (in_path and wanted in self._names):
            # A model of this name would be replaced: that takes an Enter in the name itself.
            name.focus()
        else:
            self._begin(self._file.path, wanted)

    def _begin(self, path: Path, name: str) -> None:
        self._set_importing(True)
        self.run_worker(
            self._import(path, name), name=name, group="import", description="Import", exit_on_error=False
        )

    async def _import(self, path: Path, name: str) -> None:
        shown_at, loop = 0.0, asyncio.get_running_loop()
        self._say("#name-said", "Starting…")
        async for progress in self._start(path, name):
            if loop.time() - shown_at >= _FRAME_S:
                shown_at = loop.time()
                self.query_one("#name-said", Static).update(self._progress(progress))

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        if event.worker.group != "import":
            return
        match event.state, event.worker.error:
            case WorkerState.SUCCESS, _:
                self.dismiss(event.worker.name)
            case WorkerState.ERROR, error:
                self._set_importing(False)
                self._say("#name-said", clean(str(error), limit=600), "-wrong")
            case WorkerState.CANCELLED, _:
                self._set_importing(False)
                self._say("#name-said", "Cancelled; nothing was added.", "-warning")
            case _:
                pass

    def action_cancel(self) -> None:
        """The import while one is under way, else the dialog."""
        if self._importing:
            self.workers.cancel_group(self, "import")
        else:
            self.dismiss(None)

    def _set_importing(self, running: bool) -> None:
        self._importing = running
        for field in self.query(Input):
            field.disabled = running
        self.query_one("#hint", Static).update(_UNDER_WAY if running else _TYPING)
        if not running:
            self.query_one("#name").focus()

    def _progress(self, progress: Progress) -> Content:
        status = clean(progress.status, limit=60)
        if not progress.total or progress.completed is None:
            return Content(status)
        return Content.assemble(
            bar(progress.completed / progress.total, _BAR_CELLS, self._marks, tone="$text-primary"),
            f"  {bytes_text(progress.completed)} of {bytes_text(progress.total)}  {status}",
        )

    def _say(self, selector: str, text: str, tone: str = "") -> None:
        said = self.query_one(selector, Static)
        said.update(Content(text))
        for each in ("-wrong", "-right", "-warning"):
            said.set_class(each == tone, each)
