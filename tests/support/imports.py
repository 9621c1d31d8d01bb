"""The graph of the package's own imports, deferred and typing ones too, and the size of its files."""

from __future__ import annotations

import ast
import importlib.util
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import llmstack_tui

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

PACKAGE = Path(llmstack_tui.__file__).parent
_NAME = PACKAGE.name
_WITH_DOCSTRING = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


class Imports:
    """Who imports whom: by name, without the package's own, "core.stack"; and a way to look at it."""

    def __init__(self) -> None:
        files = {_module(path): path for path in sorted(PACKAGE.rglob("*.py"))}
        self.by_module = {
            name: {each for each in _imported(name, path, files.keys()) if each != name}
            for name, path in files.items()
        }

    @cached_property
    def _reached(self) -> dict[str, set[str]]:
        reached: dict[str, set[str]] = {}
        for name in self.by_module:
            seen, to_do = set[str](), [name]
            while to_do:
                new = self.by_module[to_do.pop()] - seen
                seen |= new
                to_do += new
            reached[name] = seen
        return reached

    @cached_property
    def circles(self) -> list[list[str]]:
        """The modules that import each other, directly or by others; the largest circle first."""
        found = {
            tuple(sorted(each for each in reached if name in self._reached[each]))
            for name, reached in self._reached.items()
            if name in reached
        }
        return sorted((list(circle) for circle in found), key=lambda circle: (-len(circle), circle))

    @cached_property
    def longest_chain(self) -> list[str]:
        """From the top down; of a circle, which has no longest chain, only the module that is met first."""
        circle_of = {name: frozenset(circle) for circle in self.circles for name in circle}
        longest: dict[str, list[str]] = {}

        def chain(name: str) -> list[str]:
            circle = circle_of.get(name, frozenset((name,)))
            key = min(circle)
            if key not in longest:
                below = {each for one in circle for each in self.by_module[one]} - circle
                longest[key] = max((chain(each) for each in sorted(below)), key=len, default=[])
            return [name, *longest[key]]

        return max(map(chain, self.by_module), key=len)


def _module(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imported(module: str, path: Path, modules: Collection[str]) -> Iterator[str]:
    """What a file imports of the package: also by name, as a string that is exactly a module's."""
    package = f"{_NAME}.{module}" if path.name == "__init__.py" else f"{_NAME}.{module}".rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            names = [f"{base}.{alias.name}" for alias in node.names]
            names = [name if name.removeprefix(f"{_NAME}.") in modules else base for name in names]
        elif isinstance(node, ast.Call):
            names = [
                each.value
                for each in node.args
                if isinstance(each, ast.Constant) and isinstance(each.value, str)
            ]
        else:
            continue
        yield from (
            name.removeprefix(_NAME).removeprefix(".")
            for name in names
            if name.startswith(_NAME) and name.removeprefix(_NAME).removeprefix(".") in modules
        )


def lines_by_file() -> dict[str, int]:
    """All lines of each file."""
    return {
        str(path.relative_to(PACKAGE)): len(path.read_text().splitlines()) for path in PACKAGE.rglob("*.py")
    }


def logical_lines() -> int:
    """Lines of all files without blank ones, comments and docstrings."""
    return sum(_logical_lines(path.read_text(encoding="utf-8")) for path in PACKAGE.rglob("*.py"))


def _logical_lines(source: str) -> int:
    documentation: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, _WITH_DOCSTRING) and ast.get_docstring(node, clean=False) is not None:
            first = node.body[0]
            documentation.update(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    return sum(
        number not in documentation and bool(line.strip()) and not line.strip().startswith("#")
        for number, line in enumerate(source.split("\n"), 1)
    )
