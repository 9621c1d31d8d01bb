"""What is said of templates that cannot be used."""

from __future__ import annotations

import pytest

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.engine.errors import text, words
from llmstack_tui.engine.gotemplate.errors import TemplateFailure
from llmstack_tui.engine.gotemplate.template import tried
from llmstack_tui.engine.gotemplate.wording import SENTENCES


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("x" * 200_001, "The template has 200,001 characters, and at most 200,000 are read."),
        ("{{ if 1 }}" * 60, "The template is nested more than 50 deep."),
        ("\n{{ ? }}", "Line 2 of the template cannot be read: '? }}'."),
        ("{{ if .Prompt }}", "The template ends inside of {{ if }}: an end is missing."),
        ("a\n\n{{ end }}", "Line 3 of the template has 'end' where it cannot stand."),
        ("{{ a }}", "Line 1 of the template calls a, which is not known."),
        ("{{ $a }}", "Line 1 of the template uses $a before it has a value."),
        ('{{ template "a" }}', "Line 1 of the template uses template, which the built-in engine cannot run."),
        ("{{ range 9999999 }}{{ end }}", "The template takes more than 1,000,000 steps."),
        ("{{ len 1 }}", "The template calls len with a value that it does not take."),
        ("{{ .Prompt.Name }}", "The template asks for Name of a value that has no fields."),
        ("{{ range .Prompt }}{{ end }}", "The template repeats a part for each of what is no list."),
    ],
)  # fmt: skip
def test_what_is_said(template: str, said: str) -> None:
    with pytest.raises(TemplateFailure) as failure:
        tried(template)
    assert words(failure.value) == said


@pytest.mark.parametrize(
    ("kind", "params", "said"),
    [
        ("too_much_text", {"limit": 16_000_000}, "The template writes more than 16,000,000 characters."),
        (
            "file_can_more",
            {"capabilities": "tools and thinking"},
            "The template in the model's file answers instead of its TEMPLATE: it has tools and thinking.",
        ),
        (
            "file_tells_results",
            {},
            "The template in the model's file answers instead of its TEMPLATE: that leaves out what tools"
            " answer.",
        ),
        (
            "own_form",
            {},
            "The template in the model's file answers instead of its TEMPLATE: Ollama reads the model's"
            " answers with a parser of its own, and here llama.cpp does.",
        ),
        ("unreadable", {"why": "no"}, "llama.cpp cannot read the model's Jinja template: no."),
        (
            "known_answers",
            {"name": "chatml"},
            "The known template chatml answers instead. Another can be set (create with a template).",
        ),
    ],
)
def test_what_else_is_said(kind: str, params: dict[str, str | int], said: str) -> None:
    assert text(Sentence(f"template.{kind}", params)) == said


def test_every_sentence_is_here() -> None:
    assert len(SENTENCES) == 12 + 6
