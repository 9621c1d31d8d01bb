"""Files in a question: ``@path`` names a file, a folder or an image below the folder that is open."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from llmstack_tui.base.text import clean
from llmstack_tui.base.units import bytes_text
from llmstack_tui.chat.rules.contents import IMAGES, decoded, media_type
from llmstack_tui.chat.types import AttachedFile, Attachment, ChatError

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_TEXT_BYTES = 1_000_000
"""Some 250,000 tokens, more than the context of most models."""
MOST_IMAGE_BYTES = 20_000_000
"""What Anthropic, Google and OpenAI take at most is 5 to 20 MB."""
MOST_FILES = 20
_MOST_LISTED = 500
_DEEPEST = 3
# "@" at the beginning of a word; a path with spaces is in quotes. An e-mail address is none.
_MENTION = re.compile(r"""(?<!\S)@(?:"([^"\n]+)"|'([^'\n]+)'|([^\s"',;]+))""")
_IMAGE_SUFFIXES = frozenset(
    (".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".heic", ".avif")
)


class NotAttached(ChatError):
    """A file cannot go with a question."""


def attached(text: str, folder: Path) -> tuple[AttachedFile, ...]:
    """The files that a question names with ``@``. What is no file there stays a word. Blocking.

    Raises:
        NotAttached: a path that looks like one (it has a ``/``) leads nowhere, out of the folder, or to
            something that cannot be sent.
    """
    found: dict[str, AttachedFile] = {}
    for match in _MENTION.finditer(text):
        quoted, path = match[1] or match[2], match[3] or ""
        for tried in (quoted,) if quoted else (path, path.rstrip(".:!?)")):
            if os.path.lexists(folder / Path(tried).expanduser()):
                found.setdefault(tried, read(tried, folder))
                break
        else:
            if quoted or "/" in path or os.sep in path:
                raise NotAttached("chat.no_file", file=quoted or path)
    if len(found) > MOST_FILES:
        raise NotAttached("chat.too_many_files", limit=MOST_FILES)
    return tuple(found.values())


def read(path: str, folder: Path | None) -> AttachedFile:
    """A file, or a list of what is in a folder. Blocking.

    Args:
        folder: links are followed, and must not lead out of it; None allows any file.

    Raises:
        NotAttached: it cannot be read, or sent.
    """
    try:
        real = (folder or Path()).joinpath(Path(path).expanduser()).resolve(strict=True)
        if folder is not None and not real.is_relative_to(folder.resolve()):
            raise NotAttached("chat.outside", file=path, folder=str(folder))
        if real.is_dir():
            return made(f"{path.rstrip('/')}/", _listed(real).encode())
        content = _content(real, path)
    except (OSError, RuntimeError, ValueError) as error:  # A link to itself, a NUL in the path.
        raise NotAttached(
            "chat.unreadable", file=path, why=getattr(error, "strerror", None) or str(error)
        ) from None
    return made(path, content)


def made(name: str, content: bytes) -> AttachedFile:
    """What is pasted or read, as it is kept: a text in UTF-8, an image as it is.

    Raises:
        NotAttached: it is of another kind, or too large.
    """
    kind = media_type(content)
    looks_like_image = Path(name).suffix.lower() in _IMAGE_SUFFIXES
    if kind in IMAGES:
        most = MOST_IMAGE_BYTES
    elif kind == "text/plain" and not (looks_like_image and content):
        most = MOST_TEXT_BYTES
        content = decoded(content).encode(errors="replace")
    elif looks_like_image or kind.startswith("image/"):
        raise NotAttached("chat.no_image", file=name, type=_word(kind))
    else:
        raise NotAttached("chat.no_text", file=name, type=_word(kind))
    if len(content) > most:
        raise NotAttached("chat.too_large", file=name, limit=most)
    attachment = Attachment(
        name=name, media_type=kind, size_bytes=len(content), digest=hashlib.sha256(content).hexdigest()
    )
    return AttachedFile(attachment, content)


def completions(beginning: str, folder: Path, limit: int = 50) -> tuple[str, ...]:
    """The paths below the folder that begin so, folders with a ``/`` at their end. Blocking."""
    head, slash, start = beginning.rpartition("/")
    try:
        within = (folder / head).resolve()
        if not within.is_relative_to(folder.resolve()):
            return ()
        with os.scandir(within) as entries:
            names = [
                f"{head}{slash}{each.name}{'/' if each.is_dir(follow_symlinks=False) else ''}"
                for each in entries
                if each.name.lower().startswith(start.lower())
                and (start.startswith(".") or not each.name.startswith("."))
            ]
    except (OSError, ValueError):
        return ()
    return tuple(sorted(names)[:limit])


def _word(kind: str) -> str:
    """A media type as people call it, such as ZIP."""
    if kind == "application/octet-stream":
        return "?"
    return "TEXT" if kind == "text/plain" else kind.rpartition("/")[2].removeprefix("x-").upper()


def _content(file: Path, path: str) -> bytes:
    # A pipe or a device is told before it is read, which might never end.
    opened = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(opened, "rb") as reading:
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            raise NotAttached("chat.no_regular_file", file=path)
        content = reading.read(MOST_IMAGE_BYTES + 1)
    if len(content) > MOST_IMAGE_BYTES:
        raise NotAttached("chat.too_large", file=path, limit=MOST_IMAGE_BYTES)
    return content


def _listed(folder: Path) -> str:
    """What is in a folder, without hidden files and links: a line for each, indented."""
    lines = list(islice(_lines(folder, 0), _MOST_LISTED + 1))
    if len(lines) > _MOST_LISTED:
        lines[_MOST_LISTED:] = ["…"]
    return "\n".join(lines) or "(empty)"


def _lines(folder: Path, depth: int) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            found = sorted(
                islice((each for each in entries if not each.name.startswith(".")), _MOST_LISTED + 1),
                key=lambda each: each.name,
            )
    except OSError:
        return
    for each in found:
        indent, name = "  " * depth, clean(each.name)
        if each.is_dir(follow_symlinks=False):
            yield f"{indent}{name}/"
            if depth + 1 < _DEEPEST:
                yield from _lines(Path(each.path), depth + 1)
        elif each.is_file(follow_symlinks=False):
            yield f"{indent}{name}  {bytes_text(each.stat(follow_symlinks=False).st_size)}"
