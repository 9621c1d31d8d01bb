"""Ollama's releases: their numbers, their files, and the checksums that are published with them.

Facts from the workflow ``release.yaml`` and ``scripts/install.sh`` of github.com/ollama/ollama (2026-08): a
release has ``sha256sum.txt``, which lists all its files with a leading ``./``; archives for Linux are
``.tar.zst``, and were ``.tgz`` before; ``install.sh`` is among the files of newer ones. Cards of AMD and
Jetsons need a second archive.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from llmstack_tui.install.types import Asset, ThisMachine

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SUMS = "sha256sum.txt"
SCRIPT = "install.sh"
_VERSION = re.compile(r"[0-9]{1,4}(\.[0-9]{1,4}){1,3}(-[A-Za-z0-9.]{1,20})?", re.ASCII)
_SUM = re.compile(r"([0-9a-f]{64})[ \t]+\*?(?:\./)?([A-Za-z0-9][A-Za-z0-9._-]{0,99})", re.ASCII)
_MOST_FILES = 200


def version_of(text: str) -> str:
    """A version as it is written in the names of files, "0.33.0"; "" if this is none."""
    text = text.strip().removeprefix("v")
    return text if _VERSION.fullmatch(text) else ""


def newest_first(versions: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(dict.fromkeys(versions), key=_order, reverse=True))


def _order(version: str) -> tuple[tuple[int, ...], bool, str]:
    numbers, _, suffix = version.partition("-")
    return tuple(map(int, numbers.split("."))), not suffix, suffix


def checksums(text: str) -> dict[str, str]:
    """The sha256 of each file by its name; what is no such line is left out."""
    found = (_SUM.fullmatch(line.strip()) for line in text.splitlines()[:_MOST_FILES])
    return {each[2]: each[1] for each in found if each is not None}


def names(machine: ThisMachine) -> tuple[str, ...]:
    """The beginnings of the names of the files that this machine needs."""
    if machine.system == "Darwin":
        return ("Ollama-darwin",)
    first = f"ollama-linux-{machine.arch}"
    more = []
    if machine.arch == "amd64" and "AMD" in machine.makers:
        more.append(f"{first}-rocm")
    if machine.arch == "arm64" and machine.jetpack:
        more.append(f"{first}-jetpack{machine.jetpack}")
    return (first, *more)


def assets(machine: ThisMachine, sums: Mapping[str, str], address: str) -> tuple[Asset, ...]:
    """The files of a release that this machine needs, of those whose checksums are published.

    Args:
        address: that of the folder of the release's files.
    """
    found = []
    for name in names(machine):
        for ending in (".zip",) if machine.system == "Darwin" else (".tar.zst", ".tgz"):
            if digest := sums.get(name + ending):
                found.append(Asset(name + ending, f"{address}/{name}{ending}", digest))
                break
    return tuple(found)


def script(sums: Mapping[str, str], address: str, chosen: str, usual: str) -> Asset:
    """Where the script is: where the user says, else among the files of the release, else at its usual place.

    Args:
        address: that of the folder of the release's files.
        chosen: the user's own address; "" for none.
        usual: the address of the script that belongs to no version.
    """
    digest = sums.get(SCRIPT, "")
    if chosen:
        return Asset(SCRIPT, chosen, digest)
    return Asset(SCRIPT, f"{address}/{SCRIPT}", digest) if digest else Asset(SCRIPT, usual)
