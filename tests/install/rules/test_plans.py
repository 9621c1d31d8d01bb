"""What is done on which machine: the ways, their order, their steps, and what stands in their way."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.core.wording import text
from llmstack_tui.install.rules.archive import archive_plan, removal_plan
from llmstack_tui.install.rules.engine import command, engine_plan
from llmstack_tui.install.rules.exact import exact
from llmstack_tui.install.rules.releases import assets, checksums, names, newest_first, script, version_of
from llmstack_tui.install.rules.ways import plans
from llmstack_tui.install.types import InstallPlan, Python, Record, RunProgram, ThisMachine, Versions
from tests.install.machines import FOLDER, GB, PYTHON, URL, machine, release

NONE = Versions()


def shown(plan: InstallPlan) -> list[str]:
    """Each step in words, with what it does exactly."""
    return [" ".join((text(each.does), *exact(each.act))) for each in plan.steps]


def commands(plan: InstallPlan) -> list[str]:
    return [" ".join(each.act.argv) for each in plan.steps if isinstance(each.act, RunProgram)]


@pytest.mark.parametrize(
    ("where", "ways"),
    [
        (machine(), ["archive", "engine"]),
        (machine(has_sudo=True), ["script", "archive", "engine"]),
        (machine(is_root=True), ["script", "archive", "engine"]),
        (machine("Darwin", arch="arm64"), ["app", "engine"]),
        (machine("Darwin", arch="arm64", has_brew=True), ["brew", "app", "engine"]),
        (machine("FreeBSD"), ["engine"]),
    ],
)
def test_the_ways_of_a_machine(where: ThisMachine, ways: list[str]) -> None:
    assert [each.way for each in plans(where, release(), NONE)] == ways


def test_without_a_network_the_engine_comes_first() -> None:
    why = (Sentence("registry.too_late", {"host": "example.org"}),)
    engine, archive = plans(machine(), None, NONE, why)
    assert (engine.way, engine.problems) == ("engine", ())
    assert text(*archive.problems) == "example.org did not answer in time."


def test_an_archive_with_a_service_of_the_user() -> None:
    plan = archive_plan(machine(has_user_services=True), release(), NONE)
    assert not plan.problems
    assert commands(plan) == [
        "systemctl --user daemon-reload",
        "systemctl --user enable --now ollama.service",
    ]
    assert shown(plan)[0] == (
        "Download ollama-linux-amd64.tar.zst: 2.0\N{NO-BREAK SPACE}GB. "
        f"https://example.org/v0.33.0/archive sha256 {'a' * 64}"
    )
    assert shown(plan)[2] == (
        f"Use version 0.33.0 from now on. ln -sfn {FOLDER}/versions/0.33.0 {FOLDER}/current"
    )
    assert not any(each.needs_root for each in plan.steps)
    assert plan.record == Record(way="archive")


def test_another_version_restarts_the_service_and_remembers_the_first() -> None:
    before = Versions(kept=("0.32.1",), current="0.32.1", record=Record(held="", way="archive"))
    where = machine(has_user_services=True, has_unit=True, has_command=True, server=True)
    plan = archive_plan(where, release(), before)
    assert commands(plan) == ["systemctl --user stop ollama.service", "systemctl --user start ollama.service"]
    assert plan.record == Record(previous="0.32.1", way="archive")
    assert text(*plan.back) == "`llmstack install ollama --rollback` goes back to 0.32.1."


def test_a_version_that_is_kept_is_not_downloaded() -> None:
    before = Versions(kept=("0.33.0", "0.32.1"), current="0.32.1", is_running=True)
    plan = archive_plan(machine(has_command=True), release(), before)
    assert [type(each.act).__name__ for each in plan.steps] == ["StopOllama", "Link", "StartOllama"]
    assert plan.download is None


def test_a_server_of_somebody_else_is_left_alone() -> None:
    plan = archive_plan(machine(server=True), release(), NONE)
    assert [type(each.act).__name__ for each in plan.steps] == ["Fetch", "Unpack", "Link", "Link"]
    assert text(*plan.notes) == f"Another server answers at {URL}: end it before you run this one."


@pytest.mark.parametrize(
    ("where", "wanted", "says"),
    [
        (machine(has_zstd=False), release(), "packed with zstd, which is missing"),
        (machine(free=3 * GB), release(), "8.0\N{NO-BREAK SPACE}GB of disk are needed, and 3.0"),
        (machine(arch=""), release(), "no Ollama for this processor"),
        (machine(arch="arm64", jetpack="6"), release(), "no file for this machine"),
        (machine(not_writable=(Sentence("library.disk_read_only"),)), release(), "read-only"),
    ],
)
def test_what_stands_in_the_way(where: ThisMachine, wanted: object, says: str) -> None:
    assert says in text(*archive_plan(where, release(), NONE).problems)


def test_the_script_is_not_run_where_it_would_fail_in_the_middle() -> None:
    plan = plans(machine(is_root=True, has_zstd=False), release(), NONE)[0]
    assert "packed with zstd, which is missing" in text(*plan.problems)


@pytest.mark.parametrize("is_root", [True, False])
def test_the_script_is_shown_and_asks_for_a_password_in_the_terminal(is_root: bool) -> None:
    plan = plans(machine(has_sudo=True, is_root=is_root, has_services=True), release(), NONE)[0]
    assert plan.script == release().script_text
    assert commands(plan) == [f"env OLLAMA_VERSION=0.33.0 sh {FOLDER}/install.sh"]
    assert plan.needs_password is not is_root
    assert [each.needs_root for each in plan.steps] == [False, True, False]
    assert "published with version 0.33.0" in text(*plan.notes)


def test_the_app_that_is_there_is_set_aside() -> None:
    there = Path("/Applications/Ollama.app/Contents/Resources/ollama")
    plan = plans(machine("Darwin", arch="arm64", ollama=there), release(), NONE)[0]
    kinds = [type(each.act).__name__ for each in plan.steps]
    assert kinds == ["Fetch", "RunProgram", "Move", "Move", "RunProgram", "Wait"]


def test_all_of_the_version_in_use_is_removed_and_of_another_its_folder_alone() -> None:
    versions = Versions(kept=("0.33.0", "0.32.1"), current="0.33.0", record=Record(previous="0.32.1"))
    where = machine(has_user_services=True, has_unit=True, has_command=True)
    whole = removal_plan(where, versions, "0.33.0")
    assert commands(whole) == ["systemctl --user disable --now ollama.service"]
    assert len(whole.steps) == 5
    other = removal_plan(where, versions, "0.32.1")
    assert shown(other) == [f"Remove {FOLDER}/versions/0.32.1. rm -r {FOLDER}/versions/0.32.1"]
    assert other.record == Record()


@pytest.mark.parametrize(
    ("python", "argv"),
    [
        (PYTHON, "/venv/bin/python -m pip install llmstack-tui[engine]"),
        (
            Python(program="/usr/bin/python3", prefix="/usr", base="/usr"),
            "/usr/bin/python3 -m pip install --user llmstack-tui[engine]",
        ),
        (
            Python(program="p", prefix="/x", base="/usr", has=frozenset({"pipx_metadata.json"})),
            "pipx runpip llmstack-tui install llmstack-tui[engine]",
        ),
        (
            Python(program="p", prefix="/x", base="/usr", has=frozenset({"uv-receipt.toml"}), has_pip=False),
            "uv tool install llmstack-tui[engine]",
        ),
        (
            Python(program="/v/p", prefix="/v", base="/usr", has_pip=False, has_uv=True),
            "uv pip install --python /v/p llmstack-tui[engine]",
        ),
        # Inside an environment, the mark is that of the Python below.
        (
            Python(program="/v/p", prefix="/v", base="/usr", has=frozenset({"EXTERNALLY-MANAGED"})),
            "/v/p -m pip install llmstack-tui[engine]",
        ),
    ],
)
def test_the_engine_is_added_as_llmstack_was_installed(python: Python, argv: str) -> None:
    assert " ".join(command(python)) == argv
    plan = engine_plan(machine(python=python, engine_missing="It is missing."))
    assert commands(plan) == [argv]


def test_the_system_s_own_python_is_left_alone() -> None:
    own = Python(program="p", prefix="/usr", base="/usr", has=frozenset({"EXTERNALLY-MANAGED"}))
    plan = engine_plan(machine(python=own, engine_missing="It is missing."))
    assert "pipx install 'llmstack-tui[engine]'" in text(*plan.problems)


def test_checksums_and_files_of_a_release() -> None:
    sums = checksums(
        f"{'a' * 64}  ./ollama-linux-amd64.tar.zst\n{'b' * 64} *ollama-linux-amd64-rocm.tgz\n"
        f"{'c' * 64}  ../../etc/passwd\nnot a line\n{'d' * 64}  ./install.sh\n"
    )
    assert sums == {
        "ollama-linux-amd64.tar.zst": "a" * 64,
        "ollama-linux-amd64-rocm.tgz": "b" * 64,
        "install.sh": "d" * 64,
    }
    found = assets(machine(makers=("AMD",)), sums, "https://example.org/v1")
    assert [each.name for each in found] == ["ollama-linux-amd64.tar.zst", "ollama-linux-amd64-rocm.tgz"]
    assert names(machine("Darwin")) == ("Ollama-darwin",)
    assert (
        script(sums, "https://example.org/v1", "", "https://usual").url == "https://example.org/v1/install.sh"
    )
    assert script({}, "https://example.org/v1", "", "https://usual").sha256 == ""
    assert script(sums, "https://example.org/v1", "https://own", "https://usual").url == "https://own"


@pytest.mark.parametrize("text", ["", "0", "../1.2", "1.2/3", "1.2;id", "v1.2.3 x", "1.2.3-" + "a" * 30])
def test_no_version(text: str) -> None:
    assert version_of(text) == ""


def test_versions_in_their_order() -> None:
    assert version_of("v0.33.0") == "0.33.0"
    ordered = newest_first(["0.9.1", "0.33.0-rc1", "0.33.0", "0.10.0"])
    assert ordered == ("0.33.0", "0.33.0-rc1", "0.10.0", "0.9.1")
    assert all(one != other for one, other in pairwise(ordered))
