"""What is looked at before an installation, on a machine that a test has made up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from llmstack_tui.core.wording import text
from llmstack_tui.install.machine import has_user_services, look_at_machine, program_version
from tests.support.releases import stand_in

if TYPE_CHECKING:
    from pathlib import Path

    from llmstack_tui.install.types import ThisMachine

URL = "http://127.0.0.1:11434"


def look(tmp_path: Path, system: str = "Linux", **variables: str) -> ThisMachine:
    environ = {"HOME": str(tmp_path / "home"), "PATH": str(tmp_path / "bin"), **variables}
    folder = tmp_path / "home/.local/share/llmstack/ollama"
    return look_at_machine(environ, folder, URL, root=tmp_path, system=system)


def test_a_bare_machine(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    found = look(tmp_path, OLLAMA_MODELS="/models")
    assert (found.has_sudo, found.has_brew, found.has_zstd, found.has_services) == (
        False,
        False,
        False,
        False,
    )
    assert (found.has_unit, found.has_command, found.jetpack, found.not_writable) == (False, False, "", ())
    assert found.variables == {"OLLAMA_MODELS": "/models"}
    assert found.free
    assert found.unit == tmp_path / "home/.config/systemd/user/ollama.service"


@pytest.mark.parametrize(
    ("says", "version"),
    [
        ("echo ollama version is 0.24.0", "0.24.0"),
        ("echo ollama version is 0.33.0; echo Warning: client version is 0.24.0 >&2", "0.24.0"),
        ("echo Warning: client version is 0.24.0", "0.24.0"),
        ("echo ollama version is 0.0.0", ""),
        ("exit 1", ""),
    ],
)
async def test_the_version_of_the_program(tmp_path: Path, says: str, version: str) -> None:
    program = stand_in(tmp_path, "ollama", says)
    assert await program_version(program, {"PATH": "/usr/bin:/bin"}) == version
    assert await program_version(tmp_path / "none", {}) == ""


def test_a_machine_that_has_everything(tmp_path: Path) -> None:
    for each in ("sudo", "brew", "zstd"):
        stand_in(tmp_path / "bin", each, "")
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/nv_tegra_release").write_text("# R36 (release), REVISION: 4.3")
    command = tmp_path / "home/.local/bin/ollama"
    command.parent.mkdir(parents=True)
    command.symlink_to("/gone")
    unit = tmp_path / "units/systemd/user/ollama.service"
    unit.parent.mkdir(parents=True)
    unit.write_text("")
    found = look(tmp_path, XDG_CONFIG_HOME=str(tmp_path / "units"))
    assert found.has_sudo
    assert found.has_brew
    assert found.has_zstd
    assert found.has_services
    assert found.has_unit
    assert found.has_command
    assert found.jetpack == "6"


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("A file where the home should be.")
    assert text(*look(tmp_path).not_writable).startswith("Nothing can be written into")


@pytest.mark.parametrize(
    ("script", "works"),
    [
        ("exit 0", True),
        ("echo 'Failed to connect to bus: No medium found' >&2; exit 1", False),
        (None, False),
    ],
)
async def test_systemd_of_a_user(tmp_path: Path, script: str | None, works: bool) -> None:
    if script is not None:
        stand_in(tmp_path / "bin", "systemctl", script)
    assert await has_user_services({"PATH": f"{tmp_path / 'bin'}:/bin"} if script else {"PATH": ""}) is works
