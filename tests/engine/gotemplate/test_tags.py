"""What templates say of the answers to their prompts."""

from __future__ import annotations

import pytest

from llmstack_tui.engine.gotemplate.tags import OBJECT, ThinkingTags
from llmstack_tui.engine.gotemplate.template import parsed

LOOP = "{{{{ range .Messages }}}}<s>{{{{ .Role }}}}{}<e>{{{{ end }}}}"


@pytest.mark.parametrize(
    ("calls", "tag"),
    [
        ("{{ if .ToolCalls }}<call>\n{{ range .ToolCalls }}{ {{ .ID }} }{{ end }}{{ end }}", "<call>"),
        ("{{ if .ToolCalls }}{{ range .ToolCalls }}\n<call> {\"a\": 1}{{ end }}{{ end }}", "<call>"),
        ("{{ if .Content }}a{{ else if .ToolCalls }}[CALLS] [{{ range .ToolCalls }}{}{{ end }}]{{ end }}",
         "[CALLS] ["),
        ("{{ range .ToolCalls }}<call>{{ .Function.Name }}{{ end }}", "<call>"),
        ("{{ if and .ToolCalls (not .Content) }} \r\n{{ if .Content }}x{{ end }}{{ end }}", "x"),
        ("{{ if .ToolCalls }}{{ range .ToolCalls }}{\"name\": 1}{{ end }}{{ end }}", OBJECT),
        ("{{ if .ToolCalls }}{{ .Content }}<call>{{ end }}", OBJECT),
        ("{{ if .ToolCalls }}{{ end }}", OBJECT),
        ("", OBJECT),
    ],
)  # fmt: skip
def test_what_calls_begin_with(calls: str, tag: str) -> None:
    assert parsed(LOOP.format(calls)).call_tag == tag


@pytest.mark.parametrize(
    ("thinking", "tags"),
    [
        ("{{ if .Thinking }}<think>{{ .Thinking }}</think>{{ end }}", ("<think>", "</think>")),
        (
            "{{ if and .Thinking true }}\n<a>\n{{ if true }}{{ end }}{{ .Thinking }}\n</a>\n{{ end }}",
            ("<a>", "</a>"),
        ),
        ("{{ .Thinking }}", ("<s>", "<e>")),
        ("{{ if .Thinking }}{{ .Thinking }}</think>{{ end }}", None),
        ("{{ if .Thinking }}a{{ end }}", None),
        ("", None),
    ],
)
def test_what_stands_around_thinking(thinking: str, tags: tuple[str, str] | None) -> None:
    assert parsed(LOOP.format(thinking)).thinking == (tags and ThinkingTags(*tags))


def test_thinking_is_that_of_a_message() -> None:
    assert parsed("{{ if .Thinking }}<a>{{ .Thinking }}</a>{{ end }}").thinking is None
    nested = "{{ range .Messages }}{{ range .ToolCalls }}<a>{{ .Thinking }}</a>{{ end }}{{ end }}"
    assert parsed(nested).thinking is None
    by_place = "{{ range $i, $_ := $.Messages }}{{ with $i }}<a>{{ $.Thinking }}</a>{{ end }}{{ end }}"
    assert parsed(by_place).thinking == ThinkingTags("<a>", "</a>")
