"""Python and its packages, macOS, limits, proxies, the registry and the clock."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.doctor.facts import Package, ProgramFacts, SystemFacts
from llmstack_tui.doctor.rules.machine import mac_memory, mac_system, packages
from llmstack_tui.doctor.types import FindingState
from llmstack_tui.hardware.readings import Device, DeviceKind, MachineReading
from tests.doctor.checkups import said
from tests.support.program import COMMAND, Program
from tests.support.scripted_server import Reply, always, serving

if TYPE_CHECKING:
    from pathlib import Path

    from tests.doctor.checkups import Surroundings

GIB = 2**30


@pytest.mark.parametrize(
    ("installed", "is_fine"),
    [("8.2.8", True), ("8.2", True), ("9.0.0", False), ("8.1.9", False), ("10.0", False), (None, False)],
)
def test_the_version_of_a_package(installed: str | None, is_fine: bool) -> None:
    facts = ProgramFacts(Package("Python", "", "3.12.0"), (Package("textual", "<9,>=8.2", installed),))
    (finding,) = packages("program.packages", facts)
    assert (finding.state is FindingState.FINE) == is_fine


def finding_of(done: subprocess.CompletedProcess[str], id_: str) -> dict[str, object]:
    found: dict[str, object] = next(each for each in json.loads(done.stdout)["findings"] if each["id"] == id_)
    return found


def program(tmp_path: Path, **variables: str) -> Program:
    nobody = {"OLLAMA_HOST": "127.0.0.1:1", "HTTPS_PROXY": "http://127.0.0.1:1"}
    return Program(tmp_path, {**nobody, **variables})


def test_an_old_package(tmp_path: Path) -> None:
    info = tmp_path / "old" / "msgspec-0.1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: msgspec\nVersion: 0.1\n")
    done = program(tmp_path, PYTHONPATH=str(info.parent))("doctor", "--json")
    found = finding_of(done, "program.packages")
    assert (done.returncode, found["state"]) == (1, "broken")
    assert found["evidence"] == ["msgspec 0.1 is installed, and <1,>=0.20 is needed."]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such limit")
def test_a_low_limit_of_open_files(tmp_path: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", 'ulimit -n 300; exec "$@"', "sh", *COMMAND, "doctor", "--json"],
        env=program(tmp_path).environment,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )
    found = finding_of(done, "system.files")
    assert (found["state"], found["says"]) == ("advice", "A program may have 300 files open.")


@pytest.mark.parametrize(
    ("version", "state"),
    [
        ("", FindingState.DOES_NOT_APPLY),
        ("13.6.1", FindingState.WARNING),
        ("26.1", FindingState.FINE),
    ],
)
def test_the_version_of_macos(version: str, state: FindingState) -> None:
    (finding,) = mac_system("mac.system", SystemFacts(macos=version))
    assert finding.state is state


@pytest.mark.parametrize(
    ("limit_gib", "state"), [(12, FindingState.FINE), (15, FindingState.WARNING)], ids=["default", "raised"]
)
def test_the_limit_of_graphics_leaves_some_memory_to_macos(limit_gib: int, state: FindingState) -> None:
    ram = Device(kind=DeviceKind.RAM, id="ram", name="RAM", total=16 * GIB)
    gpu = Device(kind=DeviceKind.APPLE, id="gpu", name="Apple M3", total=limit_gib * GIB, shared=True)
    (finding,) = mac_memory("mac.memory", MachineReading(taken_at=0.0, ram=ram, devices=(gpu,)))
    assert finding.state is state


@pytest.mark.parametrize(
    ("variables", "state"),
    [
        ({}, FindingState.DOES_NOT_APPLY),
        ({"http_proxy": "http://me:secret@proxy:3128"}, FindingState.WARNING),
        ({"HTTP_PROXY": "http://proxy:3128", "NO_PROXY": "example.com, 127.0.0.1"}, FindingState.FINE),
        ({"HTTPS_PROXY": "http://proxy:3128"}, FindingState.FINE),
    ],
)
async def test_a_proxy_in_the_way(here: Surroundings, variables: dict[str, str], state: FindingState) -> None:
    here.environ |= variables
    finding = await here.find("net.proxy")
    assert finding.state is state
    assert "secret" not in said(finding)


@pytest.mark.parametrize(
    ("date", "state"),
    [
        ("Wed, 01 Jul 2020 09:00:00 GMT", FindingState.WARNING),
        ("Wed, 01 Jul 2099 09:00:00 GMT", FindingState.WARNING),
        ("yesterday", FindingState.DOES_NOT_APPLY),
    ],
)
async def test_a_clock_that_is_wrong(here: Surroundings, date: str, state: FindingState) -> None:
    async with serving(always(Reply(status=401, headers={"Date": date}))) as server:
        here.registry = server.url
        report = await here.examine()
    found = {each.id: each for each in report.findings}
    assert found["net.registry"].state is FindingState.FINE
    assert found["net.clock"].state is state


async def test_a_dead_registry(here: Surroundings) -> None:
    finding = await here.find("net.registry")
    assert finding.state is FindingState.WARNING
    assert "none can be pulled" in said(finding)
