"""Each fault is provoked, mended by its fix, and where that can be, the fix is taken back."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.commands import NeedsRoot
from llmstack_tui.base.kinds import HostKind
from llmstack_tui.doctor.facts import OllamaFacts
from llmstack_tui.doctor.rules import settings
from llmstack_tui.doctor.types import Finding, FindingState, Fix, FixKind
from llmstack_tui.ollama.processes import ServerProcess
from tests.doctor.checkups import NOBODY
from tests.support.scripted_server import always, document, serving
from tests.support.stand_ins import RUNNING, StandIns

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


async def test_variables_of_a_unit_that_wait_for_a_restart_need_root(
    here: Surroundings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    process = ServerProcess(HostKind.OLLAMA, 7, {"OLLAMA_NUM_PARALLEL": "2"})
    unit = {"OLLAMA_NUM_PARALLEL": "4"}
    facts = OllamaFacts(binary=None, url=NOBODY, processes=(process,), unit=unit)
    (finding,) = settings.in_force("server.settings", facts, ())
    assert _fix(finding).kind is FixKind.RESTART_OLLAMA
    programs = StandIns(tmp_path / "programs")
    programs.systemctl()
    programs.unit("ollama.service", RUNNING.format(pid=7))
    here.environ |= programs.environ(HOME=str(here.home))
    with pytest.raises(NeedsRoot) as caught:
        await here.check_up().mend(finding)
    assert caught.value.command.argv == ("systemctl", "restart", "ollama.service")
