"""The variables of Ollama are changed: written, in force after a restart, or taken back."""

from __future__ import annotations

import asyncio
import errno
import os
import plistlib
import subprocess
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from unittest.mock import patch

import psutil
import pytest

from llmstack_tui.base.commands import NeedsRoot
from llmstack_tui.core.server_variables import ServerVariables
from llmstack_tui.ollama.local import own_variables_file
from llmstack_tui.service.ollama import ollama_service
from llmstack_tui.variables.files import left
from llmstack_tui.variables.plans import planned
from llmstack_tui.variables.types import Origin, Standing
from tests.support.failures import fails
from tests.support.ollama_program import OllamaMachine
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from llmstack_tui.base.commands import RootCommand
    from llmstack_tui.variables.types import Changed

KEEP, CONTEXT, HOST = "OLLAMA_KEEP_ALIVE", "OLLAMA_CONTEXT_LENGTH", "OLLAMA_HOST"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OllamaMachine]:
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    machine = OllamaMachine(tmp_path)
    yield machine
    machine.end()


def of(machine: OllamaMachine) -> ServerVariables:
    return ServerVariables(machine.environ, root=machine.home, platform="linux")


async def nobody() -> None:
    """No request runs."""


async def as_root(command: RootCommand) -> None:
    """The tests may write everywhere."""
    argv = command.argv
    subprocess.run(argv, check=True)


async def refused(command: RootCommand) -> None:
    raise NeedsRoot(command)


async def pretended(_: RootCommand) -> None:
    """As a ``sudo`` that does nothing, and says that it did."""


async def changed(machine: OllamaMachine, *, restart: bool = True, **values: str | None) -> Changed:
    variables = of(machine)
    change = planned(await variables.overview(), {f"OLLAMA_{name}": value for name, value in values.items()})
    return await variables.change(change, restart=restart, as_root=as_root, until_free=nobody)


def kinds(done: Changed) -> list[str]:
    return [each.kind for each in done.rolled_back]


async def test_a_process_of_ours_is_changed_and_taken_back(machine: OllamaMachine) -> None:
    await ollama_service(machine.environ, "linux").start()
    done = await changed(machine, KEEP_ALIVE="10m", restart=False)
    assert (done.was_restarted, done.backup) == (False, None)
    row = (await of(machine).overview()).row(KEEP)
    assert row is not None
    assert (row.value, row.wanted, row.standing) == ("5m", "10m", Standing.IDLE)
    done = await changed(machine, CONTEXT_LENGTH="8192")
    assert (done.was_restarted, kinds(done)) == (True, [])
    assert done.backup is not None
    assert machine.variables == {HOST: machine.address, KEEP: "10m", CONTEXT: "8192"}
    text = own_variables_file().read_text()
    done = await changed(machine, HOST="192.0.2.1:1")
    assert kinds(done) == ["ollama.ended", "variables.back"]
    assert "Error: listen tcp 192.0.2.1:1" in str(done.rolled_back[0].params["words"])
    assert own_variables_file().read_text() == text
    assert machine.variables == {HOST: machine.address, KEEP: "10m", CONTEXT: "8192"}
    await changed(machine, KEEP_ALIVE=None, CONTEXT_LENGTH=None)
    assert not own_variables_file().exists()
    assert machine.variables == {HOST: machine.address}


@pytest.mark.parametrize("config", ["", "elsewhere"])
async def test_a_unit_gets_a_drop_in_and_its_own_file_stays(machine: OllamaMachine, config: str) -> None:
    machine.environ = {
        **machine.environ,
        **({"XDG_CONFIG_HOME": f"{machine.home}/{config}"} if config else {}),
    }
    folder = machine.has_unit(user=True)
    assert folder.is_relative_to(machine.home / (config or ".config"))
    unit = (folder.parent / "ollama.service").read_text()
    await ollama_service(machine.environ, "linux").start()
    row = (await of(machine).overview()).row(KEEP)
    assert row is not None
    assert (row.value, row.origin, row.file) == ("2m", Origin.UNIT, str(folder.parent / "ollama.service"))
    done = await changed(machine, KEEP_ALIVE="10m")
    assert kinds(done) == []
    assert done.file == folder / "llmstack.conf"
    assert machine.variables[KEEP] == "10m"
    assert any("--user" in call and "daemon-reload" in call for call in machine.programs.calls)
    row = (await of(machine).overview()).row(KEEP)
    assert row is not None
    assert (row.value, row.origin) == ("10m", Origin.OURS)
    assert (folder.parent / "ollama.service").read_text() == unit
    with fails("variables.not_set"):
        await changed(machine, CONTEXT_LENGTH=None)


