"""The errors of changes to a models folder, and the operating system's as such."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING

from llmstack_tui.base.sentences import QUOTED, Failure, Sentence, said
from llmstack_tui.gguf.source import InvalidGGUF
from llmstack_tui.library.manifest import InvalidManifest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmstack_tui.base.sentences import Param


class LibraryError(Failure):
    """A change to the models folder failed."""


class NotReadable(LibraryError):
    """What was to be written is more, or other, than a reader of the folder takes."""


class Cancelled(LibraryError):
    """The user cancelled it."""

    def __init__(self) -> None:
        super().__init__("library.cancelled")


def is_full(error: OSError) -> bool:
    """Whether the disk is full, or the user's quota."""
    return error.errno in {errno.ENOSPC, errno.EDQUOT}


def reason(error: OSError) -> Sentence:
    """The cause of an operating system's error."""
    if is_full(error):
        return Sentence("library.disk_full")
    if error.errno == errno.EFBIG:
        return Sentence("library.file_too_large")
    if error.errno == errno.EROFS:
        return Sentence("library.disk_read_only")
    if error.errno in {errno.EACCES, errno.EPERM}:
        return Sentence("library.not_permitted")
    return Sentence("library.system", {"why": (error.strerror or str(error)).rstrip(".")})


@contextmanager
def library_errors(kind: str, /, **params: Param) -> Iterator[None]:
    """Turn errors of files into a `LibraryError` of this kind, with the parameter ``why`` added."""
    try:
        yield
    except (InvalidManifest, InvalidGGUF) as error:
        raise LibraryError(QUOTED, text=said(error)) from error
    except OSError as error:
        raise LibraryError(kind, hint="", **params, why=(reason(error),)) from error
