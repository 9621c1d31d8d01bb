"""What Go templates make of conversations. They are in our words, with the parts that published ones have."""

from __future__ import annotations

from datetime import date

import pytest

from llmstack_tui.engine.gotemplate.errors import TemplateFailure
from llmstack_tui.engine.gotemplate.functions import as_json
from llmstack_tui.engine.gotemplate.template import TemplateMessage, ThinkRequest, collated, parsed
from llmstack_tui.engine.gotemplate.values import tool_value

TODAY = date(2026, 3, 1)


def said(role: str, content: str) -> TemplateMessage:
    return TemplateMessage(role=role, content=content)


SYSTEM, HI, HELLO, BYE = (
    said("system", "Short."),
    said("user", "Hi"),
    said("assistant", "Yo"),
    said("user", "Bye"),
)


def written(template: str, *messages: TemplateMessage, think: bool | str | None = None) -> str:
    return parsed(template).conversation(messages, TODAY, ThinkRequest(think))


LOOP = """
{{- range $i, $_ := .Messages }}
{{- $last := eq (len (slice $.Messages $i)) 1 }}
{{- if or (eq .Role "user") (eq .Role "system") }}[{{ .Role }}]
{{ .Content }}
{{ if $last }}[model]
{{ end }}
{{- else if eq .Role "assistant" }}[model]
{{ .Content }}{{ if not $last }}[end]
{{ end }}
{{- end }}
{{- end }}"""
OLD = """{{ if .System }}<<{{ .System }}>>
{{ end }}{{ if .Prompt }}Q {{ .Prompt }}
{{ end }}A {{ .Response }}.
"""


@pytest.mark.parametrize(
    ("template", "messages", "expected"),
    [
        pytest.param(LOOP, (SYSTEM, HI), "[system]\nShort.\n[user]\nHi\n[model]\n", id="messages"),
        pytest.param(LOOP, (HI, HELLO), "[user]\nHi\n[model]\nYo", id="an answer is continued"),
        pytest.param(
            LOOP, (HI, HELLO, BYE), "[user]\nHi\n[model]\nYo[end]\n[user]\nBye\n[model]\n", id="three"
        ),
        pytest.param(OLD, (SYSTEM, HI), "<<Short.>>\nQ Hi\nA ", id="old: up to the response"),
        pytest.param(OLD, (HI, HELLO, BYE), "Q Hi\nA Yo.\nQ Bye\nA ", id="old: turn by turn"),
        pytest.param(OLD, (HI, HELLO), "Q Hi\nA Yo", id="old: an answer is continued"),
        pytest.param(
            OLD, (HI, SYSTEM, BYE), "Q Hi\nA .\n<<Short.>>\nQ Bye\nA ", id="old: a late system message"
        ),
        pytest.param("[{{ .Prompt }}]", (HI, HELLO, BYE), "[Hi]Yo[Bye]", id="the response is added"),
        pytest.param("{{ .Prompt }}", (SYSTEM, HI), "Hi", id="without a place for the system message"),
        pytest.param(
            "{{ if .Prompt }}Q {{ .Prompt }} A {{ .Response }}<end>{{ else }}none{{ end }}",
            (HI,),
            "Q Hi A ",
            id="a response inside of a condition",
        ),
        pytest.param(
            "{{ .System }}|{{ range .Messages }}{{ end }}", (SYSTEM, SYSTEM), "Short.\n\nShort.|", id="all"
        ),
    ],
)
def test_conversations(template: str, messages: tuple[TemplateMessage, ...], expected: str) -> None:
    assert written(template, *messages) == expected


def test_neighbours_of_one_role_are_joined_but_not_what_tools_answer() -> None:
    tool = said("tool", "1")
    assert collated((HI, BYE, tool, tool, HELLO)) == (said("user", "Hi\n\nBye"), tool, tool, HELLO)


