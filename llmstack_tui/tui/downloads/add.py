"""The dialog for a model to pull, or a file to import; checks the input while it is typed."""

from __future__ import annotations

import asyncio
import os
import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from textual import on
from textual.suggester import Suggester
from textual.widgets import Input

from llmstack_tui.base.languages import later, tr
from llmstack_tui.base.names import InvalidName, ModelName
from llmstack_tui.base.system_errors import system_words
from llmstack_tui.base.units import bytes_text
from llmstack_tui.core.wording import words
from llmstack_tui.tui.dialogs import FormScreen, check_name, labelled, progress_content
from llmstack_tui.tui.shell import start

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Iterator

    from textual.widget import Widget

    from llmstack_tui.hosts.types import Progress

    Start = Callable[[Path, str], AsyncIterator[Progress]]

_MOST_ENTRIES = 2000


class Checked(Struct, frozen=True):
    """Checked input: a file that can be imported or, without ``path``, a name that can be pulled.

    Attributes:
        name: the name of the model; for a file a suggestion.
        summary: one line on the model.
    """

    name: str
    summary: str
    path: Path | None = None


class NotImportable(Exception):
    """The input cannot be used; its sentence says why and what to do."""


def typed_path(text: str) -> Path:
    """The path that was typed, or dropped on the terminal, which quotes it like a shell."""
    text = text.strip()
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"":
        text = text[1:-1]
    try:
        path = Path(text).expanduser()
        if os.name == "posix" and "\\" in text and not path.exists():
            path = Path(re.sub(r"\\(.)", r"\1", text)).expanduser()
    except (RuntimeError, OSError, ValueError):  # no home of that user, or a name that no file can have
        path = Path(text)
    return path


def check_typed(text: str) -> Checked:
    """Check the input: a file of this machine if there is one, else a name. Reads the disk.

    Raises:
        NotImportable: with a sentence.
    """
    stripped = text.strip()
    if _is_path(stripped):
        return check_file(text)
    try:
        name = ModelName.parse(stripped)
    except InvalidName:
        said = tr(
            "That is neither a name such as qwen2.5-coder:7b or hf.co/user/model:Q4_K_M nor the path of a "
            "GGUF file."
        )
        raise NotImportable(said) from None
    return Checked(stripped, tr("Pulls {model} from {registry}.", model=name.short, registry=name.host))


def _is_path(text: str) -> bool:
    """Whether it must be a path, or such a file exists."""
    if text.startswith(("/", "~", ".", "'", '"', "\\")) or text[1:3] == ":\\":
        return True
    if text.lower().endswith(".gguf") and text.count("/") != 2:
        return True
    try:
        return typed_path(text).is_file()
    except (OSError, ValueError):
        return False


def check_file(text: str) -> Checked:
    """Read the header of the file that was typed. Reads the disk: not on the event loop.

    Raises:
        NotImportable: with a sentence.
    """
    from llmstack_tui.gguf.header import InvalidGGUF, read_header
    from llmstack_tui.library.creation import suggest_name

    path = typed_path(text)
    try:
        if path.is_dir():
            raise NotImportable(tr("That is a folder. Choose a .gguf file in it."))
        header = read_header(path)
    except FileNotFoundError:
        raise NotImportable(tr("There is no such file.")) from None
    except InvalidGGUF as error:
        raise NotImportable(words(error)) from None
    except (OSError, ValueError) as error:
        why = system_words(getattr(error, "strerror", None) or str(error))
        raise NotImportable(tr("The file cannot be read: {why}.", why=why)) from None
    parts = (header.architecture, header.quantization, bytes_text(header.file_size))
    return Checked(suggest_name(path, header), "  ".join(str(part) for part in parts if part), path)


def completion(text: str) -> str | None:
    """Complete the last part of ``text`` to a folder or GGUF file. Reads the disk: not on the event loop."""
    if not text or text.endswith((" ", "/..", "/.")):
        return None
    folder, _, start = text.rpartition("/")
    base = typed_path(folder or ("/" if text.startswith("/") else "."))
    try:
        with os.scandir(base) as entries:
            names = sorted(
                entry.name + ("/" if entry.is_dir() else "")
                for entry, _ in zip(entries, range(_MOST_ENTRIES), strict=False)
                if entry.name.startswith(start)
                and (start or not entry.name.startswith("."))
                and (entry.is_dir() or entry.name.lower().endswith(".gguf"))
            )
    except (OSError, ValueError):
        return None
    return text + names[0][len(start) :] if names else None


_PAUSE_S = 0.2
_FRAME_S = 0.1
_TYPING = (("enter", later("add")), ("tab", later("next field")), (later("right"), later("complete")))


