"""Every direct dependency has its bounds, and what CI makes of them when it tests the newest."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from tests import newest

WORKFLOWS = Path(__file__).parents[1] / ".github" / "workflows"


def test_all_are_found() -> None:
    assert {"textual", "httpx", "xllamacpp", "starlette", "pytest", "ruff"} <= newest.requirements().keys()
    assert "llmstack-tui" not in newest.requirements()


@pytest.mark.parametrize(("name", "requirement"), newest.requirements().items())
def test_each_begins_with_a_version_and_ends_below_a_major_one(name: str, requirement: str) -> None:
    assert re.match(rf"{re.escape(name)}>=\d[\d.]*,<\d+(;|$)", requirement)
    try:
        installed = version(name)
    except PackageNotFoundError:
        pytest.skip("has no wheel here")
    bound = newest.upper_bound(requirement)
    assert bound is not None
    assert not newest.is_beyond(installed, bound)


@pytest.mark.parametrize(
    ("requirement", "free", "bound"),
    [
        ("textual>=8.2,<9", "textual>=8.2", "<9"),
        ("uvloop>=0.22,<1; sys_platform != 'win32'", "uvloop>=0.22; sys_platform != 'win32'", "<1"),
        ("a>=1; python_version < '4'", "a>=1; python_version < '4'", None),
    ],
)
def test_a_bound_is_taken_off(requirement: str, free: str, bound: str | None) -> None:
    assert (newest.unbounded(requirement), newest.upper_bound(requirement)) == (free, bound)


@pytest.mark.parametrize(
    ("installed", "bound", "expected"),
    [
        ("8.9.9", "<9", False),
        ("9.0", "<9", True),
        ("10", "<9", True),
        ("0.9.1", "<1", False),
        ("2027.1.5", "<2028", False),
        ("1.5.0rc1", "<1.5", True),
        ("1.4.9", "<1.5", False),
    ],
)
def test_beyond_a_bound(installed: str, bound: str, expected: bool) -> None:
    assert newest.is_beyond(installed, bound) is expected


def test_ci_tests_the_newest_every_week() -> None:
    text = (WORKFLOWS / "newest.yml").read_text()
    assert re.search(r'cron: "\d+ \d+ \* \* [0-6]"', text)
    assert "python -m tests.newest" in text


def test_ci_runs_the_clients_of_others_in_exact_versions_every_week() -> None:
    text = (WORKFLOWS / "clients.yml").read_text()
    assert re.search(r'cron: "\d+ \d+ \* \* [0-6]"', text)
    assert "pytest -W default tests/clients" in text
    project = tomllib.loads((newest.ROOT / "pyproject.toml").read_text())["project"]
    clients = project["optional-dependencies"]["clients"]
    assert all(re.fullmatch(r"[\w-]+(\[\w+\])?==[\d.]+", each) for each in clients)
    assert newest.requirements().keys() & {newest.name_of(each) for each in clients} == {"openai"}


def test_a_failure_names_the_library(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With textual 9 out, and breaking something; httpx 1 is out, too, and breaks nothing."""
    made: dict[Path, list[str]] = {}

    def environment(name: str, wanted: list[str]) -> Path:
        made[Path(name)] = wanted
        return Path(name)

    def versions(_: Path) -> dict[str, str]:
        return {**dict.fromkeys(newest.requirements(), "0"), "textual": "9.1", "httpx": "1.0"}

    def failures(python: Path) -> list[str]:
        return ["pytest"] if {"textual>=8.2", "textual==9.1"} & set(made[python]) else []

    for function in (environment, versions, failures):
        monkeypatch.setattr(newest, function.__name__, function)
    assert newest.main() == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "Beyond the bounds of pyproject.toml: textual 9.1 (<9), httpx 1.0 (<1)."
    assert said[1].startswith("With the newest libraries these fail: pytest.")
    assert said[2:] == ["textual 9.1 alone breaks: pytest."]
