"""The command line and the real built-in engine, from nothing to an answer and back."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from tests.support.gguf import models
from tests.support.program import COMMAND, Program
from tests.support.waiting import wait_until_sync

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# What the scripted model says at the usual temperature.
ANSWERS = r"Hello (from|to) a (tiny|small) model running locally\."


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Iterator[Program]:
    """The program of a user whose engine runs and has the model ``tiny:latest``."""
    llmstack = Program(
        tmp_path_factory.mktemp("home"), {"OLLAMA_HOST": "127.0.0.1:1", "LLMSTACK_ENGINE_CHOICE": "builtin"}
    )
    started = llmstack("engine", "start", "--port", "0")
    assert started.returncode == 0, started.stderr
    try:
        imported = llmstack("import", tiny_model, "tiny")
        assert imported.returncode == 0, imported.stderr
        yield llmstack
    finally:
        stopped = llmstack("engine", "stop", "--force")
    assert (stopped.returncode, stopped.stdout) == (0, "The engine is stopped.\n")


def document(llmstack: Program, *arguments: str | Path) -> Any:
    done = llmstack(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_model_from_start_to_stop(engine: Program) -> None:
    (listed,) = document(engine, "ls")["models"]
    assert (listed["name"], listed["state"], listed["quantization"]) == ("tiny:latest", "inactive", "F16")
    (started,) = document(engine, "start", "tiny", "--keep-alive", "-1", "--ctx", "512")["models"]
    assert (started["name"], started["context_length"]) == ("tiny:latest", 512)
    assert started["expires_at"] > "2200"
    assert document(engine, "ls")["models"][0]["state"] == "active"
    (loaded,) = document(engine, "ps")["models"]
    assert (loaded["busy"], loaded["requests"]) == (False, 0)
    assert engine("stop", "tiny").stdout == "tiny:latest is unloaded.\n"
    assert document(engine, "ps") == {"models": []}


def test_chat(engine: Program) -> None:
    done = engine("chat", "tiny", "Who are you?")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(f"{ANSWERS}\n", done.stdout)
    answer = document(engine, "chat", "tiny", "Who are you?")
    assert re.fullmatch(ANSWERS, answer["answer"])
    assert answer["done_reason"] == "stop"
    assert answer["usage"]["answer_tokens"] in (8, 9)
    engine("stop", "--all")


@pytest.fixture(scope="module")
def endless(engine: Program, endless_model: Path) -> str:
    """A model of the engine that answers until it is unloaded."""
    assert engine("import", endless_model, "endless").returncode == 0
    return "endless:latest"


def wait_until_idle(llmstack: Program, name: str) -> None:
    wait_until_sync(
        lambda: (
            [model["busy"] for model in document(llmstack, "ps")["models"] if model["name"] == name]
            == [False]
        ),
        what=f"{name} answers nobody",
    )


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_ctrl_c_frees_the_model(engine: Program, endless: str) -> None:
    with engine.start("chat", endless, "Count.") as process:
        assert process.stdout
        assert process.stdout.read(8)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate()
    assert (process.returncode, errors) == (130, "")
    wait_until_idle(engine, endless)


def test_a_reader_that_goes_away_frees_the_model(engine: Program, endless: str) -> None:
    with engine.start("chat", endless, "Count.") as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.read(8)
        process.stdout.close()
        errors = process.stderr.read()
    assert (process.returncode, errors) == (141, "")
    wait_until_idle(engine, endless)


@pytest.mark.slow
def test_a_model_that_answers_is_not_removed(engine: Program, endless: str) -> None:
    with engine.start("chat", endless, "Count.") as process:
        assert process.stdout
        assert process.stdout.read(8)
        stopped = document(engine, "stop", endless)["models"]
        assert [model["state"] for model in stopped] == ["stopping"]
        removed = engine("rm", endless, "--yes")
        assert removed.returncode == 1
        assert "is still answering a request" in removed.stderr
        process.kill()
        process.communicate()
    wait_until_sync(lambda: document(engine, "ps") == {"models": []}, what="the model has left")
    assert endless in engine("ls").stdout


def test_import_suggests_a_name_and_rm_takes_it_away(engine: Program, random_model: Path) -> None:
    imported = document(engine, "import", random_model)
    assert imported["size"] >= random_model.stat().st_size
    assert imported["name"] in [model["name"] for model in document(engine, "ls")["models"]]
    (removed,) = document(engine, "rm", imported["name"], "--yes")["removed"]
    assert (removed["name"], removed["freed"]) == (imported["name"], imported["size"])
    assert random_model.exists()
    assert imported["name"] not in [model["name"] for model in document(engine, "ls")["models"]]


def test_an_import_says_that_the_files_template_cannot_be_read(engine: Program, tmp_path: Path) -> None:
    file = models.scripted(tmp_path / "model.gguf", chat_template="{% for message in messages %}{{ message }")
    done = engine("import", file, "unread")
    assert done.returncode == 0, done.stderr
    installed, note = done.stdout.splitlines()
    assert installed.startswith("unread:latest is installed at ")
    assert note.startswith("llama.cpp cannot read the model's Jinja template: ")
    assert "The known template plain answers instead." in note
    assert document(engine, "import", file, "unread")["template_notes"] == note
    assert engine("rm", "unread", "-y").returncode == 0


@pytest.mark.parametrize("content", [b"", b"just text\n" * 100, b"GGUF\x03\x00\x00\x00" + b"\xff" * 64, None])
def test_what_is_no_gguf_is_a_sentence(engine: Program, tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "model.gguf"
    if content is None:
        file.mkdir()
    else:
        file.write_bytes(content)
    done = engine("import", file, "wrong")
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    assert "wrong:latest" not in engine("ls").stdout


def test_a_missing_file_is_a_sentence(engine: Program, tmp_path: Path) -> None:
    done = engine("import", tmp_path / "none.gguf")
    assert (done.returncode, done.stdout) == (1, "")
    assert "none.gguf" in done.stderr


def test_a_relative_path_is_meant_from_where_the_user_is(engine: Program, random_model: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "import", random_model.name, "here", "--json"],
        env={**engine.environment, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        cwd=random_model.parent,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["name"] == "here:latest"
    assert engine("rm", "here", "-y").returncode == 0


def test_the_engine_is_told_apart(engine: Program) -> None:
    (host,) = document(engine, "status")["hosts"]
    process = document(engine, "engine", "status")
    assert host == {
        "url": process["url"],
        "kind": "builtin",
        "server": "builtin",
        "version": process["version"],
        "reachable": True,
    }
    assert psutil.pid_exists(process["pid"])
    assert "built-in engine" in engine("status").stdout


def test_starting_twice_is_starting_once(engine: Program) -> None:
    first = document(engine, "engine", "status")
    assert document(engine, "engine", "start")["pid"] == first["pid"]
    moved = engine("engine", "start", "--port", "0")
    assert moved.returncode == 1
    assert "llmstack engine stop" in moved.stderr


def test_start_and_stop(llmstack: Program) -> None:
    down = llmstack("engine", "status", "--json")
    keys = ("pid", "url", "listening", "version", "started_at", "log", "notice")
    assert (down.returncode, json.loads(down.stdout)) == (1, {"running": False, **dict.fromkeys(keys)})
    assert document(llmstack, "engine", "stop") == {"stopped": False}
    process = document(llmstack, "engine", "start", "--port", "0")
    try:
        assert process["running"]
        assert all(process[key] for key in keys if key != "notice")
        assert llmstack("ls", "--engine", "builtin").stderr.startswith("llmstack: No model is installed")
    finally:
        assert document(llmstack, "engine", "stop") == {"stopped": True}
    wait_until_sync(lambda: not psutil.pid_exists(process["pid"]), what="the engine's process has ended")


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGKILL")
def test_an_engine_that_is_killed_while_it_answers_is_a_sentence(
    llmstack: Program, endless_model: Path
) -> None:
    process = document(llmstack, "engine", "start", "--port", "0")
    host = ("--host", process["url"])
    assert llmstack("import", endless_model, "endless", *host).returncode == 0
    runners = []
    with llmstack.start("chat", "endless", "Count.", *host) as chat:
        assert chat.stdout
        assert chat.stdout.read(8)
        runners = psutil.Process(process["pid"]).children(recursive=True)
        os.kill(process["pid"], signal.SIGKILL)
        _, errors = chat.communicate(timeout=30)
    assert chat.returncode == 1
    assert re.fullmatch(r"llmstack: [^\n]+\n", errors)
    _, alive = psutil.wait_procs(runners, timeout=10)
    assert alive == []
    assert llmstack("engine", "status").returncode == 1
    assert llmstack("ls", *host).returncode == 1


def test_a_port_in_use_is_a_sentence(engine: Program, llmstack: Program) -> None:
    port = document(engine, "engine", "status")["url"].rpartition(":")[2]
    done = llmstack("engine", "start", "--port", port)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"Port {port} of 127.0.0.1 is in use" in done.stderr


def test_without_a_home_that_can_be_written(tmp_path: Path) -> None:
    home = tmp_path / "file"
    home.touch()
    done = Program(home)("engine", "start", "--port", "0")
    assert (done.returncode, done.stdout) == (1, "")
    assert str(home) in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_without_any_environment(engine: Program) -> None:
    """As in `env -i`: no HOME, no PATH, no TERM, no locale."""
    url = document(engine, "engine", "status")["url"]
    done = subprocess.run(
        [*COMMAND, "ls", "--host", url], env={}, capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr
    assert "tiny:latest" in done.stdout


@pytest.mark.parametrize(
    "locale",
    [{"LANG": "C"}, {"LC_ALL": "POSIX"}, {"LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}],
)
def test_in_the_c_locale(engine: Program, locale: dict[str, str]) -> None:
    done = engine.given(**locale)("ls")
    assert done.returncode == 0
    assert "tiny:latest" in done.stdout
