"""`llmstack service`: with programs that stand in for systemctl, sudo and Ollama."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.service.machines import Machine
from tests.support.program import Program
from tests.support.stand_ins import CRASHING

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path)
    yield machine
    if machine.pid and psutil.pid_exists(machine.pid):
        os.kill(machine.pid, signal.SIGKILL)


@pytest.fixture
def llmstack(machine: Machine, tmp_path: Path) -> Program:
    return Program(tmp_path, {"OLLAMA_HOST": machine.address, "PATH": machine.environ["PATH"]})


def test_it_is_started_shown_followed_and_stopped(llmstack: Program, machine: Machine) -> None:
    assert llmstack("service", "status").returncode == 1
    assert llmstack("service").stdout == llmstack("service", "status").stdout
    assert json.loads(llmstack("service", "--json").stdout)["running"] is False
    assert json.loads(llmstack("service", "--json", "status").stdout)["running"] is False
    done = llmstack("service", "start", "--json")
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    assert (shown["server"], shown["manager"], shown["running"], shown["pid"]) == (
        "ollama", "llmstack", True, machine.pid,
    )  # fmt: skip
    assert llmstack("service", "status").returncode == 0
    logged = llmstack("service", "log", "--grep", "LISTEN", "-n", "1", "--json")
    line = json.loads(logged.stdout)
    assert (line["kind"], line["level"]) == ("listening", "info")
    none = llmstack("service", "log", "--level", "error")
    assert (none.stdout, "No line of the log is like that" in none.stderr) == ("", True)
    log = Path(none.stderr.split(": ")[-1].strip())
    log.write_text("")
    assert "The log is empty" in llmstack("service", "log").stderr
    assert llmstack("service", "stop", "--read-only").returncode == 1
    assert machine.pid
    assert psutil.pid_exists(machine.pid)
    assert llmstack("service", "stop").returncode == 0
    assert not json.loads(llmstack("service", "status", "--json").stdout)["running"]


def test_what_needs_root_is_printed_where_sudo_cannot_ask(llmstack: Program, machine: Machine) -> None:
    machine.programs.systemctl()
    machine.programs.program("sudo", "#!/bin/sh\necho must not run >&2; exit 1\n")
    machine.runs_as("ollama.service")
    machine.programs.program("id", "#!/bin/sh\necho 1000\n")
    done = llmstack("service", "enable", "--json")
    if os.geteuid() == 0:  # Root is refused what others need root for: the words stay.
        assert "Interactive authentication required" in done.stderr
    else:
        assert "sudo systemctl enable ollama.service" in done.stderr
    assert done.returncode == 1
    assert "must not run" not in done.stderr


def test_a_unit_that_crashes_is_said_with_the_reason_of_its_log(llmstack: Program, machine: Machine) -> None:
    machine.programs.systemctl()
    machine.programs.unit("ollama.service", CRASHING)
    taken = {"MESSAGE": "Error: listen tcp 127.0.0.1:11434: bind: address already in use"}
    machine.programs.program("journalctl", f"#!/bin/sh\ncat <<'END'\n{json.dumps(taken)}\nEND\n")
    done = llmstack("service", "status", "--json")
    shown = json.loads(done.stdout)
    assert done.returncode == 1
    assert (shown["manager"], shown["unit"], shown["enabled"]) == ("systemd", "ollama.service", True)
    assert "was started 7 times" in shown["problem"][0]
    assert "Another program has the address 127.0.0.1:11434" in shown["problem"][1]


def test_the_engine_has_the_same_commands(llmstack: Program) -> None:
    done = llmstack("service", "status", "--engine", "builtin", "--json")
    shown = json.loads(done.stdout)
    assert (done.returncode, shown["server"], shown["running"]) == (1, "engine", False)
    assert "engine.log is not there" in llmstack("service", "log", "--engine", "builtin").stderr
