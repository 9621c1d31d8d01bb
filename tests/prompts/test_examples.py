"""The examples in the documentation of the Python interface run as they stand."""

from __future__ import annotations

import doctest
import importlib
from typing import TYPE_CHECKING

import pytest

from llmstack_tui import prompts

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", ["formatting", "truncation", "queries", "responses"])
def test_examples(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(f"llmstack_tui.prompts.{name}")
    found = doctest.testmod(module)
    assert found.failed == 0
    assert found.attempted > 1


def test_every_function_of_the_interface_has_an_example() -> None:
    functions = [getattr(prompts, name) for name in prompts.__all__ if name.islower()]
    assert len(functions) == 5
    assert all(">>>" in str(each.__doc__) for each in functions)
