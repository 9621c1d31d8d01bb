"""Looks at this machine, as far as it decides how something is installed; changes nothing."""

from __future__ import annotations

import errno
import os
import platform
import re
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from llmstack_tui.base.commands import CommandFailed, is_root, is_there, run
from llmstack_tui.base.paths import user_units_folder
from llmstack_tui.base.sentences import Sentence
from llmstack_tui.hardware.system import read_disk
from llmstack_tui.install.rules.archive import UNIT
from llmstack_tui.install.rules.releases import version_of
from llmstack_tui.install.types import Python, ThisMachine
from llmstack_tui.library.errors import reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmstack_tui.base.sentences import Sentences

_ARCHES = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_TELLING = ("pipx_metadata.json", "uv-receipt.toml")
_SAYS_VERSION = re.compile(r"(client|ollama) version is (\S+)")
_VERSION_S = 3.0
_JETPACKS = {"R36": "6", "R35": "5"}


def look_at_machine(
    environ: Mapping[str, str],
    folder: Path,
    url: str,
    *,
    root: Path = Path("/"),
    system: str = "",
    makers: tuple[str, ...] = (),
    has_user_services: bool = False,
    engine_missing: str = "",
) -> ThisMachine:
    """This machine, all but what only a server or systemd can answer. Blocking.

    Args:
        folder: of versions and downloads.
        root: the folder that contains ``etc`` and ``run``.
        system: instead of that of this machine, for tests.
    """
    system = system or platform.system()
    home = Path(environ["HOME"]) if environ.get("HOME") else None
    unit = user_units_folder(environ) / UNIT
    space = read_disk(folder)
    return ThisMachine(
        system=system,
        arch=_ARCHES.get(platform.machine(), ""),
        home=home,
        folder=folder,
        unit=unit,
        url=url,
        variables={name: value for name, value in environ.items() if name.startswith("OLLAMA_")},
        python=_python(environ),
        is_root=is_root(),
        has_sudo=is_there("sudo", environ),
        has_brew=is_there("brew", environ),
        has_zstd=is_there("zstd", environ),
        has_user_services=has_user_services,
        has_services=(root / "run/systemd/system").is_dir(),
        has_unit=unit.exists(),
        has_command=home is not None and os.path.lexists(home / ".local/bin/ollama"),
        not_writable=_not_writable(folder),
        free=space.total - space.used if space is not None else None,
        makers=makers,
        jetpack=_jetpack(root),
        engine_missing=engine_missing,
    )


def _python(environ: Mapping[str, str]) -> Python:
    prefix = Path(sys.prefix)
    there = {name for name in _TELLING if (prefix / name).exists()}
    import sysconfig  # noqa: PLC0415 (only an installation needs it)

    if (Path(sysconfig.get_path("stdlib")) / "EXTERNALLY-MANAGED").exists():
        there.add("EXTERNALLY-MANAGED")
    return Python(
        program=sys.executable,
        prefix=sys.prefix,
        base=sys.base_prefix,
        has=frozenset(there),
        has_pip=find_spec("pip") is not None,
        has_uv=is_there("uv", environ),
    )


async def has_user_services(environ: Mapping[str, str]) -> bool:
    """Whether systemd works for this user; not in most containers, nor after ``su``."""
    try:
        return (await run("systemctl", "--user", "show-environment", environ=environ)).status == 0
    except CommandFailed:
        return False


async def program_version(program: Path | None, environ: Mapping[str, str]) -> str:
    """The version that Ollama's program says of itself, beside the server's; "" if it does not."""
    if program is None:
        return ""
    try:
        done = await run(str(program), "--version", environ=environ, limit_s=_VERSION_S)
    except CommandFailed:
        return ""
    # "client version is" stands there only where no server, or one of another version, answers.
    said: dict[str, str] = dict(_SAYS_VERSION.findall(f"{done.output}\n{done.errors}"))
    version = version_of(said.get("client") or said.get("ollama") or "")
    return version if version.strip("0.") else ""  # Else somebody has built it, which no script installs.


def _not_writable(folder: Path) -> Sentences:
    """Why nothing can be written into a folder that may not be there yet; empty if it can."""
    there = next((each for each in (folder, *folder.parents) if each.exists()), folder)
    if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
        return ()
    why = reason(OSError(errno.EACCES if there.is_dir() else errno.ENOTDIR, ""))
    return (Sentence("install.not_writable", {"folder": str(folder), "why": (why,)}),)


def _jetpack(root: Path) -> str:
    """The JetPack of a Jetson, as Ollama's script tells it; "" elsewhere."""
    try:
        release = (root / "etc/nv_tegra_release").read_text(errors="replace")
    except OSError:
        return ""
    found = re.search("R3[56]", release)
    return _JETPACKS[found[0]] if found else ""
