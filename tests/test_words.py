"""One verb each for load and unload, wherever a person reads (see "Words" in CONTRIBUTING)."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import llmstack_tui

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(llmstack_tui.__file__).parent
# These speak of servers alone, or of answers, which are started and stopped.
ABOUT_SERVERS = {"chat", "install", "service", "talk", "variables"}
DOCUMENTS = (
    ROOT / "tui" / "help.txt",
    *(page for page in (ROOT / "guide" / "en").glob("*.md") if page.stem not in ABOUT_SERVERS),
    ROOT / "guide" / "changelog.md",
    ROOT.parent / "README.md",
)
MODULES = sorted(
    file
    for file in {*(ROOT / "tui").rglob("*.py"), *(ROOT / "cli").rglob("*.py"), *ROOT.rglob("wording.py")}
    | {ROOT / "config" / "settings.py"}
    if not ABOUT_SERVERS & {*file.relative_to(ROOT).with_suffix("").parts}
)

_OTHER_VERBS = re.compile(r"(?<![.\w\"])(?:de)?activat(?:e[sd]?|ing|ion)\b(?![\".])", re.IGNORECASE)
_START_OR_STOP = re.compile(r"(?<![.\w\"])(?:start(?:s|ed|ing)?|stop(?:s|ped)?)\b(?!\")", re.IGNORECASE)
# Servers, programs, downloads and readings are started and stopped; models are not.
_OF_OTHERS = (
    r"`[^`]*`",
    r"llmstack (?:engine )?(?:start|stop)\b",
    r"(?:start|stop)\w* (?:or stop )?(?:it (?:again )?with|it first|Ollama|reading|the time|`llmstack guard)",
    r"(?:start|stop)\w* (?:or stop )?(?:the|an) (?:built-in )?(?:engine|server)",
    r"(?:engine|Ollama|llmstack|dashboard|\{host\})(?: was| is| has| did not| was not)? (?:start|stop)\w*",
    r"(?:its|next|last|the) start\b",
    r"^It (?:can be started|did not start)|^Starting$|\(v: stop\)|started from here|where it stopped",
    r"until it is stopped|engine does so once it is started|starting when the dashboard",
    r"when it starts|started from this shell",
    r"Ollama and the (?:built-in )?engine[^.;]*|start, stop or restart Ollama as a service[^.]*",
    r"program\} could not be started",
    r"\bstop(?:: it is unloaded| \(unload)",  # the value of a setting
)
_OTHER_THINGS = re.compile("|".join(_OF_OTHERS), re.IGNORECASE)


def _shown(file: Path) -> Iterator[tuple[int, str]]:
    """The texts of a module with their lines: its strings, but docstrings, ids and keys."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    silent = {
        id(body[0].value)
        for node in ast.walk(tree)
        if (body := getattr(node, "body", None)) and isinstance(body, list) and isinstance(body[0], ast.Expr)
    }
    inside = set[int]()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            inside |= {id(part) for part in node.values}
            pieces = (part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
            yield node.lineno, "".join(map(str, pieces))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found = () if id(node) in silent | inside else ((node.lineno, node.value),)
            yield from found


def _sentences() -> Iterator[tuple[str, str]]:
    """Everything that a person may read, with where it stands."""
    for file in MODULES:
        for line, text in _shown(file):
            if " " in text or text[:1].isupper():
                yield f"{file.relative_to(ROOT)}:{line}", text
    for file in DOCUMENTS:
        text = re.sub(r"\]\([^)]*\)", "]", file.read_text(encoding="utf-8"))  # Without the targets of links.
        for piece in re.split(r"\n\n|\n(?=- |\| |\{)", text):
            yield file.name, " ".join(piece.split())


def _wrong(text: str) -> bool:
    return bool(_OTHER_VERBS.search(text) or _START_OR_STOP.search(_OTHER_THINGS.sub("", text)))


def test_models_are_loaded_and_unloaded_in_every_text() -> None:
    assert [f"{where}: {text}" for where, text in _sentences() if _wrong(text)] == []


@pytest.mark.parametrize(
    "text",
    [
        "Activate",
        "{model} is not in memory. Activate it.",
        "Activation given up",
        "they stop together",
        "The guard would stop {}: it is idle",
        "Stopped by the guard",
        "{} starts a model again.",
        "Stop all",
    ],
)
def test_another_verb_is_found(text: str) -> None:
    assert _wrong(text)
