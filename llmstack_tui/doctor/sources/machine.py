"""This machine: cards on the bus, the system's limits and proxies, Python and its packages. Blocking."""

from __future__ import annotations

import platform
import re
import sys
from importlib import metadata
from typing import TYPE_CHECKING

from llmstack_tui.doctor.facts import CardFacts, Package, ProgramFacts, SystemFacts
from llmstack_tui.hardware.pci import AMD, NVIDIA, cards
from llmstack_tui.hardware.readings import text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_DISTRIBUTION = "llmstack-tui"
_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)\s*([^;\[]*)")
# Made by Docker, by Podman, and named in the group of the first process by others.
_CONTAINER_FILES = (".dockerenv", "run/.containerenv")
_CONTAINER_GROUPS = ("docker", "kubepods", "containerd", "lxc", "libpod")


def program_facts() -> ProgramFacts:
    try:
        own = metadata.metadata(_DISTRIBUTION)
        required, wanted = metadata.requires(_DISTRIBUTION) or [], own["Requires-Python"] or ""
    except metadata.PackageNotFoundError:
        required, wanted = [], ""
    always = [each for each in required if ";" not in each]
    found = (_REQUIREMENT.match(each) for each in always)
    packages = tuple(Package(each[1], each[2].strip(), _installed(each[1])) for each in found if each)
    return ProgramFacts(Package("Python", wanted, platform.python_version()), packages)


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def system_facts(environ: Mapping[str, str]) -> SystemFacts:
    named = {scheme: _variable(environ, f"{scheme}_proxy") for scheme in ("http", "https")}
    direct = _variable(environ, "no_proxy").replace(" ", "").split(",")
    return SystemFacts(
        macos=platform.mac_ver()[0],
        open_files=_open_files(),
        proxies={scheme: without_user(url) for scheme, url in named.items() if url},
        direct=tuple(filter(None, direct)),
    )


def _variable(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name) or environ.get(name.upper(), "")


def without_user(url: str) -> str:
    """The URL without a name and a password in it."""
    return re.sub(r"//[^/@]*@", "//", url)


def _open_files() -> int | None:
    if sys.platform == "win32":
        return None
    import resource  # noqa: PLC0415 (not on Windows)

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft


def card_facts(root: Path) -> CardFacts:
    """The cards that ``root`` has, the folder that contains ``sys``, ``dev`` and ``proc``."""
    try:
        files = frozenset(file.name for file in (root / "dev").iterdir())
    except OSError:
        files = frozenset()
    groups = text(root / "proc/1/cgroup")
    in_container = any((root / name).exists() for name in _CONTAINER_FILES) or any(
        name in groups for name in _CONTAINER_GROUPS
    )
    return CardFacts(cards(root, NVIDIA, AMD), files, in_container)
