"""Ollama as a service: of systemd, or as a process, with programs that stand in for both."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import psutil
import pytest

from llmstack_tui.base.commands import NeedsRoot
from llmstack_tui.ollama import local
from llmstack_tui.service.types import ManagerKind
from tests.service.machines import Machine
from tests.support.failures import fails
from tests.support.stand_ins import CRASHING, STOPPED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    monkeypatch.setattr(local, "logs_folder", lambda: tmp_path / "logs")
    (tmp_path / "logs").mkdir()
    machine = Machine(tmp_path)
    yield machine
    if machine.pid and psutil.pid_exists(machine.pid):
        os.kill(machine.pid, signal.SIGKILL)
    for process in machine.started:
        process.wait()


async def test_a_process_of_ours_is_started_known_again_and_stopped(machine: Machine) -> None:
    state = await machine.service.state()
    assert (state.kind, state.is_running, state.pid) == (ManagerKind.OURS, False, None)
    await machine.service.start()
    state = await machine.service.state()
    assert (state.kind, state.is_running, state.pid) == (ManagerKind.OURS, True, machine.pid)
    assert state.since is not None
    before = machine.pid
    await machine.service.restart()
    assert machine.pid != before
    await machine.service.stop()
    assert not (await machine.service.state()).is_running


async def test_a_process_of_somebody_else_is_stopped_but_not_restarted(machine: Machine) -> None:
    process = machine.start()
    # The record of an earlier process of ours, which had the same id.
    local.record_file().write_text(f'{{"pid":{process.pid},"identity":"another boot 7"}}')
    state = await machine.service.state()
    assert (state.kind, state.pid) == (ManagerKind.FOREIGN, process.pid)
    with fails("service.foreign", pid=process.pid):
        await machine.service.restart()
    await machine.service.stop()
    assert not psutil.pid_exists(process.pid) or process.status() == psutil.STATUS_ZOMBIE


async def test_nothing_is_there_to_start(machine: Machine) -> None:
    machine.ollama.unlink()
    assert (await machine.service.state()).kind is ManagerKind.NONE
    with fails("service.not_installed"):
        await machine.service.start()


async def test_a_unit_of_the_user_is_started_and_stopped(machine: Machine) -> None:
    machine.programs.systemctl()
    machine.runs_as("ollama.service", user=True)
    state = await machine.service.state()
    assert (state.kind, state.unit, state.is_enabled) == (ManagerKind.SYSTEMD_USER, "ollama.service", False)
    await machine.service.start()
    state = await machine.service.state()
    assert (state.is_running, state.pid, state.is_enabled) == (True, machine.pid, True)
    assert state.drop_ins[1].endswith("20-b.conf")
    await machine.service.stop()
    assert not (await machine.service.state()).is_running
    await machine.service.enable(True)
    assert "--no-ask-password --user enable ollama.service" in machine.programs.calls


async def test_a_unit_of_the_system_needs_root_which_is_never_taken_silently(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llmstack_tui.service.systemd.is_root", lambda: False)
    machine.programs.systemctl()
    machine.runs_as("ollama.service")
    with pytest.raises(NeedsRoot) as caught:
        await machine.service.start()
    assert caught.value.command.argv == ("systemctl", "start", "ollama.service")
    assert not any("sudo" in call for call in machine.programs.calls)
    machine.programs.file("root")
    await machine.service.start()
    assert (await machine.service.state()).kind is ManagerKind.SYSTEMD


async def test_a_unit_that_crashes_is_said_to(machine: Machine) -> None:
    machine.programs.systemctl()
    machine.programs.unit("ollama.service", CRASHING)
    machine.programs.file("root")
    state = await machine.service.state()
    assert (state.kind, state.is_running) == (ManagerKind.SYSTEMD, False)
    assert [(each.kind, each.params["count"]) for each in state.problem] == [("service.crashes", 7)]
    with fails("service.ended_silently"):
        await machine.service.start()


async def test_systemctl_that_hangs_is_said_and_what_runs_is_still_seen(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llmstack_tui.service.systemd.FIND_LIMIT_S", 0.2)
    machine.programs.systemctl()
    machine.programs.file("hangs")
    process = machine.start()
    state = await machine.service.state()
    assert (state.pid, {each.kind for each in state.problem}) == (process.pid, {"command.hangs"})
    assert [each.params["command"] for each in state.problem] == ["systemctl show"]
    assert state.is_enabled is None
    with fails("service.unknown_manager"):
        await machine.service.restart()
    with fails("service.unknown_manager"):
        await machine.service.log_source()


async def test_systemctl_that_refuses_is_quoted(machine: Machine) -> None:
    machine.programs.systemctl()
    machine.runs_as("ollama.service", user=True)
    machine.programs.file("refuses")
    with fails(
        "command.refused",
        words="Failed to start ollama.service: Unit ollama.service has a bad unit file setting.",
    ):
        await machine.service.start()


async def test_where_systemd_does_not_run_nothing_is_wrong(machine: Machine) -> None:
    machine.programs.systemctl()
    machine.programs.file("away")
    state = await machine.service.state()
    assert (state.kind, state.problem) == (ManagerKind.OURS, ())
    with fails("service.no_manager"):
        await machine.service.enable(True)
    unit = machine.pid_file.parent / ".config/systemd/user/ollama.service"
    assert not unit.exists()
    unit.parent.mkdir(parents=True, exist_ok=True)
    with fails("service.no_manager"):
        unit.write_text("[Service]\n")
        await machine.service.enable(True)


async def test_a_unit_is_written_for_what_is_to_start_at_login(machine: Machine, tmp_path: Path) -> None:
    machine.programs.systemctl()
    units = machine.programs.folder / "user"
    units.mkdir()
    machine.programs.file("daemon-reload", f"cat > {units}/ollama.service <<'END'\n{STOPPED}END\n")
    await machine.service.enable(True)
    written = (tmp_path / ".config/systemd/user/ollama.service").read_text()
    assert f'ExecStart="{machine.ollama}" "serve"' in written
    assert f'Environment="OLLAMA_HOST={machine.address}"' in written
    assert "--no-ask-password --user daemon-reload" in machine.programs.calls
