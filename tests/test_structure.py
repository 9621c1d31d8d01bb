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
        if ".sleep" not in (text := path.read_text(encoding="utf-8")):
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("asyncio.sleep", "time.sleep"):
                calls[path.relative_to(tests).as_posix()] += 1
    assert calls.pop("support/waiting.py")
    assert calls == {
        "bench/log.py": 1,
        "bench/talk_app.py": 1,
        "bench/watched_app.py": 2,
        "store/writer.py": 1,
        "support/many_pulls.py": 1,
        "support/registry/answers.py": 2,
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


def test_text_reaches_the_terminal_by_a_few_ways_which_make_it_harmless() -> None:
    """What draws or prints beside them would have to think of every name that a server may make up."""
    package = Path(llmstack_tui.__file__).parent
    found = defaultdict[str, set[str]](set)
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and (way := _way_to_the_terminal(ast.unparse(node.func))):
                found[way].add(path.relative_to(package).as_posix())
    assert found == {
        "Content": {"tui/draw/text.py"},
        "Segment": {"tui/draw/text.py"},
        "notify": {"tui/base.py"},
        "copy_to_clipboard": {"tui/base.py"},
        # A child's standard error is a pipe to the engine.
        "print": {"cli/output.py", "engine/runners/confinement.py"},
        # The first line of the engine's process is JSON for the one that started it.
        "stdout": {"engine/process/server.py", "tui/program.py"},
        "stderr": {"cli/output.py", "tui/program.py"},
    }


def _way_to_the_terminal(called: str) -> str:
    """The class or stream if such a call draws or prints a text, else ""."""
    if re.fullmatch(r"Content(\.\w+)?", called):
        return "Content"
    if found := re.fullmatch(r"sys\.(?:__)?(stdout|stderr)(?:__)?(?:\.buffer)?\.write", called):
        return found[1]
    last = called.rpartition(".")[2]
    return last if last in ("Segment", "notify", "copy_to_clipboard", "print", "from_markup") else ""