def test_calls_of_tools_and_thinking() -> None:
    call = {
        "ID": "c",
        "Function": {"Index": 0, "Name": "add", "Arguments": {"b": "<x>", "a": [1, True, None]}},
    }
    answer = TemplateMessage(role="assistant", thinking="Hm", tool_calls=(call,))
    template = (
        "{{ range .Messages }}{{ if .Thinking }}({{ .Thinking }}){{ end }}"
        '{{ range .ToolCalls }}{"name": "{{ .Function.Name }}", "args": {{ .Function.Arguments }}}{{ end }}'
        '{{ if eq .Role "tool" }}{{ .ToolName }}={{ .Content }}{{ end }}{{ end }}'
    )
    result = TemplateMessage(role="tool", content="2", tool_name="add")
    expected = r'(Hm){"name": "add", "args": {"a":[1,true,null],"b":"\u003cx\u003e"}}add=2'
    assert written(template, answer, result) == expected


FORECAST = {
    "name": "forecast",
    "description": "The weather",
    "parameters": {
        "properties": {
            "town": {"description": "Where", "type": "string", "maxLength": 9},
            "days": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
            "at": {"type": ["string", "null"], "enum": ["noon"]},
            "more": {
                "type": "object",
                "properties": {"b": {}, "a": {"type": "array", "items": {"z": 1, "b": 2}}},
            },
        },
        "required": ["town"],
        "type": "object",
    },
}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (
            "{{ .Tools }}",
            '[{"type":"function","function":{"name":"forecast","description":"The weather","parameters":'
            '{"type":"object","required":["town"],"properties":{"at":{"type":["string","null"],"enum":["noon"]},'
            '"days":{"anyOf":[{"type":"integer"},{"type":"null"}]},'
            '"more":{"type":"object","properties":{"a":{"type":"array","items":{"b":2,"z":1}},"b":{}}},'
            '"town":{"type":"string","description":"Where","maxLength":9}}}}}]',
        ),
        ("{{ range .Tools }}{{ .Type }} {{ .Function.Name }}: {{ .Function.Description }}{{ end }}",
         "function forecast: The weather"),
        ("{{ range .Tools }}{{ with .Function.Parameters }}{{ .Type }} {{ .Required }}{{ end }}{{ end }}",
         'object ["town"]'),
        ("{{ range .Tools }}{{ range $name, $of := .Function.Parameters.Properties }}{{ $name }}:"
         "{{ toTypeScriptType $of }}{{ with $of.Description }} ({{ . }}){{ end }};{{ end }}{{ end }}",
         "at:string | null;days:number | null;more:Record<string, any>;town:string (Where);"),
        ("{{ range .Tools }}{{ json (index .Function.Parameters.Properties \"days\") }}{{ end }}",
         '{"anyOf":[{"type":"integer"},{"type":"null"}]}'),
    ],
)  # fmt: skip
def test_tools(expression: str, expected: str) -> None:
    template = parsed(f"{{{{- range .Messages }}}}{{{{ end }}}}{expression}")
    assert template.has_tools
    assert template.conversation((HI,), TODAY, ThinkRequest(), [tool_value(FORECAST)]) == expected


@pytest.mark.parametrize("function", [{"name": "f"}, {"name": "f", "parameters": None}])
def test_a_tool_that_says_nothing_of_itself(function: dict[str, object]) -> None:
    assert as_json(tool_value(function)) == (
        '{"type":"function","function":{"name":"f","description":"","parameters":{"type":"object","properties":{}}}}'
    )


def test_an_old_template_has_no_place_for_tools() -> None:
    assert not parsed("{{ .Tools }}{{ .Prompt }}").has_tools


@pytest.mark.parametrize(
    ("think", "expected"), [(None, "unset"), (False, "no"), (True, "yes"), ("high", "yes high")]
)
def test_what_a_request_says_of_thinking(think: bool | str | None, expected: str) -> None:
    template = (
        "{{ range .Messages }}{{ end }}{{ if not .IsThinkSet }}unset{{ else if .Think }}yes"
        "{{ with .ThinkLevel }} {{ . }}{{ end }}{{ else }}no{{ end }}"
    )
    assert written(template, HI, think=think) == expected


def test_a_gap_is_filled() -> None:
    template = parsed("{{ if .Suffix }}<P>{{ .Prompt }}<S>{{ .Suffix }}<M>{{ else }}{{ .Prompt }}{{ end }}")
    assert template.fills_in
    assert template.filled("a(", ")", TODAY, ThinkRequest()) == "<P>a(<S>)<M>"
    assert template.conversation((HI,), TODAY, ThinkRequest()) == "Hi"
    assert not parsed("{{ .Prompt }}").fills_in


