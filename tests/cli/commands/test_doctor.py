"""``llmstack doctor``: as a script and as a person run it."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING

from tests.support.fake_ollama import usual_ollama
from tests.support.scripted_server import serving

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.program import Program

STATES = {"fine", "advice", "warning", "broken", "does not apply"}


async def test_a_script_gets_every_finding(llmstack: Program) -> None:
    async with serving(usual_ollama("a:1")) as server:
        done = await asyncio.to_thread(llmstack, "doctor", "--json", "--host", server.url)
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert (found["status"], found["verdict"]) == ("pass", "OVERALL STATUS: PASS")
    assert {each["state"] for each in found["findings"]} <= STATES
    answers = next(each for each in found["findings"] if each["id"] == "server.answers")
    assert answers == {
        "id": "server.answers",
        "about": server.url,
        "state": "fine",
        "says": f"{server.url} answers: Ollama 0.32.15.",
        "evidence": [],
        "advice": [],
        "command": None,
        "fix": None,
    }


def test_a_dead_host_fails(llmstack: Program) -> None:
    done = llmstack("doctor", "--host", "http://127.0.0.1:1")
    assert done.returncode == 1
    *_, last = done.stdout.splitlines()
    assert last == "OVERALL STATUS: FAIL (server.answers)"
    assert "does not apply" not in done.stdout
    assert "gpu.asleep" in llmstack("doctor", "--all").stdout


def test_the_engine_is_started_by_a_fix(llmstack: Program) -> None:
    assert "No server runs." in llmstack("doctor").stdout
    assert llmstack("engine", "status").returncode == 1
    try:
        done = llmstack("doctor", "--fix", "server.any", "--yes", "--json")
        assert done.returncode == 0, done
        states = {each["id"]: each["state"] for each in json.loads(done.stdout)["findings"]}
        assert (states["server.any"], states["engine.answers"]) == ("fine", "fine")
        assert llmstack("engine", "status").returncode == 0
    finally:
        llmstack("engine", "stop", "--force")


def test_a_fix_without_a_yes_does_nothing(llmstack: Program) -> None:
    done = llmstack("doctor", "--fix", "server.any")
    assert done.returncode == 1
    assert "Start the built-in engine." in done.stderr
    assert "add --yes" in done.stderr
    assert llmstack("engine", "status").returncode == 1


def test_wrong_fixes(llmstack: Program) -> None:
    for words, said in (
        (("--fix", "nothing"), "There is no finding 'nothing'"),
        (("--fix", "net.registry"), "net.registry has no fix"),
        (("--read-only", "--fix", "server.any", "--yes"), "--read-only"),
    ):
        done = llmstack("doctor", *words)
        assert (done.returncode, done.stdout) == (1, ""), words
        assert said in done.stderr
    assert llmstack("doctor", "--yes").returncode == 2


def test_a_report_names_nobody(llmstack: Program, tmp_path: Path) -> None:
    file = tmp_path / "report.md"
    done = llmstack.given(USER="jane")("doctor", "--report", file, "--host", "http://gpu.example.invalid:1")
    assert done.returncode == 1
    report = file.read_text()
    assert "http://HOST:1" in report
    assert str(llmstack.home) not in report
    assert re.search(r"^- Python: 3", report, flags=re.MULTILINE)
    done = llmstack("doctor", "--report", tmp_path / "no" / "folder")
    assert (done.returncode, "cannot be written" in done.stderr) == (1, True)
