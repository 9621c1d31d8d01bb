"""What a newcomer relies on: a class name means one thing, and imports lead somewhere."""

from __future__ import annotations

import ast
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