async def test_an_interrupted_restart_takes_the_file_back(machine: OllamaMachine) -> None:
    folder = machine.has_unit(user=True)
    await ollama_service(machine.environ, "linux").start()
    restarting = machine.programs.folder / "restarting"
    machine.programs.file("restart", f": > {restarting}; exec sleep 60")
    change = planned(await of(machine).overview(), {KEEP: "10m"})
    work = asyncio.create_task(of(machine).change(change, restart=True, as_root=as_root, until_free=nobody))
    await wait_until(restarting.exists)
    assert left(change).kind == "variables.stays"
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert not (folder / "llmstack.conf").exists()
    assert left(change).kind == "variables.back_only"


async def test_what_another_drop_in_sets_wins_and_is_said(machine: OllamaMachine) -> None:
    folder = machine.has_unit(user=True)
    folder.mkdir()
    (folder / "override.conf").write_text("[Service]\nEnvironment=OLLAMA_KEEP_ALIVE=1h\n")
    with fails("variables.stronger", file=str(folder / "override.conf")):
        await changed(machine, KEEP_ALIVE="10m")
    with fails("variables.not_ours", file=str(folder / "override.conf")):
        await changed(machine, KEEP_ALIVE=None)


async def test_a_unit_that_does_not_take_the_value_is_taken_back(machine: OllamaMachine) -> None:
    folder = machine.has_unit(user=True)
    await ollama_service(machine.environ, "linux").start()
    machine.programs.file("restart", "exit 0")
    done = await changed(machine, KEEP_ALIVE="10m")
    assert kinds(done) == ["variables.not_in_force", "variables.back"]
    assert not (folder / "llmstack.conf").exists()
    machine.programs.file("refuses")
    done = await changed(machine, KEEP_ALIVE="10m")
    assert kinds(done) == ["command.refused", "variables.back_only"]
    assert not (folder / "llmstack.conf").exists()


async def test_a_unit_of_the_system_needs_root(machine: OllamaMachine) -> None:
    folder = machine.has_unit(user=False)
    with patch("llmstack_tui.core.variables_in_force.is_root", return_value=False):
        variables = of(machine)
        change = planned(await variables.overview(), {KEEP: "10m"})
        assert change.target.needs_root
        with fails("command.needs_root") as caught:
            await variables.change(change, restart=False, as_root=refused, until_free=nobody)
        assert isinstance(caught.value, NeedsRoot)
        assert caught.value.command.argv[:4] == ("install", "-D", "-m", "0644")
        assert not folder.exists()
        with fails("variables.not_there"):
            await variables.change(change, restart=False, as_root=pretended, until_free=nobody)
        done = await changed(machine, KEEP_ALIVE="10m", restart=False)
        assert 'Environment="OLLAMA_KEEP_ALIVE=10m"' in (folder / "llmstack.conf").read_text()
        assert done.backup is None
        await changed(machine, KEEP_ALIVE=None, restart=False)
        assert not (folder / "llmstack.conf").exists()


async def test_two_at_once_and_an_edit_by_hand(machine: OllamaMachine) -> None:
    first = await of(machine).overview()
    await changed(machine, KEEP_ALIVE="10m", restart=False)
    with fails("variables.changed"):
        await of(machine).change(
            planned(first, {CONTEXT: "8192"}), restart=False, as_root=as_root, until_free=nobody
        )
    assert not (await of(machine).overview()).by_hand
    with own_variables_file().open("a") as file:
        file.write("MINE=1\n")
    overview = await of(machine).overview()
    change = planned(overview, {CONTEXT: "8192"})
    assert overview.by_hand
    assert change.by_hand
    assert 'MINE="1"' in (change.after or "")


@pytest.mark.parametrize("call", ["os.fsync", "pathlib.Path.replace"])
async def test_a_full_disk_changes_nothing(machine: OllamaMachine, call: str) -> None:
    await changed(machine, KEEP_ALIVE="10m", restart=False)
    before = own_variables_file().read_text()
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with patch(call, side_effect=full), fails("variables.not_written", why="No space left on device"):
        await changed(machine, KEEP_ALIVE="20m", restart=False)
    assert own_variables_file().read_text() == before
    assert [each.name for each in own_variables_file().parent.iterdir()] == ["ollama.env"]


async def test_a_folder_that_cannot_be_written(machine: OllamaMachine) -> None:
    folder = machine.has_unit(user=True)
    folder.write_text("no folder")
    with fails("variables.not_written"):
        await changed(machine, KEEP_ALIVE="10m", restart=False)
    folder.unlink()
    folder.mkdir()
    (folder / "llmstack.conf").mkdir()
    with fails("variables.unreadable"):
        await of(machine).overview()


async def test_what_others_started_is_only_looked_at(machine: OllamaMachine) -> None:
    machine.start(OLLAMA_KEEP_ALIVE="1h")
    overview = await of(machine).overview()
    row = overview.row(KEEP)
    assert row is not None
    assert (row.value, row.origin, row.standing) == ("1h", Origin.PROCESS, Standing.UNSET)
    with fails("variables.of_another", pid=machine.pid):
        planned(overview, {KEEP: "10m"})


