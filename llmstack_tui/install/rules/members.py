"""Which members of an archive are unpacked: nothing that leads out of its folder, and no devices."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from llmstack_tui.install.types import InstallFailed

if TYPE_CHECKING:
    from tarfile import TarInfo

# Ollama's archives have some hundred files, and unpack to less than three times their size.
MOST_MEMBERS = 20_000
MOST_BYTES = 24 * 2**30


def place(member: TarInfo) -> PurePosixPath:
    """Where a member belongs, relative to the folder.

    Raises:
        InstallFailed: it is none that may be unpacked.
    """
    path = _inside(member.name, member)
    if not (member.isreg() or member.isdir() or member.issym() or member.islnk()):
        raise InstallFailed("install.member_device", member=member.name)
    if member.issym():
        _inside(str(path.parent / member.linkname), member)
        if member.linkname.startswith("/"):
            raise _outside(member)
    if member.islnk():
        _inside(member.linkname, member)
    return path


def linked(member: TarInfo) -> PurePosixPath:
    """The member that a hard link is another name of, relative to the folder."""
    return _inside(member.linkname, member)


def _inside(name: str, member: TarInfo) -> PurePosixPath:
    """The path without its dots. Raises InstallFailed if it leads out."""
    parts: list[str] = []
    if name.startswith("/") or "\\" in name or "\0" in name:
        raise _outside(member)
    for part in PurePosixPath(name).parts:
        if part == "..":
            if not parts:
                raise _outside(member)
            parts.pop()
        else:
            parts.append(part)
    return PurePosixPath(*parts)


def _outside(member: TarInfo) -> InstallFailed:
    return InstallFailed("install.member_outside", member=member.name)
