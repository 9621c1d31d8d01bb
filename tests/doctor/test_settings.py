"""Settings with mistakes, and variables that are set or in force, but not both."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.kinds import HostKind
from llmstack_tui.doctor.facts import OllamaFacts, ServerFacts
from llmstack_tui.doctor.rules.settings import in_force
from llmstack_tui.doctor.types import FindingState
from llmstack_tui.hosts.types import RunningModel
from llmstack_tui.ollama.processes import ServerProcess
from llmstack_tui.variables.sources import unit_variables
from tests.doctor.checkups import NOBODY, said
from tests.support.fake_ollama import usual_ollama
from tests.support.scripted_server import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.doctor.checkups import Surroundings


@pytest.fixture
def ollama(here: Surroundings) -> Iterator[None]:
    """A process that is called ``ollama serve``, and was started with a variable."""
    program = here.home / "ollama"
    program.write_text(f"#!{sys.executable}\nprint(flush=True)\ninput()\n")
    program.chmod(0o755)
    environ = {"OLLAMA_HOST": NOBODY, "OLLAMA_NUM_PARALLEL": "2"}
    with subprocess.Popen(
        [program, "serve"], env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield
        process.kill()


@pytest.mark.usefixtures("ollama")
async def test_a_variable_of_this_shell_that_the_server_has_not_got(here: Surroundings) -> None:
    here.environ |= {"OLLAMA_NUM_PARALLEL": "2", "OLLAMA_FLASH_ATTENTION": "1"}
    finding = await here.find("server.settings")
    assert finding.state is FindingState.WARNING
    assert "The shell sets OLLAMA_FLASH_ATTENTION=1" in said(finding)
    assert "OLLAMA_NUM_PARALLEL" not in said(finding)


@pytest.mark.usefixtures("ollama")
async def test_a_drop_in_that_waits_for_a_restart(here: Surroundings, tmp_path: Path) -> None:
    here.root = tmp_path / "root"
    folder = here.root / "etc/systemd/system"
    (folder / "ollama.service.d").mkdir(parents=True)
    (folder / "ollama.service").write_text('[Service]\nEnvironment="PATH=/usr/bin"\n')
    drop_in = '[Service]\nEnvironment="OLLAMA_NUM_PARALLEL=4" OLLAMA_ORIGINS=*\n'
    (folder / "ollama.service.d/override.conf").write_text(drop_in)
    assert unit_variables(here.root, {}) == {
        "PATH": "/usr/bin",
        "OLLAMA_NUM_PARALLEL": "4",
        "OLLAMA_ORIGINS": "*",
    }
    finding = await here.find("server.settings")
    assert finding.state is FindingState.WARNING
    assert "The unit sets OLLAMA_NUM_PARALLEL=4; in force is: 2" in said(finding)


@pytest.mark.usefixtures("ollama")
async def test_a_variable_in_force_that_is_set_nowhere(here: Surroundings) -> None:
    finding = await here.find("server.settings")
    assert finding.state is FindingState.ADVICE
    assert "OLLAMA_NUM_PARALLEL=2 is in force." in said(finding)
    here.environ["OLLAMA_NUM_PARALLEL"] = "2"
    assert (await here.find("server.settings")).state is FindingState.FINE


@pytest.mark.parametrize(
    ("unit", "state"),
    [
        (None, FindingState.DOES_NOT_APPLY),
        ({}, FindingState.WARNING),
        ({"OLLAMA_ORIGINS": "*"}, FindingState.FINE),
    ],
)
def test_a_server_of_another_user_is_judged_by_its_unit(
    unit: dict[str, str] | None, state: FindingState
) -> None:
    process = ServerProcess(HostKind.OLLAMA, 7, None)
    facts = OllamaFacts(
        binary=None, url=NOBODY, processes=(process,), unit=unit, exported={"OLLAMA_ORIGINS": "*"}
    )
    (finding,) = in_force("server.settings", facts, ())
    assert finding.state is state


@pytest.mark.parametrize(
    ("loaded", "state"),
    [
        ((), FindingState.FINE),
        ((8192,), FindingState.FINE),
        ((4096, 4096), FindingState.ADVICE),
        ((4096, 8192), FindingState.FINE),
    ],
)
def test_the_context_of_a_server_of_another_user_is_judged_by_what_is_loaded(
    loaded: tuple[int, ...], state: FindingState
) -> None:
    process = ServerProcess(HostKind.OLLAMA, 7, None)
    unit = {"OLLAMA_CONTEXT_LENGTH": "8192"}
    facts = OllamaFacts(binary=None, url=NOBODY, processes=(process,), unit=unit)
    models = tuple(RunningModel(name="a:1", digest="d", context_length=tokens) for tokens in loaded)
    (finding,) = in_force("server.settings", facts, (ServerFacts(url=NOBODY, named=False, loaded=models),))
    assert finding.state is state
    assert ("OLLAMA_CONTEXT_LENGTH=8192; in force is: 4096" in said(finding)) == (
        state is FindingState.ADVICE
    )


async def test_a_mistake_in_the_settings(here: Surroundings) -> None:
    assert (await here.find("settings.file")).state is FindingState.FINE
    folder = here.home / ".config/llmstack"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('[engine]\nport = "many"\n[ui.keys]\nlog.copi = "c"\n')
    here.environ["OLLAMA_HOST"] = "ftp://somewhere"
    finding = await here.find("settings.file")
    assert finding.state is FindingState.WARNING
    assert "config.toml line 2" in said(finding)
    assert "config.toml line 4: ui.keys.log.copi is not an action that has a key." in said(finding)
    assert "OLLAMA_HOST has a wrong address" in said(finding)


@pytest.mark.parametrize(
    ("tokens", "state"), [("", FindingState.ADVICE), ("32768", FindingState.FINE)], ids=["default", "set"]
)
@pytest.mark.usefixtures("ollama")
async def test_a_context_that_is_too_small_for_an_agent(
    here: Surroundings, tmp_path: Path, tokens: str, state: FindingState
) -> None:
    here.root = tmp_path / "root"
    unit = here.root / "etc/systemd/system/ollama.service"
    unit.parent.mkdir(parents=True)
    unit.write_text(f"[Service]\nEnvironment=OLLAMA_CONTEXT_LENGTH={tokens}\n")
    async with serving(usual_ollama("a:1")) as server:
        here.environ["OLLAMA_HOST"] = server.url
        finding = await here.find("server.context")
    assert (finding.state, finding.about) == (state, server.url)