async def test_without_systemd_it_is_a_process_of_ours(machine: OllamaMachine) -> None:
    machine.has_unit(user=True)
    machine.programs.file("away")
    overview = await of(machine).overview()
    assert overview.target is not None
    assert overview.target.file == own_variables_file()


async def test_where_systemd_cannot_be_asked_nothing_is_written(machine: OllamaMachine) -> None:
    machine.has_unit(user=True)
    machine.programs.program("systemctl", "#!/bin/sh\necho 'Connection timed out' >&2\nexit 1\n")
    overview = await of(machine).overview()
    assert overview.target is None
    with fails("command.refused", words="Connection timed out"):
        planned(overview, {KEEP: "10m"})


async def test_a_reload_that_is_refused_leaves_the_file_as_it_was(machine: OllamaMachine) -> None:
    folder = machine.has_unit(user=True)
    machine.programs.file("daemon-reload", "exit 1")
    with fails("command.refused_silently"):
        await changed(machine, KEEP_ALIVE="10m")
    assert list(folder.iterdir()) == []


LAUNCHCTL = """#!/bin/sh
# What launchctl(1) keeps for the session, a file for each variable.
here={folder}/session; mkdir -p "$here"
case "$1" in
    getenv) cat "$here/$2" 2>/dev/null; exit 0 ;;
    setenv) printf '%s\\n' "$3" > "$here/$2" ;;
    unsetenv) rm -f "$here/$2" ;;
    print) echo "Could not find service" >&2; exit 113 ;;
esac
"""


async def test_on_a_mac_the_session_has_it_and_an_agent_sets_it_again(machine: OllamaMachine) -> None:
    folder = machine.programs.folder
    machine.programs.program("launchctl", LAUNCHCTL.format(folder=folder))
    (machine.home / "Applications/Ollama.app/Contents/MacOS").mkdir(parents=True)
    (folder / "session").mkdir()
    (folder / "session" / CONTEXT).write_text("4096\n")
    variables = ServerVariables(machine.environ, root=machine.home, platform="darwin")
    overview = await variables.overview()
    row = overview.row(CONTEXT)
    assert row is not None
    assert [(each.origin, each.value) for each in row.sources] == [(Origin.LAUNCHCTL, "4096")]
    change = planned(overview, {KEEP: "10m", CONTEXT: "8192"})
    await variables.change(change, restart=False, as_root=refused, until_free=nobody)
    assert (folder / "session" / KEEP).read_text() == "10m\n"
    assert (folder / "session" / CONTEXT).read_text() == "8192\n"
    agent = plistlib.loads(change.target.file.read_bytes())
    assert agent["RunAtLoad"]
    assert agent["EnvironmentVariables"] == {KEEP: "10m", CONTEXT: "8192"}
    for name in (KEEP, CONTEXT):
        (folder / "session" / name).unlink()
    login = {**machine.environ, **agent["EnvironmentVariables"]}
    subprocess.run(agent["ProgramArguments"], env=login, check=True)
    assert (folder / "session" / CONTEXT).read_text() == "8192\n"
    row = (await variables.overview()).row(CONTEXT)
    assert row is not None
    assert [each.origin for each in row.sources] == [Origin.OURS]
    change = planned(await variables.overview(), {KEEP: None, CONTEXT: None})
    await variables.change(change, restart=False, as_root=refused, until_free=nobody)
    assert not change.target.file.exists()
    assert list((folder / "session").iterdir()) == []


JOURNALCTL = """#!/bin/sh
echo "$*" > {folder}/asked
cat {folder}/journal
"""


async def test_a_unit_of_another_user_tells_by_its_journal(machine: OllamaMachine) -> None:
    machine.has_unit(user=False)
    await ollama_service(machine.environ, "linux").start()
    folder = machine.programs.folder
    machine.programs.program("journalctl", JOURNALCTL.format(folder=folder))
    url = f"http://{machine.address}"
    now = datetime.now(UTC).isoformat()
    (folder / "journal").write_text(
        f'time={now} level=INFO source=routes.go:1951 msg="server config" env="map[OLLAMA_HOST:{url} '
        'OLLAMA_KEEP_ALIVE:2m0s OLLAMA_MODELS:/usr/share/ollama/.ollama/models]"\n'
    )
    environ = psutil.Process.environ

    def closed(process: psutil.Process) -> dict[str, str]:
        if process.pid == machine.pid:
            raise psutil.AccessDenied
        return environ(process)

    with patch("psutil.Process.environ", closed):
        overview = await of(machine).overview()
    models, keep = overview.row("OLLAMA_MODELS"), overview.row(KEEP)
    assert models is not None
    assert keep is not None
    assert (models.value, keep.value, keep.origin) == ("/usr/share/ollama/.ollama/models", "2m", Origin.UNIT)
    assert "--unit=ollama.service" in (folder / "asked").read_text()
