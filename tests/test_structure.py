"""What a newcomer relies on: a class name means one thing, and imports lead somewhere."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

import llmstack_tui
from tests.support.imports import Imports


def test_every_class_has_a_name_of_its_own() -> None:
    package = Path(llmstack_tui.__file__).parent
    places = defaultdict[str, list[str]](list)
    for path in package.rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            # Those within a class, such as a widget's messages, are read with its name.
            if isinstance(node, ast.ClassDef):
                places[node.name.lstrip("_")].append(str(path.relative_to(package)))
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert Imports().circles == []


def test_no_test_waits_for_a_time() -> None:
    """Tests wait for conditions (`tests.support.waiting`); what sleeps beside it keeps a pace."""
    tests = Path(__file__).parent
    calls = defaultdict[str, int](int)
    for path in tests.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("asyncio.sleep", "time.sleep"):
                calls[path.relative_to(tests).as_posix()] += 1
    assert calls.pop("support/waiting.py")
    assert calls == {
        "bench/watched_app.py": 2,
        "store/writer.py": 1,
        "support/many_pulls.py": 1,
        "support/registry/answers.py": 1,
        "support/registry/server.py": 1,
    }


def test_tests_touch_nothing_private_of_ours() -> None:
    """ruff finds what is private; each exception is of a library that has no public way, and says so."""
    tests = Path(__file__).parent
    allowed = {
        path.relative_to(tests).as_posix(): found
        for path in tests.rglob("*.py")
        if (found := len(re.findall(r"# noqa: SLF001", path.read_text(encoding="utf-8"))))
        and path != Path(__file__)
    }
    assert allowed == {
        "bench/watched_app.py": 3,
        "reach/counts.py": 1,
        "support/fake_nvml.py": 1,
        "tui/driving.py": 3,
    }
