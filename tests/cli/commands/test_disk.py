"""``llmstack disk``: as a script and as a person run it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from tests.support.folders import blob, manifest, tree, write

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.program import Program

ONE = "registry.ollama.ai/library/one/latest"

# The program two hours from now, when nothing that a test has made is young any more.
LATER = """
import sys, time
now = time.time
time.time = lambda: now() + 7200
from llmstack_tui.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


def later(llmstack: Program, *arguments: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-c", LATER, *arguments],
        env=llmstack.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


@pytest.fixture
def models(llmstack: Program) -> Path:
    """The engine's folder, with a model and something that no model uses."""
    folder = llmstack.home / ".local" / "share" / "llmstack" / "models"
    write(folder, ONE, manifest(folder, b"1" * 2000, config=b"{}"))
    blob(folder, b"nobody's" * 100)
    return folder


def test_a_script_gets_every_figure(llmstack: Program, models: Path) -> None:
    done = llmstack("disk", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    (folder,) = json.loads(done.stdout)["folders"]
    assert folder["path"] == str(models)
    assert (folder["own"], folder["size"], folder["unreadable"]) == (True, 2802, [])
    assert folder["models"] == [
        {
            "name": "one:latest",
            "size": 2002,
            "shared": 0,
            "alone": 2002,
            "missing": 0,
            "changed": 0,
            "last_used": None,
            "unusable": None,
        }
    ]
    (leftover,) = folder["leftovers"]
    assert (leftover["kind"], leftover["size"]) == ("orphan", 800)
    assert leftover["kept"] == "changed within the last hour"


def test_a_person_sees_models_and_what_nobody_uses(llmstack: Program, models: Path) -> None:
    done = llmstack("disk")
    assert done.returncode == 0
    assert "one:latest" in done.stdout
    assert "changed within the last hour" in done.stdout
    assert str(models) in done.stderr
    assert "--clean" not in done.stderr


def test_ollamas_models_are_shown_and_never_touched(llmstack: Program, models: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "ollama"
    write(theirs, "registry.ollama.ai/library/two/7b", manifest(theirs, b"2" * 500))
    blob(theirs, b"left over")
    before = tree(theirs)
    given = llmstack.given(OLLAMA_MODELS=str(theirs))

    folders = json.loads(given("disk", "--json").stdout)["folders"]
    assert [folder["own"] for folder in folders] == [True, False]
    assert [leftover["kept"] for leftover in folders[1]["leftovers"]] == ["Ollama's own"]
    assert given("disk", "--clean", "--yes").returncode == 0
    assert tree(theirs) == before
    assert models.exists()


def test_nothing_goes_that_is_young(llmstack: Program, models: Path) -> None:
    before = tree(models)
    done = llmstack("disk", "--clean", "--yes")
    assert done.returncode == 0
    assert "nothing to remove" in done.stderr
    assert tree(models) == before


def test_without_a_terminal_and_without_yes_nothing_goes(llmstack: Program, models: Path) -> None:
    done = later(llmstack, "disk", "--clean")
    assert done.returncode == 1
    assert "no terminal to ask on" in done.stderr
    assert len(list((models / "blobs").iterdir())) == 3


def test_yes_removes_what_was_shown(llmstack: Program, models: Path) -> None:
    assert "`llmstack disk --clean` frees 800 B" in later(llmstack, "disk").stderr

    done = later(llmstack, "disk", "--clean", "--yes", "--json")

    assert done.returncode == 0
    document = json.loads(done.stdout)
    assert document["folder"] == str(models)
    assert [(each["kind"], each["size"]) for each in document["removed"]] == [("orphan", 800)]
    left = json.loads(later(llmstack, "disk", "--json").stdout)["folders"][0]
    assert (left["leftovers"], left["size"]) == ([], 2002)


@pytest.mark.parametrize(("answer", "code", "left"), [("y\n", 0, 2), ("n\n", 1, 3), ("\n", 1, 3)])
def test_a_person_is_asked(llmstack: Program, models: Path, answer: str, code: int, left: int) -> None:
    with llmstack.in_terminal("disk", "--clean", command=(sys.executable, "-c", LATER)) as screen:
        screen.wait_for("Remove 1 file of 800 B? [y/N]")
        assert "orphan" in screen.written
        screen.type(answer)
        assert screen.wait_exit() == code
    assert len(list((models / "blobs").iterdir())) == left


def test_read_only_removes_nothing(llmstack: Program, models: Path) -> None:
    done = later(llmstack, "disk", "--clean", "--yes", "--read-only")
    assert done.returncode == 1
    assert "forbids" in done.stderr
    assert len(list((models / "blobs").iterdir())) == 3


def test_a_manifest_that_cannot_be_read_is_named(llmstack: Program, models: Path) -> None:
    broken = write(models, "registry.ollama.ai/library/broken/latest", b"{")
    assert str(broken) in later(llmstack, "disk").stderr
    done = later(llmstack, "disk", "--clean", "--yes")
    assert done.returncode == 0
    assert f"while {broken} cannot be read" in done.stderr
    assert len(list((models / "blobs").iterdir())) == 3


def test_a_download_that_goes_on_is_not_disturbed(llmstack: Program, models: Path) -> None:
    with FileLock(models / ".downloads.lock"):
        done = later(llmstack, "disk", "--clean", "--yes")
    assert done.returncode == 1
    assert "is under way" in done.stderr
    assert len(list((models / "blobs").iterdir())) == 3


def test_an_answer_without_a_question_is_wrong_usage(llmstack: Program) -> None:
    done = llmstack("disk", "--yes")
    assert done.returncode == 2
    assert "--clean" in done.stderr


def test_a_folder_that_cannot_be_read_is_a_sentence(llmstack: Program) -> None:
    folder = llmstack.home / ".local" / "share" / "llmstack" / "models"
    folder.parent.mkdir(parents=True)
    folder.write_bytes(b"")
    done = llmstack("disk")
    assert done.returncode == 1
    assert "cannot be read" in done.stderr


def damaged(models: Path) -> Path:
    """A blob of the model that is not what its name says."""
    path = models / "blobs" / str(blob(models, b"1" * 2000)["digest"]).replace(":", "-")
    path.write_bytes(b"2" * 2000)
    return path


def test_a_verification_names_what_is_damaged_and_fails(llmstack: Program, models: Path) -> None:
    done = llmstack("disk", "--verify")
    assert (done.returncode, done.stderr) == (0, "")
    assert "nothing is damaged" in done.stdout
    path = damaged(models)
    done = llmstack("disk", "--verify")
    assert done.returncode == 1
    assert f"one:latest: {path}" in done.stdout
    assert "`llmstack pull one:latest`" in done.stdout
    (folder,) = json.loads((done := llmstack("disk", "--verify", "--json")).stdout)["folders"]
    assert done.returncode == 1
    assert (folder["files"], folder["size"]) == (3, 2802)
    assert [(each["path"], each["models"]) for each in folder["damaged"]] == [(str(path), ["one:latest"])]


def test_a_verification_cleans_nothing_up(llmstack: Program, models: Path) -> None:
    assert llmstack("disk", "--verify", "--clean").returncode == 2
    assert llmstack("--read-only", "disk", "--verify").returncode == 0


def test_what_is_no_manifest_is_named_and_removed(llmstack: Program, models: Path) -> None:
    stray = write(models, "moved away", b"x")
    said = llmstack("disk").stderr
    assert f"`llmstack disk --remove '{stray}'` removes it." in said
    assert llmstack("disk", "--remove", str(stray)).returncode == 1
    assert llmstack("disk", "--remove", str(models / "manifests" / ONE), "-y").returncode == 1
    assert (llmstack("disk", "--remove", str(stray), "-y").returncode, stray.exists()) == (0, False)
    assert (models / "manifests" / ONE).exists()
