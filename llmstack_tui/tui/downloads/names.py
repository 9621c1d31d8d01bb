"""From what the user typed or dropped to a model that can be pulled, or to a file and a name for it."""

from __future__ import annotations

import os
import re
from pathlib import Path

from msgspec import Struct

from llmstack_tui.base.names import InvalidName, ModelName
from llmstack_tui.base.units import bytes_text

_MOST_ENTRIES = 2000


class CheckedFile(Struct, frozen=True):
    """A file that can be imported: what it is, in a line, and a name for it."""

    path: Path
    summary: str
    name: str


class CheckedName(Struct, frozen=True):
    """A name that can be pulled, and what that is, in a line."""

    name: str
    summary: str


class NotImportable(Exception):
    """A sentence that says what is wrong with what was typed and what to do."""


def typed_path(text: str) -> Path:
    """The path that was typed, or dropped on the terminal, which quotes it as a shell would."""
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


def check_typed(text: str) -> CheckedFile | CheckedName:
    """What was typed: a file of this machine where there is one, else a name. Reads the disk.

    Raises:
        NotImportable: with a sentence.
    """
    stripped = text.strip()
    if _is_path(stripped):
        return check_file(text)
    try:
        name = ModelName.parse(stripped)
    except InvalidName:
        raise NotImportable(
            "That is neither a name such as qwen2.5-coder:7b or hf.co/user/model:Q4_K_M nor the path of a "
            "GGUF file."
        ) from None
    return CheckedName(stripped, f"Pulls {name.short} from {name.host}.")


def _is_path(text: str) -> bool:
    """Whether it can be nothing but a path, or there is such a file."""
    if text.startswith(("/", "~", ".", "'", '"', "\\")) or text[1:3] == ":\\":
        return True
    if text.lower().endswith(".gguf") and text.count("/") != 2:
        return True
    try:
        return typed_path(text).is_file()
    except (OSError, ValueError):
        return False


def check_file(text: str) -> CheckedFile:
    """Read the header of the file that was typed. Reads the disk: not on the event loop.

    Raises:
        NotImportable: with a sentence.
    """
    from llmstack_tui.gguf.header import InvalidGGUF, read_header
    from llmstack_tui.library.importing import suggest_name

    path = typed_path(text)
    try:
        if path.is_dir():
            raise NotImportable("That is a folder. Choose a .gguf file in it.")
        header = read_header(path)
    except FileNotFoundError:
        raise NotImportable("There is no such file.") from None
    except InvalidGGUF as error:
        raise NotImportable(str(error)) from None
    except (OSError, ValueError) as error:
        raise NotImportable(
            f"The file cannot be read: {getattr(error, 'strerror', None) or error}."
        ) from None
    parts = (header.architecture, header.quantization, bytes_text(header.file_size))
    return CheckedFile(path, "  ".join(str(part) for part in parts if part), suggest_name(path, header))


def completion(text: str) -> str | None:
    """``text`` with its last part completed to a folder or a GGUF file. Reads the disk: not on the loop."""
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
