"""Where prompts are kept: with the package, in the user's folder, and in those of the project."""

from __future__ import annotations

import os
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from llmstack_tui.base.languages import ENGLISH
from llmstack_tui.base.sentences import QUOTED, Sentence
from llmstack_tui.prompts.rules.parsing import NAME, parse
from llmstack_tui.prompts.types import Faulty, InvalidPrompt, Prompt, PromptOrigin, UnknownPrompt

if TYPE_CHECKING:
    from collections.abc import Iterator

SHIPPED = Path(__file__).parent / "set"
"""The prompts of the package: a folder for each language."""
MOST_BYTES = 256 * 1024
MOST_FILES = 500
_IN_PROJECT = Path(".llmstack", "prompts")


class PromptFolder(NamedTuple):
    path: Path
    origin: PromptOrigin


class PromptService:
    """Finds prompts. All is read anew when it is asked for, and blocking: a folder has some ten small files.

    Args:
        user: the user's folder; None if there is no home.
        cwd: where the project begins; each folder above it is looked at, too.
        language: of the package's own prompts, which are in English where it has no other.
    """

    def __init__(self, *, user: Path | None, cwd: Path, language: str = ENGLISH.code) -> None:
        self._user = user
        self._cwd = cwd
        self._language = language

    @property
    def folders(self) -> tuple[PromptFolder, ...]:
        """Where prompts are looked for, the nearest first, whether they exist or not."""
        paths = (each / _IN_PROJECT for each in (self._cwd, *self._cwd.parents))
        project = (PromptFolder(each, PromptOrigin.PROJECT) for each in paths if each.is_dir())
        user = (PromptFolder(self._user, PromptOrigin.USER),) if self._user else ()
        languages = dict.fromkeys((self._language, ENGLISH.code))
        shipped = (PromptFolder(SHIPPED / each, PromptOrigin.SHIPPED) for each in languages)
        return (*project, *user, *shipped)

    def all(self) -> tuple[Prompt | Faulty, ...]:
        """The prompts by their names: of several with one name the nearest, even if that is faulty."""
        found: dict[str, Prompt | Faulty] = {}
        for folder in self.folders:
            for each in _in(folder):
                found.setdefault(each.name, each)
        return tuple(found[name] for name in sorted(found))

    def find(self, name: str) -> Prompt:
        """The nearest prompt of this name.

        Raises:
            UnknownPrompt: there is none.
            InvalidPrompt: it is faulty.
        """
        if NAME.fullmatch(name):
            for folder in self.folders:
                file = folder.path / f"{name}.md"
                if os.path.lexists(file):
                    found = _unusable(folder) or _read(file, folder)
                    if isinstance(found, Faulty):
                        raise InvalidPrompt(QUOTED, text=(found.why,))
                    return found
        names = [each.name for each in self.all()]
        holding = [each for each in names if name and name in each]
        if near := get_close_matches(name[:64], names, n=3) or holding:
            raise UnknownPrompt("prompts.unknown_near", name=name, near=tuple(near))
        raise UnknownPrompt("prompts.unknown", name=name)


def _in(folder: PromptFolder) -> Iterator[Prompt | Faulty]:
    try:
        with os.scandir(folder.path) as entries:
            names = list(islice((each.name for each in entries if each.name.endswith(".md")), MOST_FILES + 1))
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        yield _fault(folder, folder.path, "prompts.unreadable", why=error.strerror or str(error))
        return
    if fault := _unusable(folder):
        yield fault
        return
    if len(names) > MOST_FILES:
        yield _fault(folder, folder.path, "prompts.too_many", limit=MOST_FILES)
    yield from (_read(folder.path / name, folder) for name in sorted(names)[:MOST_FILES])


def _unusable(folder: PromptFolder) -> Faulty | None:
    """A folder of another user, such as one in /tmp, would put its words into this user's requests."""
    if folder.origin is PromptOrigin.PROJECT and hasattr(os, "geteuid"):
        try:
            owners = {folder.path.stat().st_uid, folder.path.parent.stat().st_uid}
        except OSError as error:
            return _fault(folder, folder.path, "prompts.unreadable", why=error.strerror or str(error))
        if owners - {os.geteuid()}:
            return _fault(folder, folder.path, "prompts.of_another_user")
    return None


def _read(file: Path, folder: PromptFolder) -> Prompt | Faulty:
    try:
        real = file.resolve(strict=True)
        if not real.is_relative_to(folder.path.resolve()):
            return _fault(folder, file, "prompts.link_out")
        if not real.is_file():
            return _fault(folder, file, "prompts.no_file")
        with real.open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
    except (OSError, RuntimeError) as error:  # A link to itself is a RuntimeError before Python 3.13.
        why = getattr(error, "strerror", None) or "Too many levels of symbolic links"
        return _fault(folder, file, "prompts.unreadable", why=why)
    if len(content) > MOST_BYTES:
        return _fault(folder, file, "prompts.too_large", limit=MOST_BYTES)
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return _fault(folder, file, "prompts.not_text")
    return parse(text, file, folder.origin)


def _fault(folder: PromptFolder, file: Path, kind: str, **params: str | int) -> Faulty:
    return Faulty(file.stem, folder.origin, file, Sentence(kind, {"file": str(file), **params}))