class PathSuggester(Suggester):
    """Completes folders and GGUF files."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        return await asyncio.to_thread(completion, value)


class ImportScreen(FormScreen):
    """Returns the name of the model that was added or is being pulled, or None.

    Args:
        start: imports a file under a name, and yields its progress; None if the server cannot.
        pull: puts a name into the queue; None if the server cannot.
        names: the names that are taken.

    Attributes:
        pulls: the dialog has begun a pull, not an import.
    """

    AUTO_FOCUS = "#path"

    def __init__(
        self,
        start: Start | None,
        pull: Callable[[str], Coroutine[object, object, object]] | None,
        names: Collection[str],
    ) -> None:
        super().__init__(
            tr("Pull a model, or import a file"), [(key, tr(word)) for key, word in _TYPING], names
        )
        self._start = start
        self._pull = pull
        self.pulls = False
        self._typed: Checked | None = None
        self._suggested = ""

    def compose_body(self) -> Iterator[Widget]:
        path = Input(
            placeholder=tr("qwen2.5-coder:7b, hf.co/user/model:Q4_K_M or ~/models/name.gguf"),
            suggester=PathSuggester(),
            id="path",
        )
        yield from labelled(tr("Name to pull, or GGUF file to import (type its path, or drop it here)"), path)
        yield from labelled(tr("Name (of an imported file)"), Input(placeholder=tr("name:tag"), id="name"))

    @on(Input.Changed, "#path")
    def _path_changed(self, event: Input.Changed) -> None:
        self._typed = None
        self.say("path", "")
        self.workers.cancel_group(self, "check")
        if event.value.strip():
            start(self, tr("Check"), partial(self._check_after_pause, event.value), group="check")

    async def _check_after_pause(self, text: str) -> None:
        await asyncio.sleep(_PAUSE_S)
        await self._check(text)

    async def _check(self, text: str) -> None:
        try:
            checked = await asyncio.to_thread(check_typed, text)
            if checked.path is None and self._pull is None:
                raise NotImportable(tr("This server pulls no models: give the path of a GGUF file."))
            if checked.path is not None and self._start is None:
                raise NotImportable(tr("This server takes no GGUF files: give the name of a model."))
        except NotImportable as error:
            self.say("path", str(error), "-wrong")
            return
        self._typed = checked
        is_here = checked.path is None and self.is_taken(checked.name)
        said = [
            checked.summary,
            *([tr("It is installed: only what is newer is fetched.")] if is_here else []),
        ]
        self.say("path", " ".join(said), "-right")
        name = self.query_one("#name", Input)
        if name.value in {"", self._suggested}:
            self._suggested = name.value = "" if checked.path is None else checked.name

    @on(Input.Changed, "#name")
    def _name_changed(self, event: Input.Changed) -> None:
        name = event.value
        if name and (problem := check_name(name)):
            self.say("name", problem, "-wrong")
        elif self.is_taken(name):
            self.say("name", tr("There is a model with this name: it will be replaced."), "-warning")
        else:
            self.say("name", "")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if not self.is_under_way:
            self.workers.cancel_group(self, "check")
            start(self, tr("Check"), partial(self._submit, in_path=event.input.id == "path"), group="check")

    async def _submit(self, *, in_path: bool) -> None:
        """Begin if the input is valid, else focus the field that is not."""
        path, name = self.query_one("#path", Input), self.query_one("#name", Input)
        if not path.value.strip():
            self.say("path", tr("Give the name of a model, or the path of a GGUF file."), "-wrong")
        elif self._typed is None:
            # Enter may come before the check that follows a pause in typing.
            await self._check(path.value)
        wanted, typed = name.value.strip(), self._typed
        if typed is None:
            path.focus()
        elif typed.path is None:
            if self._pull is not None:
                self.pulls = True
                self.begin(typed.name, partial(self._pull, typed.name))
        elif not wanted:
            self.say("name", tr("Give the model a name, such as smollm2:135m."), "-wrong")
            name.focus()
        elif check_name(wanted) or (in_path and self.is_taken(wanted)):
            # To replace a model with this name, Enter must be pressed in the name field.
            name.focus()
        elif self._start is not None:
            self.pulls = False
            self.begin(wanted, partial(self._import, self._start, typed.path, wanted))

    async def _import(self, start: Start, path: Path, name: str) -> None:
        shown_at, step, loop = 0.0, "", asyncio.get_running_loop()
        async for progress in start(path, name):
            # A step may say nothing more until it is done, so the first word of each is shown at once.
            if progress.status != step or loop.time() - shown_at >= _FRAME_S:
                shown_at, step = loop.time(), progress.status
                self.say("name", progress_content(progress, self))
