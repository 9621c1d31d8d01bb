"""Textual's private names are not ours: neither used, nor taken by accident for something of our own."""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import pkgutil
import textwrap
from typing import TYPE_CHECKING

import pytest
from textual.dom import DOMNode

import llmstack_tui.tui

if TYPE_CHECKING:
    from collections.abc import Iterator

# Written into every class by Textual itself.
_BY_TEXTUAL = {
    "_computes",
    "_css_type_name",
    "_css_type_names",
    "_decorated_handlers",
    "_inherit_bindings",
    "_inherit_component_classes",
    "_inherit_css",
    "_merged_bindings",
    "_reactives",
}


def our_classes() -> Iterator[type[DOMNode]]:
    for module in pkgutil.walk_packages(llmstack_tui.tui.__path__, "llmstack_tui.tui."):
        for value in vars(importlib.import_module(module.name)).values():
            if inspect.isclass(value) and issubclass(value, DOMNode) and value.__module__ == module.name:
                yield value


@functools.cache  # All have the same few bases of Textual, which are the longest classes.
def private_names(of: type) -> frozenset[str]:
    """The names with one underscore that a class defines, and those that its methods set on ``self``."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(of)))
    stored = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    }
    names = stored | set(vars(of))
    return frozenset(name for name in names if name.startswith("_") and not name.startswith("__"))


@pytest.mark.parametrize("ours", [*our_classes()], ids=lambda each: each.__name__)
def test_no_private_name_of_textual_is_taken(ours: type[DOMNode]) -> None:
    theirs: set[str] = set()
    for base in ours.__mro__:
        if base.__module__.startswith("textual."):
            theirs |= private_names(base)
    assert private_names(ours) & theirs - _BY_TEXTUAL == set()
