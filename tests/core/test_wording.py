"""Every sentence that the program can say has its words, and every one is given what it needs."""

from __future__ import annotations

import ast
import re
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
ACTS = ("remove", "import", "copy", "rename", "create", "activate", "deactivate")


def made() -> Iterator[tuple[str, str, frozenset[str] | None]]:
    """Each place in the package that makes a sentence: where, a pattern of its kind, and its parameters."""
    for file in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Sentence":
                for kind in _kinds(node.args[0]):
                    yield f"{file.relative_to(ROOT)}:{node.lineno}", kind, _params(node)


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
    form = catalogue()[kind]
    parts = [form.one, form.other] if isinstance(form, Plural) else [form]
    fields = {name for part in parts for _, name, _, _ in Formatter().parse(part) if name}
    return frozenset(fields | ({form.of} if isinstance(form, Plural) else set()))


@pytest.mark.parametrize(("where", "kind", "params"), list(made()))
def test_a_sentence_has_its_words_and_gets_what_they_need(
    where: str, kind: str, params: frozenset[str] | None
) -> None:
    kinds = [each for each in catalogue() if re.fullmatch(kind, each)]
    assert kinds or kind == "quoted", where
    if params is not None and kind != ".*":
        assert all(_needed(each) <= params for each in kinds), where


@pytest.mark.parametrize("act", ACTS)
def test_every_act_has_words_for_how_it_ends(act: str) -> None:
    ends = {kind.partition(".")[2] for kind in catalogue() if kind.startswith(f"{act}.")}
    assert {"failed", "cancelled"} < ends


@pytest.mark.parametrize("word", ["chat", "restart", "remove", "pull", "update"])
def test_why_an_act_belongs_to_another_is_the_word_that_scripts_know(word: str) -> None:
    assert text(*because(word)) == word
