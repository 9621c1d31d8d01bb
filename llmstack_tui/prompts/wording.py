"""The sentences about prompts: what is wrong with a file, a value or a template."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.sentences import Plural

if TYPE_CHECKING:
    from llmstack_tui.base.sentences import Catalogue

SENTENCES: Catalogue = {
    # A file that cannot be used.
    "prompts.unreadable": "The prompt {file} cannot be read: {why}.",
    "prompts.no_file": "{file} is no file: a prompt is a text file.",
    "prompts.link_out": "{file} is a link out of the folder of prompts: copy the file instead.",
    "prompts.of_another_user": "{file} belongs to another user: its prompts are not used.",
    "prompts.too_large": "{file} has more than {limit:size}: no prompt has that.",
    "prompts.too_many": "{file} has more than {limit} files: the others are not read.",
    "prompts.not_text": "{file} is not text in UTF-8.",
    "prompts.wrong_name": (
        "{file}: the name of a prompt is made of small letters a-z, digits, - and _, 64 at most. "
        "Rename the file."
    ),
    # The part between the lines ---.
    "prompts.no_head": (
        "{file} must begin with a line ---, then its title, purpose and variables, then another line ---."
    ),
    "prompts.not_yaml": "{file} line {line}: this is not YAML: {why}.",
    "prompts.too_deep": "{file} is nested too deep.",
    "prompts.alias": (
        "{file} line {line}: this repeats another part by its anchor (& and *): write it out instead."
    ),
    "prompts.no_field": "{file} has no {field}: write one between the lines ---.",
    "prompts.unknown_field": "{file} line {line}: {field} is not known here; these are: {known}.",
    "prompts.twice": "{file} line {line}: {field} is there twice.",
    "prompts.wrong_field": "{file} line {line}: {field} must be {allowed}.",
    "prompts.undeclared": Plural(
        "count",
        "{file}: the template uses {names}, which is not among its variables.",
        "{file}: the template uses {names}, which are not among its variables.",
    ),
    "prompts.empty": "{file} has no template below the second line ---.",
    "prompts.syntax": "{file} line {line}: the template is wrong here: {why}",
    "prompts.syntax_of_text": "Line {line} of the template is wrong: {why}",
    # What a field or a value must be: the words after "must be".
    "prompts.type_text": "a text",
    "prompts.type_integer": "a whole number",
    "prompts.type_number": "a number",
    "prompts.type_boolean": "true or false",
    "prompts.type_list": "a list of texts",
    "prompts.allowed_table": "a table such as title: Explain",
    "prompts.allowed_example": "a table with user and assistant",
    "prompts.allowed_variable": "a name of letters a-z, digits and _, that begins with a letter",
    "prompts.allowed_one_of": "one of these: {choices}",
    "prompts.allowed_stem": "{stem}, as the file is called, or be left out",
    "prompts.allowed_language": "a code of two letters such as en or es",
    # Values.
    "prompts.unknown": "There is no prompt {name}; `llmstack prompts` lists them.",
    "prompts.unknown_near": "There is no prompt {name}. Near it are: {near}.",
    "prompts.missing": Plural(
        "count",
        "The prompt {prompt} needs {names}, which has no value.",
        "The prompt {prompt} needs {names}, which have no value.",
    ),
    "prompts.missing_in_text": Plural(
        "count",
        "The template uses {names}, which has no value.",
        "The template uses {names}, which have no value.",
    ),
    "prompts.unknown_variable": "The prompt {prompt} has no variable {name}; it has {known}.",
    "prompts.no_variables": "The prompt {prompt} has no variables, so {name} cannot be set.",
    "prompts.unknown_in_text": "The template uses no {name}.",
    "prompts.wrong_type": "The variable {name} must be {allowed}.",
    "prompts.wrong_choice": "The variable {name} must be one of these: {choices}.",
    # Rendering.
    "prompts.endless": ("The template does not end, or takes too many steps: see its loops. It was cut off."),
    "prompts.too_long": "What the template makes is larger than {most:size}: give it less.",
    "prompts.includes": "The template includes another file: put its text into this one instead.",
    "prompts.failed": "Line {line} of the template fails: {why}",
    # Limits, patterns, schemas.
    "prompts.no_limit": "The limit must be a whole number above 0.",
    "prompts.wrong_pattern": "The pattern of {name} is no regular expression: {why}.",
    "prompts.wrong_patterns": (
        "Patterns are a table of intents with a list for each, and one of entities, not this: {why}"
    ),
    "prompts.wrong_schema": "The JSON schema is wrong: {why}",
    "prompts.wrong_language": "The language can be checked for {known}, not for {name}.",
    # What is wrong with an answer.
    "prompts.answer_empty": "The answer is empty.",
    "prompts.answer_not_json": "The answer is no JSON: {why} (line {line}, column {column}).",
    "prompts.answer_differs": "At {place}: {why}",
    "prompts.answer_long": Plural(
        "count",
        "The answer has {count:,} character, and {most:,} are allowed.",
        "The answer has {count:,} characters, and {most:,} are allowed.",
    ),
    "prompts.answer_language": "The answer is in {found}, not in {wanted}.",
    "prompts.language_en": "English",
    "prompts.language_es": "Spanish",
}
