"""What a file of a prompt may have, and which sentence says what is wrong in which line."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from llmstack_tui.core.wording import text
from llmstack_tui.prompts.rules.parsing import parse
from llmstack_tui.prompts.types import Example, Faulty, Prompt, PromptVariable, VariableType
from tests.prompts.files import HEAD, VARIABLES

FILE = Path("greet.md")


def parsed(head: str, template: str = "Hello!") -> Prompt:
    found = parse(f"---\n{head}---\n{template}\n", FILE)
    assert isinstance(found, Prompt), text(found.why)
    return found


def fault(content: str, file: Path = FILE) -> str:
    found = parse(content, file)
    assert isinstance(found, Faulty)
    return text(found.why)


def test_everything_that_a_file_may_have() -> None:
    found = parsed(
        "name: greet\ntitle: Greet\npurpose: Greet somebody.\nlanguage: en\n"
        "variables:\n"
        "  who:\n    purpose: whom\n"
        "  times: {type: integer, default: 3, choices: [1, 3]}\n"
        "  loud: {type: boolean, default: no}\n"
        "  words: {type: list, default: [a, no]}\n"
        "  note: {required: false}\n"
        "  speed: {type: number, default: 1e1}\n"
        "system: |\n  Be kind to {{ who }}.\n"
        "examples:\n  - user: Ana\n    assistant: Hello, Ana!\n"
        "parameters: {temperature: 0.5, seed: 7, stop: [end, '###']}\n",
        "\nGreet {{ who }}\n\n  {{ times }} times{% if loud %}!{% endif %}\n---\nmore\n\n",
    )
    assert found.template == "Greet {{ who }}\n\n  {{ times }} times{% if loud %}!{% endif %}\n---\nmore"
    assert found.variables == (
        PromptVariable(name="who", purpose="whom"),
        PromptVariable(name="times", type=VariableType.INTEGER, default=3, is_required=False, choices=(1, 3)),
        PromptVariable(name="loud", type=VariableType.BOOLEAN, default=False, is_required=False),
        PromptVariable(name="words", type=VariableType.LIST, default=("a", "no"), is_required=False),
        PromptVariable(name="note", is_required=False),
        PromptVariable(name="speed", type=VariableType.NUMBER, default=10.0, is_required=False),
    )
    assert (found.name, found.language, found.system) == ("greet", "en", "Be kind to {{ who }}.")
    assert found.examples == (Example("Ana", "Hello, Ana!"),)
    assert found.parameters == {"temperature": 0.5, "seed": 7, "stop": ("end", "###")}


def test_line_ends_of_windows_and_a_mark_of_utf_8_do_no_harm() -> None:
    found = parse("\ufeff---\r\ntitle: A\r\npurpose: B.\r\n---\r\nOne\r\ntwo\r\n", FILE)
    assert isinstance(found, Prompt)
    assert found.template == "One\ntwo"


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("title: [\n", "line 3: this is not YAML"),
        ("title: \x07\n", "line 2: this is not YAML: control characters"),
        ("- title\n- purpose\n", "line 2: --- must be a table"),
        ("just words\n", "line 2: --- must be a table"),
        ("", "has no title"),
        ("title: Greet\n", "has no purpose"),
        ("title: [a]\npurpose: B.\n", "line 2: title must be a text"),
        (f"{HEAD}tilte: Greet\n", "line 4: tilte is not known here; these are: name, title,"),
        (f"{HEAD}title: Again\n", "line 4: title is there twice"),
        (f"{HEAD}name: other\n", "line 4: name must be greet, as the file is called"),
        (f"{HEAD}language: English\n", "line 4: language must be a code of two letters"),
        (f"{HEAD}variables: [who]\n", "line 4: variables must be a table"),
        (f"{HEAD}variables:\n  who: text\n", "line 5: variables.who must be a table"),
        (f"{HEAD}variables:\n  a b: {{}}\n", "line 5: variables.a b must be a name"),
        (f"{HEAD}variables:\n  n:\n    type: int\n", "line 6: variables.n.type must be one of these: text,"),
        (
            f"{HEAD}variables:\n  n:\n    type: integer\n    default: few\n",
            "line 7: variables.n.default must be a whole number",
        ),
        (
            f"{HEAD}variables:\n  n: {{default: c, choices: [a, b]}}\n",
            "line 5: variables.n.default must be one of these: a, b.",
        ),
        (f"{HEAD}variables:\n  n: {{required: maybe}}\n", "variables.n.required must be true or false"),
        (f"{HEAD}examples:\n  - user: a\n", "line 5: examples.1 must be a table with user and assistant"),
        (f"{HEAD}parameters: {{temperature: hot}}\n", "line 4: parameters.temperature must be a number"),
        (f"{HEAD}parameters: {{num_ctx: 4}}\n", "line 4: num_ctx is not known here"),
        (f"{HEAD}system: '{{{{ who }}}}'\n", "the template uses who, which is not among its variables"),
        (f"{HEAD}system: |\n  one\n  {{% if %}}\n", "line 6: the template is wrong here"),
        ("title: &a x\npurpose: *a\n", "line 2: this repeats another part by its anchor"),
        (f"{HEAD}variables: {'[' * 5000}\n", "is not YAML"),
        ("title: !!python/object:os.system x\npurpose: [1\n", "is not YAML"),
    ],
)
def test_what_is_wrong_between_the_lines_is_said_with_its_line(head: str, said: str) -> None:
    found = fault(f"---\n{head}---\nHello!\n")
    assert said in found
    assert found.startswith("greet.md")
    assert len(found) < 400


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "must begin with a line ---"),
        ("Hello!\n---\ntitle: a\n---\n", "must begin with a line ---"),
        ("---\ntitle: Greet\n", "must begin with a line ---"),
        (f"---\n{HEAD}---\n\n \n", "has no template"),
        (f"---\n{HEAD}---\n\nHello {{{{ who }}}}\n", "uses who, which is not among its variables"),
        (f"---\n{HEAD}---\n\nHello\n{{% if x %}}\n", "line 7: the template is wrong here"),
        (f"---\n{HEAD}{VARIABLES}---\n{{{{ input | nonsense( }}}}\n", "line 8: the template is wrong here"),
    ],
)
def test_what_is_wrong_with_the_rest(content: str, said: str) -> None:
    assert said in fault(content)


def test_a_billion_laughs_are_refused_before_they_are_made() -> None:
    levels = "abcdefghij"
    lines = ["    a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [f"    {new}: &{new} [{', '.join([f'*{old}'] * 9)}]" for old, new in pairwise(levels)]
    bomb = "\n".join(lines)
    assert "variables.a must be a table" in fault(f"---\n{HEAD}variables:\n{bomb}\n---\nx\n")
    nested = f"{HEAD}variables:\n  a:\n    choices: &a [x, x]\n  b:\n    choices: *a\n"
    assert "line 6: this repeats another part by its anchor" in fault(f"---\n{nested}---\nx\n")


@pytest.mark.parametrize("name", ["Greet", "a b", "\x1b[31mred", "x" * 65, ".hidden", "ñ"])
def test_a_name_that_could_not_be_typed_or_shown_is_refused(name: str) -> None:
    said = fault(f"---\n{HEAD}---\nHello!\n", Path(f"{name}.md"))
    assert "the name of a prompt is made of" in said
    assert "\x1b" not in said
