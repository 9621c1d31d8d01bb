"""Each fault is provoked, mended by its fix, and where that can be, the fix is taken back."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from llmstack_tui.base.commands import NeedsRoot
from llmstack_tui.base.kinds import HostKind
from llmstack_tui.doctor.facts import OllamaFacts, TerminalFacts
from llmstack_tui.doctor.rules import settings, terminal
from llmstack_tui.doctor.types import Finding, FindingState, Fix, FixKind
from llmstack_tui.ollama.processes import ServerProcess
from llmstack_tui.tui.features import BY_NAME
from tests.doctor.checkups import NOBODY
from tests.ollama.test_local import PROGRAM
from tests.support.scripted_server import always, document, serving
from tests.support.stand_ins import RUNNING, StandIns
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.doctor.checkups import Surroundings

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes and programs of POSIX")


def _fix(finding: Finding) -> Fix:
    assert finding.fix is not None
    return finding.fix


async def test_a_small_context_of_the_engine_is_set_and_taken_back(here: Surroundings) -> None:
    file = here.home / ".config/llmstack/config.toml"
    file.parent.mkdir(parents=True)
    file.write_text("[engine]\ncontext_length = 2048 # mine\n")
    answer = always(document({"version": "0.33.0", "engine": "llmstack", "models": []}))
    async with serving(answer) as server:
        here.environ["OLLAMA_HOST"] = server.url
        finding = await here.find("server.context")
        assert (finding.state, _fix(finding).kind) == (FindingState.ADVICE, FixKind.SET)
        undo = await here.check_up().mend(finding)
        assert file.read_text() == "[engine]\ncontext_length = 16384 # mine\n"
        assert (await here.find("server.context")).state is FindingState.FINE
        assert undo is not None
        await here.check_up().take_back(undo)
        assert file.read_text() == "[engine]\ncontext_length = 2048 # mine\n"
        assert (await here.find("server.context")).state is FindingState.ADVICE


async def test_an_engine_that_hangs_is_ended(here: Surroundings) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as hung:
        here.data.mkdir(parents=True)
        record = {
            "pid": hung.pid,
            "created_s": psutil.Process(hung.pid).create_time(),
            "url": NOBODY,
            "version": "0.1.0",
            "log": "engine.log",
        }
        (here.data / "engine.json").write_text(json.dumps(record))
        finding = await here.find("engine.answers")
        assert (finding.state, _fix(finding).kind) == (FindingState.BROKEN, FixKind.STOP_ENGINE)
        assert await here.check_up().mend(finding) is None
        assert hung.wait() != 0
    assert (await here.find("engine.answers")).state is FindingState.DOES_NOT_APPLY


async def test_an_ollama_that_was_started_is_stopped_again(here: Surroundings) -> None:
    pid = here.home / "pid"
    (here.home / "bin").mkdir()
    program = here.home / "bin" / "ollama"
    program.write_text(PROGRAM.format(python=sys.executable, pid=str(pid), then=""))
    program.chmod(0o755)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        here.environ["OLLAMA_HOST"] = f"127.0.0.1:{free.getsockname()[1]}"
    undo = await here.check_up().mend(await here.find("server.any"))
    assert undo is not None
    process = psutil.Process(int(pid.read_text()))
    try:
        assert (await here.find("server.any")).state is FindingState.FINE
        await here.check_up().take_back(undo)
        await wait_until(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE)
        assert (await here.find("server.any")).state is FindingState.WARNING
    finally:
        if process.is_running():
            process.kill()


async def test_variables_of_a_unit_that_wait_for_a_restart_need_root(
    here: Surroundings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    process = ServerProcess(HostKind.OLLAMA, 7, {"OLLAMA_NUM_PARALLEL": "2"})
    unit = {"OLLAMA_NUM_PARALLEL": "4"}
    facts = OllamaFacts(binary=None, url=NOBODY, processes=(process,), unit=unit)
    (finding,) = settings.in_force("server.settings", facts)
    assert _fix(finding).kind is FixKind.RESTART_OLLAMA
    programs = StandIns(tmp_path / "programs")
    programs.systemctl()
    programs.unit("ollama.service", RUNNING.format(pid=7))
    here.environ |= programs.environ(HOME=str(here.home))
    with pytest.raises(NeedsRoot) as caught:
        await here.check_up().mend(finding)
    assert caught.value.command.argv == ("systemctl", "restart", "ollama.service")


async def test_tmux_hands_on_what_is_copied_and_again_does_not(here: Surroundings) -> None:
    programs = StandIns(here.home / "bin")
    programs.program(
        "tmux",
        f'#!/bin/sh\nf={here.home}/option\n[ "$1" = set-option ] && printf %s "$4" > $f\n'
        '[ "$1" = show-options ] && cat $f\nexit 0\n',
    )
    (here.home / "option").write_text("external")
    here.environ["PATH"] = f"{programs.folder}:/usr/bin:/bin"
    facts = TerminalFacts(size=(80, 24), term="tmux", program="tmux", passes_clipboard=False)
    (finding,) = terminal.clipboard("terminal.clipboard", facts)
    undo = await here.check_up().mend(finding)
    assert (here.home / "option").read_text() == "on"
    assert undo is not None
    await here.check_up().take_back(undo)
    assert (here.home / "option").read_text() == "external"


async def test_what_is_mended_on_a_screen_names_one(here: Surroundings) -> None:
    folder = here.home / ".config/llmstack"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('[engine]\nport = "many"\n')
    here.hosts = (NOBODY,)
    findings = (await here.examine()).findings
    opened = {each.id: each.opens for each in findings if each.opens}
    assert opened["settings.file"] == ("settings",)
    assert opened["server.answers"] == ("settings", "hosts")
    assert {name for name, *_ in opened.values()} <= {*BY_NAME}
