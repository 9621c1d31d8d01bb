"""Tests with the newest libraries, whatever the bounds in pyproject.toml: weekly in CI.

It makes environments of its own in ``.newest/``. When checks fail with all at their newest, each library
beyond its bound is tried alone, so that the report names the one that breaks something. What is newest within
the bounds is what the usual tests run with.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".newest"
CHECKS = (("pytest", "-q"), ("mypy",), ("lint-imports",), ("ruff", "check", "."))


def requirements() -> dict[str, str]:
    """Every direct dependency with bounds, so none of ``clients``: its requirement by its name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [
        each
        for extra, those in project["optional-dependencies"].items()
        if extra != "clients"
        for each in those
    ]
    named = {name_of(each): each for each in (*project["dependencies"], *extras)}
    return {name: each for name, each in named.items() if name != project["name"]}


def name_of(requirement: str) -> str:
    return re.split(r"[^\w.-]", requirement, maxsplit=1)[0].lower()


def upper_bound(requirement: str) -> str | None:
    """``"<9"`` of ``"textual>=8.2,<9; marker"``."""
    found = re.search(r"<=?[\w.]+", requirement.partition(";")[0])
    return found[0] if found else None


def unbounded(requirement: str) -> str:
    """The requirement without its upper bound."""
    versions, semicolon, marker = requirement.partition(";")
    return re.sub(r",\s*<=?[\w.]+", "", versions) + semicolon + marker


def is_beyond(version: str, bound: str) -> bool:
    """Whether a version is not below a bound such as ``"<9"`` or ``"<0.5"``."""
    limit = [int(part) for part in re.findall(r"\d+", bound)]
    return [int(part) for part in re.findall(r"\d+", version)[: len(limit)]] >= limit


def main() -> int:
    known = requirements()
    python = environment("all", list(map(unbounded, known.values())))
    installed = versions(python)
    beyond = {
        name: installed[name]
        for name, each in known.items()
        if name in installed and is_beyond(installed[name], upper_bound(each) or "<0")
    }
    said = ", ".join(f"{name} {version} ({upper_bound(known[name])})" for name, version in beyond.items())
    report("notice", f"Beyond the bounds of pyproject.toml: {said or 'nothing'}.")
    failed = failures(python)
    if not failed:
        report("notice", f"All checks pass with them.{' The bounds can be raised.' if beyond else ''}")
        return 0
    report("error", f"With the newest libraries these fail: {', '.join(failed)}. Beyond the bounds: {said}.")
    for name, version in beyond.items():
        others = [f"{name}=={version}" if other == name else each for other, each in known.items()]
        if alone := failures(environment(name, others)):
            report("error", f"{name} {version} alone breaks: {', '.join(alone)}.")
    return 1


def environment(name: str, wanted: list[str]) -> Path:
    """The interpreter of a new environment with ``wanted`` and this package in it."""
    folder = FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / "bin" / "python"
    pip = (str(python), "-m", "pip", "install", "-q")
    subprocess.run([*pip, "--upgrade", *wanted], check=True)
    # Without its dependencies: their bounds would be enforced.
    subprocess.run([*pip, "--no-deps", "-e", str(ROOT)], check=True)
    return python


def versions(python: Path) -> dict[str, str]:
    listed = subprocess.run(
        [python, "-m", "pip", "list", "--format=freeze"], check=True, capture_output=True, encoding="utf-8"
    )
    pairs = (line.partition("==") for line in listed.stdout.splitlines() if "==" in line)
    return {name.lower(): version for name, _, version in pairs}


def failures(python: Path) -> list[str]:
    """The checks that fail with the libraries of an environment."""
    return [
        check[0]
        for check in CHECKS
        if subprocess.run([python.with_name(check[0]), *check[1:]], cwd=ROOT, check=False).returncode
    ]


def report(level: str, text: str) -> None:
    """Write a line that GitHub shows beside the run, and puts on its summary."""
    print(f"::{level}::{text}" if os.environ.get("GITHUB_ACTIONS") else text, flush=True)
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(summary).open("a") as file:
            file.write(f"- {text}\n")


if __name__ == "__main__":
    sys.exit(main())
