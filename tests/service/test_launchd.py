"""Ollama on macOS: an agent of launchd, with a stand-in for ``launchctl`` that answers as in macOS 14."""

from __future__ import annotations

import os
import plistlib
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.service.launchd import HOMEBREW_LABEL, LaunchAgent, OllamaApp
from llmstack_tui.service.ollama import ollama_service
from llmstack_tui.service.types import ManagerKind
from tests.support.failures import fails
from tests.support.stand_ins import StandIns

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# What `print` says of an agent, and of one that is not loaded: 113, as launchctl(1) does.
LAUNCHCTL = """#!/bin/sh
echo "$*" >> {folder}/calls
case "$1" in
    print) [ -e {folder}/loaded ] && cat {folder}/loaded && exit 0
           echo 'Could not find service in domain for user gui: 501' >&2; exit 113 ;;
    print-disabled) cat {folder}/disabled 2>/dev/null ;;
esac
exit 0
"""
RUNS = "gui/501/x = {\n\tstate = running\n\n\truns = 1\n\tpid = 4242\n\tlast exit code = (never exited)\n}\n"
FAILS = "gui/501/x = {\n\tstate = spawn scheduled\n\n\truns = 4\n\tlast exit code = 1\n}\n"


@pytest.fixture
def there(tmp_path: Path) -> StandIns:
    programs = StandIns(tmp_path / "bin")
    programs.program("launchctl", LAUNCHCTL.format(folder=programs.folder))
    return programs


@pytest.fixture
def environ(there: StandIns, tmp_path: Path) -> Mapping[str, str]:
    return there.environ(HOME=str(tmp_path), OLLAMA_HOST="127.0.0.1:1")


def agent_file(home: Path, label: str) -> Path:
    file = home / "Library/LaunchAgents" / f"{label}.plist"
    file.parent.mkdir(parents=True, exist_ok=True)
    return file


async def test_what_is_known_of_an_agent(there: StandIns, environ: Mapping[str, str], tmp_path: Path) -> None:
    agent = LaunchAgent(HOMEBREW_LABEL, environ)
    assert await agent.find() is None
    file = agent_file(tmp_path, HOMEBREW_LABEL)
    file.write_text("")
    there.file("loaded", RUNS)
    found = await agent.find()
    assert found is not None
    assert (found.is_running, found.pid, found.is_enabled, found.file) == (True, 4242, True, str(file))
    there.file("loaded", FAILS)
    there.file("disabled", f'\t"{HOMEBREW_LABEL}" => disabled\n')
    found = await agent.find()
    assert found is not None
    assert (found.is_failing, found.exit_status, found.restarts, found.is_enabled) == (True, 1, 3, False)


async def test_an_agent_is_started_stopped_and_disabled(
    there: StandIns, environ: Mapping[str, str], tmp_path: Path
) -> None:
    agent_file(tmp_path, HOMEBREW_LABEL).write_text("")
    there.file("loaded", RUNS)
    agent = LaunchAgent(HOMEBREW_LABEL, environ)
    unit = await agent.find()
    assert unit is not None
    await agent.restart(unit)
    await agent.enable(unit, enabled=False)
    said = [call.replace(f"gui/{os.getuid()}", "gui") for call in there.calls]
    assert said[-4:] == [
        f"bootout gui/{HOMEBREW_LABEL}",
        f"bootstrap gui {agent.file}",
        f"kickstart gui/{HOMEBREW_LABEL}",
        f"disable gui/{HOMEBREW_LABEL}",
    ]


async def test_an_agent_is_written_for_what_is_to_start_at_login(
    there: StandIns, environ: Mapping[str, str], tmp_path: Path
) -> None:
    ollama = there.program("ollama", "#!/bin/sh\n")
    await ollama_service(environ, "darwin").enable(True)
    written = plistlib.loads(agent_file(tmp_path, "llmstack.ollama").read_bytes())
    assert written["ProgramArguments"] == [str(ollama), "serve"]
    assert written["EnvironmentVariables"] == {"OLLAMA_HOST": "127.0.0.1:1"}
    assert (written["RunAtLoad"], written["Label"]) == (True, "llmstack.ollama")


async def test_the_app_is_found_and_has_its_own_start_at_login(
    environ: Mapping[str, str], tmp_path: Path
) -> None:
    app = OllamaApp(environ, (tmp_path,))
    assert await app.find() is None
    (tmp_path / "Ollama.app/Contents/MacOS").mkdir(parents=True)
    unit = await app.find()
    assert unit is not None
    assert (unit.kind, unit.is_running, unit.is_enabled) == (ManagerKind.APP, False, None)
    with fails("service.app_at_login"):
        await app.enable(unit, enabled=True)
