"""Every sentence that the program can say has its words, and every one is given what it needs."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING

import pytest

import llmstack_tui
from llmstack_tui.base.sentences import Plural
from llmstack_tui.core.wording import catalogue, text
from llmstack_tui.lifecycle.actions import because

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(llmstack_tui.__file__).parent
FORMS = catalogue()
# Their errors and notices reach a person as data.
ROOMS = [
    "base",
    "config",
    "core",
    "doctor",
    "downloads",
    "gguf",
    "guard",
    "hardware",
    "hosts",
    "library",
    "lifecycle",
    "ollama",
    "registry",
    "store",
    "updates",
]
# They know the host, and make an error that names it.
TRANSPORT = {"WrongShape", "_not_understood", "_unreachable"}
# It makes an error that has the cause, too.
CAUSED = {"library_errors"}
# Who writes the file names it.
OF_A_FILE = {"NotMergeable"}
ACTS = ("remove", "import", "copy", "rename", "create", "activate", "deactivate")


@cache
def trees() -> dict[Path, ast.Module]:
    """The package, parsed when the first test asks: each process of the suite imports this module."""
    return {file: ast.parse(file.read_text()) for file in sorted(ROOT.rglob("*.py"))}


def made() -> Iterator[tuple[str, str, frozenset[str] | None]]:
    """Each place in the package that makes a sentence: where, a pattern of its kind, and its parameters."""
    for where, node, name in _calls():
        if name == "Sentence":
            for kind in _kinds(node.args[0]):
                params = _params(node)
                # Who reads a setting adds its name.
                named = frozenset({"name"} if kind.startswith("setting") else ())
                yield where, kind, None if params is None else params | named
        elif name in failures() and node.args:
            given = (
                [each.arg for each in node.keywords]
                + ["host"] * (name in TRANSPORT)
                + ["why"] * (name in CAUSED)
                + ["file"] * (name in OF_A_FILE)
            )
            for kind in _kinds(node.args[0]):
                yield where, kind, None if None in given else frozenset(filter(None, given))
            for hint in (each.value for each in node.keywords if each.arg == "hint"):
                yield from ((where, kind, frozenset()) for kind in _kinds(hint))


@cache
def _calls() -> list[tuple[str, ast.Call, str]]:
    return [
        (
            f"{file.relative_to(ROOT)}:{node.lineno}",
            node,
            getattr(node.func, "id", "") or getattr(node.func, "attr", ""),
        )
        for file, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
    ]


@cache
def failures() -> set[str]:
    """The names of `Failure` and of what derives from it, and of what makes one of its kind."""
    bases = {
        node.name: {getattr(base, "id", "") for base in node.bases}
        for tree in trees().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    found = {"Failure"}
    while more := {name for name, its in bases.items() if its & found} - found:
        found |= more
    return found | TRANSPORT | CAUSED


def _kinds(node: ast.expr) -> list[str]:
    if isinstance(node, ast.IfExp):
        return [*_kinds(node.body), *_kinds(node.orelse)]
    if isinstance(node, ast.JoinedStr):
        return ["".join(_kinds(part)[0] for part in node.values)]
    return [re.escape(str(node.value))] if isinstance(node, ast.Constant) else [".*"]


def _params(node: ast.Call) -> frozenset[str] | None:
    """None where they are not written out."""
    if len(node.args) < 2:
        return frozenset()
    given = node.args[1]
    if not isinstance(given, ast.Dict) or None in given.keys:
        return None
    return frozenset(str(each.value) for each in given.keys if isinstance(each, ast.Constant))


def _needed(kind: str) -> frozenset[str]:
    form = FORMS[kind]
    parts = [form.one, form.other] if isinstance(form, Plural) else [form]
    fields = {name for part in parts for _, name, _, _ in Formatter().parse(part) if name}
    return frozenset(fields | ({form.of} if isinstance(form, Plural) else set()))


def test_a_sentence_has_its_words_and_gets_what_they_need() -> None:
    places = [*made()]
    assert len(places) > 500
    assert [where for where, kind, params in places if not _is_complete(kind, params)] == []


def _is_complete(kind: str, params: frozenset[str] | None) -> bool:
    kinds = [each for each in FORMS if re.fullmatch(kind, each)]
    if not kinds:
        return kind in ("quoted", "")
    return params is None or kind == ".*" or all(_needed(each) <= params for each in kinds)


@pytest.mark.parametrize("act", ACTS)
def test_every_act_has_words_for_how_it_ends(act: str) -> None:
    ends = {kind.partition(".")[2] for kind in catalogue() if kind.startswith(f"{act}.")}
    assert {"failed", "cancelled"} < ends


@pytest.mark.parametrize("word", ["chat", "restart", "remove", "pull", "update"])
def test_why_an_act_belongs_to_another_is_the_word_that_scripts_know(word: str) -> None:
    assert text(*because(word)) == word


def test_every_title_of_an_error_has_its_words() -> None:
    titles = {
        ast.literal_eval(each.value)
        for tree in trees().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and node.name in failures()
        for each in node.body
        if isinstance(each, ast.Assign) and ast.unparse(each).startswith("title =")
    }
    assert titles
    assert titles <= catalogue().keys()


def test_no_error_that_a_person_is_told_of_is_made_of_text() -> None:
    """Other errors with a text are for programmers, say what a parser found, or are the engine's own."""
    texts = []
    for where, node, name in _calls():
        if where.split("/")[0] in ROOMS and name in failures():
            texts += [
                where
                for each in (*node.args, *(keyword.value for keyword in node.keywords))
                if (isinstance(each, ast.JoinedStr) and " " in ast.unparse(each))
                or (isinstance(each, ast.Constant) and " " in str(each.value))
            ]
    assert texts == []
    assert {name for name in _raised_with_text() if name not in failures()} <= {
        "InvalidDuration",  # the message of Ollama's server
        "TypeError",
        "ValueError",
    }


def _raised_with_text() -> Iterator[str]:
    for file, tree in trees().items():
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Raise)
                and isinstance(node.exc, ast.Call)
                and str(file.relative_to(ROOT)).split("/")[0] in ROOMS
                and any(isinstance(each, ast.JoinedStr) for each in node.exc.args)
            ):
                yield getattr(node.exc.func, "id", "")
