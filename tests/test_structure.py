"""What a newcomer relies on: a class name means one thing, and imports lead somewhere."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import llmstack_tui
from tests.support.imports import Imports


def test_every_class_has_a_name_of_its_own() -> None:
    names = Counter(  # those within a class, such as a widget's messages, are read with its name
        node.name.lstrip("_")
        for path in Path(llmstack_tui.__file__).parent.rglob("*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef)
    )
    assert not [name for name, number in names.items() if number > 1]


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert Imports().circles == []