def of(expression: str) -> str:
    """What a template makes of one message "Hi" with the ``expression``."""
    return written(f"{{{{- range .Messages }}}}{{{{ end }}}}{expression}", HI)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        # White space and comments.
        ("a {{- 1 -}} \n b", "a1b"),
        ("a {{/* no }} */}} b", "a  b"),
        ("a {{- /* no */ -}} b", "ab"),
        ("{{-1}}", "-1"),
        ('{{ "}}" }}', "}}"),
        ("{{\n1\n}}", "1"),
        # Values.
        (r'{{ "é\n\"\u00e9" }}', 'é\n"é'),
        (r"{{ `a\n` }}", r"a\n"),
        ("{{ 'a' }}{{ 0x1F }}{{ 1.50 }}{{ true }}{{ nil }}", "97311.5true"),
        ("{{ .Nothing }}{{ .Nothing.At.All }}", ""),
        ("{{ (index .Messages 0).Content }}", "Hi"),
        # Variables and their places.
        ('{{ $a := "x" }}{{ if true }}{{ $a := "y" }}{{ $a = "z" }}{{ $a }}{{ end }}{{ $a }}', "zx"),
        ('{{ $a := "" }}{{ range .Messages }}{{ $a = .Content }}{{ end }}{{ $a }}', "Hi"),
        ("{{ if $n := len .Messages }}{{ $n }}{{ end }}", "1"),
        ("{{ with $m := index .Messages 0 }}{{ $m.Role }}{{ .Content }}{{ end }}", "userHi"),
        ("{{ with .System }}a{{ else with .Messages }}{{ len . }}{{ else }}c{{ end }}", "1"),
        # Loops.
        ("{{ range $i, $m := .Messages }}{{ $i }}{{ $m.Content }}{{ $.System }}{{ end }}", "0Hi"),
        ("{{ range $m := .Messages }}{{ $m.Content }}{{ else }}none{{ end }}", "Hi"),
        ("{{ range .Tools }}a{{ else }}none{{ end }}", "none"),
        ("{{ range 3 }}{{ . }}{{ end }}", "012"),
        ("{{ range 5 }}{{ if eq . 2 }}{{ continue }}{{ end }}{{ . }}{{ end }}", "0134"),
        ("{{ range 5 }}{{ if eq . 2 }}{{ break }}{{ end }}{{ . }}{{ end }}", "01"),
        ("{{ range $k, $v := index .Messages 0 }}{{ if eq $k \"Role\" }}{{ $v }}{{ end }}{{ end }}", "user"),
        # Functions.
        ('{{ and 1 "" 2 }}|{{ and 1 2 }}|{{ or "" 0 "x" }}|{{ or 0 "" }}|{{ not "" }}', "|2|x||true"),
        ("{{ or 1 (index .Messages 99) }}", "1"),
        ('{{ eq 1 2 1 }} {{ ne "a" "b" }} {{ lt 1 2 }} {{ le 2 2 }}', "true true true true"),
        ('{{ gt 1.5 1 }} {{ ge "a" "b" }} {{ eq 1 true }}', "true false false"),
        ('{{ len "é" }}{{ slice "abcd" 1 3 }}{{ slice "abcd" 2 }}{{ len (slice .Messages 1) }}', "2bccd0"),
        ('{{ printf "%s-%d-%5.1f-%q-%v-%%-%03d" "a" 7 2.25 "b" true 5 }}', 'a-7-  2.2-"b"-true-%-005'),
        ('{{ "x" | printf "%s%s" "y" | len }}', "2"),
        ('{{ print "a" 1 2 "b" }}{{ println 1 "a" }}', "a1 2b1 a\n"),
        ('{{ json "a\\"<" }}{{ json .Tools }}', '"a\\"\\u003c"[]'),
        ('{{ currentDate }} {{ currentDate "2006" }}', "2026-03-01 2026-03-01"),
        ("{{ yesterdayDate }}", "2026-02-28"),
    ],
)  # fmt: skip
def test_expressions(expression: str, expected: str) -> None:
    assert of(expression) == expected


