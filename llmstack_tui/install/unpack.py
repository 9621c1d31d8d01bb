"""Unpacks archives into a new folder, whole or not at all. Blocking: it runs in a thread."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
import zlib
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, cast

from llmstack_tui.install.rules.members import MOST_BYTES, MOST_MEMBERS, linked, place
from llmstack_tui.install.types import InstallFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_PIECE = 2**20
_PROGRAM = "bin/ollama"
_EXECUTABLE, _PLAIN = 0o755, 0o644


class UnpackCancelled(Exception):
    """The user cancelled it."""


def unpack(
    archives: tuple[Path, ...],
    folder: Path,
    *,
    zstd: str | None,
    tell: Callable[[int], None],
    is_cancelled: Callable[[], bool],
) -> None:
    """Unpack ``archives`` into ``folder``, which appears only once all is there.

    Args:
        zstd: the program that unpacks ``.zst``; None if there is none.
        tell: called with the bytes that were unpacked.

    Raises:
        InstallFailed: an archive is damaged, or has what may not be unpacked.
        OSError: the folder cannot be written.
        Cancelled: as ``is_cancelled`` said.
    """
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        unpacking = _MemberWriter(partial, tell, is_cancelled)
        for archive in archives:
            with _opened(archive, zstd) as tar:
                for member in tar:
                    unpacking.take(tar, member)
        if not (partial / _PROGRAM).is_file():
            raise InstallFailed("install.no_program", name=archives[0].name)
        partial.replace(folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


class _MemberWriter:
    def __init__(self, folder: Path, tell: Callable[[int], None], is_cancelled: Callable[[], bool]) -> None:
        self._folder = folder
        self._tell = tell
        self._is_cancelled = is_cancelled
        self._count = self._bytes = 0

    def take(self, tar: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        self._count += 1
        path = self._folder / place(member)
        if self._count > MOST_MEMBERS:
            raise InstallFailed("install.too_much")
        if path == self._folder:
            return
        # A link among the members above must not lead a later one elsewhere.
        if any(each.is_symlink() for each in path.parents if self._folder in each.parents):
            raise InstallFailed("install.member_outside", member=member.name)
        if member.isdir():
            path.mkdir(parents=True, exist_ok=True)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        if member.issym():
            path.symlink_to(member.linkname)
        elif member.islnk():
            path.hardlink_to(self._folder / linked(member))
        elif (content := tar.extractfile(member)) is not None:
            self._write(content, path)
            path.chmod(_EXECUTABLE if member.mode & 0o100 else _PLAIN)

    def _write(self, content: IO[bytes], path: Path) -> None:
        with path.open("xb") as target:
            while data := content.read(_PIECE):
                if self._is_cancelled():
                    raise UnpackCancelled
                self._bytes += len(data)
                if self._bytes > MOST_BYTES:
                    raise InstallFailed("install.too_much")
                target.write(data)
                self._tell(self._bytes)


@contextmanager
def _opened(archive: Path, zstd: str | None) -> Iterator[tarfile.TarFile]:
    damaged = InstallFailed("install.damaged", name=archive.name)
    try:
        if archive.suffix != ".zst":
            with tarfile.open(archive, "r|gz") as tar:
                yield tar
            return
        if zstd is None:
            raise InstallFailed("install.no_zstd")
        with (
            archive.open("rb") as packed,
            subprocess.Popen(
                [zstd, "-d", "-c"], stdin=packed, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            ) as process,
        ):
            try:
                with tarfile.open(fileobj=cast("IO[bytes]", process.stdout), mode="r|") as tar:
                    yield tar
            except BaseException:
                process.kill()
                raise
            cast("IO[bytes]", process.stdout).read()  # What fills the last block.
        if process.returncode:
            raise damaged
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise damaged from error
