"""Which English texts the program shows, and which of its strings nobody has marked yet."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from llmstack_tui.base.sentences import Plural
from llmstack_tui.catalog.service import load_catalog
from llmstack_tui.cli.main import COMMANDS
from llmstack_tui.config.table import table
from llmstack_tui.core.wording import catalogue
from llmstack_tui.tui import features

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(__file__).parents[2] / "llmstack_tui"
# What people read through the two faces; the rooms below speak in the sentences of their catalogues.
_FACES = ("tui", "cli")
_PAIRS = {"tr_n", "later_n"}
# Strings of several words for machines: values of a result, formats, scripts, the error of a programmer.
_FOR_MACHINES = {
    "Input, TextArea", "fits alone", "partly on the CPU", "does not fit", "for good", "cpu slow", "file size",
    "temperature 0.2, num_ctx 8192", "pip install -U llmstack-tui", "OpenAI API", "bold underline",
    "complete -c llmstack -e", "not __fish_seen_subcommand_from ", "complete -c llmstack -n ", " -f -a ",
    " of the feature ", " is no ", " cannot be written as JSON", "  llmstack chat ", "ListRow | NewcomerRow",
}  # fmt: skip
_MARKS = {"tr", "later", *_PAIRS}

# Tables that `texts` reads, and calls that fill one, or have no text.
_TABLES = {"CONTEXTS"}
_CALLS = {"bind", "hidden", "movements", "Command", "Feature", "cast", "TypeVar", "import_module", "compile"}

Text = str | tuple[str, str]
"""An English text, or one in singular and plural."""


class Unmarked(NamedTuple):
    """A string that reads like a text for people, and is in no call of `tr`, `later` and their like."""

    path: str
    line: int
    text: str


def texts() -> set[Text]:
    """All texts: of the catalogues of sentences, the tables of keys, commands and settings, and in code.

    And what the entries of the catalog of models are good for.
    """
    found: set[Text] = set()
    for form in catalogue().values():
        found.add((form.one, form.other) if isinstance(form, Plural) else form)
    for title, bindings in features.CONTEXTS.items():
        found.add(title)
        found.update(text for each in bindings for text in (each.description, each.tooltip))
    found.update(each.label for each in features.FEATURES if each.label)
    found.update(command.purpose for command in COMMANDS)
    found.update(setting.purpose for setting in table())
    found.update(entry.good_for for entry in load_catalog().entries)
    for path in PACKAGE.rglob("*.py"):
        found.update(_marked(path))
    # The translation of a singular is also that of the same text where it has no plural.
    return found - {"", "{why}", "{text:raw}"} - {each[0] for each in found if isinstance(each, tuple)}


def _marked(path: Path) -> Iterator[Text]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _MARKS:
            named = [each.value for each in node.args if isinstance(each, ast.Constant)]
            strings = [each for each in named if isinstance(each, str)]
            if node.func.id in _PAIRS and len(strings) == 2:
                yield strings[0], strings[1]
            elif strings and node.func.id not in _PAIRS:
                yield strings[0]


def unmarked() -> Iterator[Unmarked]:
    """The strings of the faces that nobody has marked."""
    for face in _FACES:
        for path in sorted((PACKAGE / face).rglob("*.py")):
            visitor = _Visitor()
            visitor.visit(ast.parse(path.read_text(encoding="utf-8")))
            for line, text in visitor.found:
                yield Unmarked(str(path.relative_to(PACKAGE)), line, text)


class _Visitor(ast.NodeVisitor):
    """Collects strings of several words, but for docstrings, styles, and what is in a table of `texts`."""

    def __init__(self) -> None:
        self.found: list[tuple[int, str]] = []

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):  # A docstring.
            self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in _MARKS | _CALLS:
            self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._assigned(node, [node.target])

    def visit_Assign(self, node: ast.Assign) -> None:
        self._assigned(node, node.targets)

    def _assigned(self, node: ast.Assign | ast.AnnAssign, targets: list[ast.expr]) -> None:
        names = [each.id for each in targets if isinstance(each, ast.Name)]
        if not any(name.endswith("CSS") or name in _TABLES for name in names) and node.value is not None:
            self.visit(node.value)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str) and _reads_like_text(node.value):
            self.found.append((node.lineno, node.value))


def _reads_like_text(text: str) -> bool:
    words = [word for word in text.split() if any(map(str.isalpha, word))]
    # Styles ("bold $primary"), selectors and names of actions are for machines.
    for_machines = text in _FOR_MACHINES or any(
        mark in text for mark in ("$", "#", "act_on(", "_(", "&", "%", "?P")
    )
    return len(words) > 1 and not for_machines