@pytest.mark.parametrize(
    ("template", "kind"),
    [
        ("{{ .Prompt", "template.unclosed"),
        ("{{ if .Prompt }}a", "template.unclosed"),
        ("{{ range .Messages }}{{ else }}a", "template.unclosed"),
        ('{{ "a }}', "template.syntax"),
        ("{{ .Prompt ? }}", "template.syntax"),
        ("{{ /* a }}", "template.syntax"),
        ("{{ end }}", "template.unexpected"),
        ("{{ else }}", "template.unexpected"),
        ("{{ if 1 }}{{ else }}{{ else }}{{ end }}", "template.unexpected"),
        ("{{ if 1 }}{{ else 1 }}{{ end }}", "template.unexpected"),
        ("{{ if }}{{ end }}", "template.unexpected"),
        ("{{ break }}", "template.unexpected"),
        ("{{}}", "template.unexpected"),
        ("{{ | len }}", "template.unexpected"),
        ("{{ len | }}", "template.unexpected"),
        ("{{ 1 2 }}", "template.unexpected"),
        ("{{ 1 | 2 }}", "template.unexpected"),
        ("{{ (1 }}", "template.unexpected"),
        ("{{ 1) }}", "template.unexpected"),
        ("{{ $a, $b := 1 }}", "template.unexpected"),
        ("{{ .A := 1 }}", "template.unexpected"),
        (r'{{ "\N{DIGIT ONE}" }}', "template.unexpected"),
        ("{{ 'ab' }}", "template.unexpected"),
        ("{{ frobnicate .Prompt }}", "template.unknown_function"),
        ("{{ html .Prompt }}", "template.unknown_function"),
        ("{{ $a }}", "template.unknown_variable"),
        ("{{ if 1 }}{{ $a := 1 }}{{ end }}{{ $a }}", "template.unknown_variable"),
        ("{{ $a = 1 }}", "template.unknown_variable"),
        ('{{ define "a" }}{{ end }}', "template.unsupported"),
        ('{{ template "a" . }}', "template.unsupported"),
        ("{{ if 1 }}" * 60 + "{{ end }}" * 60, "template.too_deep"),
        ("{{ if 1 }}{{ else if 1 }}" + "{{ else if 1 }}" * 60 + "{{ end }}", "template.too_deep"),
        ("{{ " + "(" * 60 + "1" + ")" * 60 + " }}", "template.too_deep"),
        ("a" * 2**20, "template.too_large"),
        ("{{ (" * 40_000, "template.syntax"),
    ],
)  # fmt: skip
def test_templates_that_cannot_be_read(template: str, kind: str) -> None:
    with pytest.raises(TemplateFailure) as failure:
        parsed(template)
    assert failure.value.kind == kind


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ("{{ range 999999999999 }}{{ end }}", "template.too_many_steps"),
        ("{{ range 9999 }}{{ range 9999 }}a{{ end }}{{ end }}", "template.too_many_steps"),
        ('{{ $a := "aaaaaaaa" }}{{ range 99 }}{{ $a = print $a $a }}{{ end }}', "template.too_much_text"),
        ('{{ $a := "aaaaaaaa" }}{{ range 21 }}{{ $a = print $a $a }}{{ end }}{{ range 99 }}{{ $a }}{{ end }}',
         "template.too_much_text"),
        ("{{ index .Messages 9 }}", "template.wrong_value"),
        ("{{ index .Messages -1 }}", "template.wrong_value"),
        ("{{ slice .Messages 2 1 }}", "template.wrong_value"),
        ("{{ slice 1 2 }}", "template.wrong_value"),
        ('{{ lt 1 "a" }}', "template.wrong_value"),
        ("{{ len 1 }}", "template.wrong_value"),
        ("{{ eq 1 }}", "template.wrong_value"),
        ("{{ ne 1 }}", "template.wrong_value"),
        ("{{ not }}", "template.wrong_value"),
        ("{{ json }}", "template.wrong_value"),
        ("{{ printf 1 }}", "template.wrong_value"),
        ('{{ printf "%d" "a" }}', "template.wrong_value"),
        ('{{ range "abc" }}{{ end }}', "template.not_listed"),
        ("{{ range .Messages }}{{ .Role.Name }}{{ end }}", "template.no_field"),
    ],
)  # fmt: skip
def test_templates_that_fail(expression: str, kind: str) -> None:
    with pytest.raises(TemplateFailure) as failure:
        of(expression)
    assert failure.value.kind == kind
