"""Why a template cannot be used, and which one answers instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmstack_tui.base.sentences import Catalogue

SENTENCES: Catalogue = {
    "template.too_large": "The template has {size:,} characters, and at most {limit:,} are read.",
    "template.too_deep": "The template is nested more than {limit} deep.",
    "template.syntax": "Line {line} of the template cannot be read: {at:quoted}.",
    "template.unclosed": "The template ends inside of {{{{ {what} }}}}: an end is missing.",
    "template.unexpected": "Line {line} of the template has {what:quoted} where it cannot stand.",
    "template.unknown_function": "Line {line} of the template calls {name}, which is not known.",
    "template.unknown_variable": "Line {line} of the template uses {name} before it has a value.",
    "template.unsupported": "Line {line} of the template uses {name}, which the built-in engine cannot run.",
    "template.too_many_steps": "The template takes more than {limit:,} steps.",
    "template.too_much_text": "The template writes more than {limit:,} characters.",
    "template.wrong_value": "The template calls {function} with a value that it does not take.",
    "template.no_field": "The template asks for {name} of a value that has no fields.",
    "template.file_can_more": (
        "The template in the model's file answers instead of its TEMPLATE: it has {capabilities}."
    ),
    "template.file_tells_results": (
        "The template in the model's file answers instead of its TEMPLATE: that leaves out what tools answer."
    ),
    "template.own_form": (
        "The template in the model's file answers instead of its TEMPLATE: Ollama reads the model's answers"
        " with a parser of its own, and here llama.cpp does."
    ),
    "template.unreadable": "llama.cpp cannot read the model's Jinja template: {why}.",
    "template.known_answers": (
        "The known template {name} answers instead. Another can be set (create with a template)."
    ),
    "template.not_listed": "The template repeats a part for each of what is no list.",
}
