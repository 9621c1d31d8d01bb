from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.names import ModelName
from llmstack_tui.base.sentences import Sentence
from llmstack_tui.engine.gotemplate.errors import TemplateFailure
from llmstack_tui.engine.gotemplate.template import parsed
from llmstack_tui.engine.templates import (
    FILE,
    KNOWN,
    LAYER,
    NONE,
    ModelTemplate,
    capabilities,
    choose,
    known_templates,
    recognise,
    replacement,
)
from llmstack_tui.gguf.header import Header
from llmstack_tui.library.installed import InstalledModel
from llmstack_tui.library.manifest import ConfigLayer

if TYPE_CHECKING:
    from collections.abc import Mapping

# What each template makes of a system message, a question, an answer and another question.
RENDERED = {
    "phi-4": (
        "<|im_start|>system<|im_sep|>Be brief.<|im_end|><|im_start|>user<|im_sep|>Hi<|im_end|>"
        "<|im_start|>assistant<|im_sep|>Hello!<|im_end|><|im_start|>user<|im_sep|>Bye<|im_end|>"
        "<|im_start|>assistant<|im_sep|>"
    ),
    "chatml": (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
        "<|im_start|>assistant\nHello!<|im_end|>\n<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n"
    ),
    "llama-3": (
        "<|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\nHello!<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nBye<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n"
    ),
    "llama-4": (
        "<|header_start|>system<|header_end|>\n\nBe brief.<|eot|><|header_start|>user<|header_end|>\n\nHi"
        "<|eot|>"
        "<|header_start|>assistant<|header_end|>\n\nHello!<|eot|><|header_start|>user<|header_end|>\n\nBye"
        "<|eot|>"
        "<|header_start|>assistant<|header_end|>\n\n"
    ),
    "gemma": (
        "<start_of_turn>user\nBe brief.\nHi<end_of_turn>\n<start_of_turn>model\nHello!<end_of_turn>\n"
        "<start_of_turn>user\nBye<end_of_turn>\n<start_of_turn>model\n"
    ),
    "command-r": (
        "<|START_OF_TURN_TOKEN|><|SYSTEM_TOKEN|>Be brief.<|END_OF_TURN_TOKEN|>"
        "<|START_OF_TURN_TOKEN|><|USER_TOKEN|>Hi<|END_OF_TURN_TOKEN|>"
        "<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>Hello!<|END_OF_TURN_TOKEN|>"
        "<|START_OF_TURN_TOKEN|><|USER_TOKEN|>Bye<|END_OF_TURN_TOKEN|>"
        "<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>"
    ),
    "granite-3": (
        "<|start_of_role|>system<|end_of_role|>Be brief.<|end_of_text|>\n"
        "<|start_of_role|>user<|end_of_role|>Hi<|end_of_text|>\n"
        "<|start_of_role|>assistant<|end_of_role|>Hello!<|end_of_text|>\n"
        "<|start_of_role|>user<|end_of_role|>Bye<|end_of_text|>\n"
        "<|start_of_role|>assistant<|end_of_role|>"
    ),
    "deepseek-v3": (
        "Be brief.<｜User｜>Hi<｜Assistant｜>Hello!<｜end▁of▁sentence｜><｜User｜>Bye<｜Assistant｜>"
    ),
    "deepseek-v2": ("Be brief.\n\nUser: Hi\n\nAssistant: Hello!<｜end▁of▁sentence｜>User: Bye\n\nAssistant:"),
    "deepseek-coder": (
        "Be brief.\n### Instruction:\nHi\n### Response:\nHello!\n<|EOT|>\n### Instruction:\nBye\n"
        "### Response:\n"
    ),
    "glm-4": (
        "[gMASK]<sop><|system|>\nBe brief.<|user|>\nHi<|assistant|>\nHello!<|user|>\nBye<|assistant|>\n"
    ),
    "phi-3": (
        "<|system|>\nBe brief.<|end|>\n<|user|>\nHi<|end|>\n<|assistant|>\nHello!<|end|>\n"
        "<|user|>\nBye<|end|>\n<|assistant|>\n"
    ),
    "zephyr": (
        "<|system|>\nBe brief.</s>\n<|user|>\nHi</s>\n<|assistant|>\nHello!</s>\n<|user|>\nBye</s>\n"
        "<|assistant|>\n"
    ),
    "stablelm": (
        "<|system|>\nBe brief.<|endoftext|>\n<|user|>\nHi<|endoftext|>\n<|assistant|>\nHello!<|endoftext|>\n"
        "<|user|>\nBye<|endoftext|>\n<|assistant|>\n"
    ),
    "falcon-3": "<|system|>\nBe brief.\n<|user|>\nHi\n<|assistant|>\nHello!\n<|user|>\nBye\n<|assistant|>\n",
    "exaone": (
        "[|system|]Be brief.[|endofturn|]\n[|user|]Hi\n[|assistant|]Hello![|endofturn|]\n[|user|]Bye\n"
        "[|assistant|]"
    ),
    "mistral-v7": "[SYSTEM_PROMPT]Be brief.[/SYSTEM_PROMPT][INST]Hi[/INST]Hello!</s>[INST]Bye[/INST]",
    "llama-2": "[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHi [/INST] Hello!</s><s>[INST] Bye [/INST]",
    "mistral": "[INST] Be brief.\n\nHi[/INST] Hello!</s>[INST] Bye[/INST]",
    "openchat": (
        "GPT4 Correct System: Be brief.<|end_of_turn|>GPT4 Correct User: Hi<|end_of_turn|>"
        "GPT4 Correct Assistant: Hello!<|end_of_turn|>GPT4 Correct User: Bye<|end_of_turn|>"
        "GPT4 Correct Assistant:"
    ),
    "solar": (
        "### System:\nBe brief.\n\n### User:\nHi\n\n### Assistant:\nHello!</s>\n\n### User:\nBye\n\n"
        "### Assistant:\n"
    ),
    "alpaca": (
        "Be brief.\n\n### Instruction:\nHi\n\n### Response:\nHello!\n\n### Instruction:\nBye\n\n"
        "### Response:\n"
    ),
    "starcoder-2": (
        "Be brief.\n\n### Instruction\nHi\n\n### Response\nHello!<|endoftext|>\n\n"
        "### Instruction\nBye\n\n### Response\n"
    ),
    "magicoder": (
        "Be brief.\n\n@@ Instruction\nHi\n\n@@ Response\nHello!\n\n@@ Instruction\nBye\n\n@@ Response\n"
    ),
    "vicuna": "Be brief.\n\nUSER: Hi\nASSISTANT: Hello!</s>\nUSER: Bye\nASSISTANT:",
    "granite-code": "System:\nBe brief.\n\nQuestion:\nHi\n\nAnswer:\nHello!\n\nQuestion:\nBye\n\nAnswer:\n",
    "falcon": "System: Be brief.\nUser:\nHi\nFalcon:\nHello!\nUser:\nBye\nFalcon:\n",
    "chatqa": "System: Be brief.\n\nUser: Hi\n\nAssistant: Hello!\n\nUser: Bye\n\nAssistant:",
    "plain": "Be brief.\nHi\nHello!\nBye",
}
MESSAGES = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Hello!"},
    {"role": "user", "content": "Bye"},
]
# llama.cpp itself reads the templates: a process of its own loads a model with each of them in turn.
RENDER = """
import json, os, sys, urllib.request, xllamacpp
model, templates, conversations = json.load(sys.stdin)
rendered = {}
for name, template in templates.items():
    params = xllamacpp.CommonParams()
    params.model.path, params.chat_template, params.use_jinja = model, template, True
    params.n_ctx, params.n_parallel, params.warmup, params.verbosity = 256, 1, False, 2
    params.cpuparams.n_threads, params.hostnames, params.port = 1, ["127.0.0.1"], 0
    server = xllamacpp.Server(params)
    rendered[name] = []
    for messages in conversations:
        request = urllib.request.Request(
            server.listening_address + "/apply-template",
            json.dumps({"messages": messages}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request) as answer:
            rendered[name].append(json.load(answer)["prompt"])
print(json.dumps(rendered), flush=True)
os._exit(0)
"""


@pytest.fixture(scope="module")
def rendered(random_model: Path) -> Mapping[str, list[str]]:
    """By the name of the template, what it makes of the whole conversation and of its questions alone."""
    if find_spec("xllamacpp") is None:
        pytest.skip("there is no llama.cpp for this machine")
    templates = {template.name: template.jinja for template in known_templates()}
    question = [{"role": "user", "content": "Hi"}]
    asked = json.dumps([str(random_model), templates, [MESSAGES, question]])
    answer = subprocess.run(
        [sys.executable, "-c", RENDER], input=asked, capture_output=True, text=True, check=True, timeout=100
    )
    found: dict[str, list[str]] = json.loads(answer.stdout)
    return found


def test_every_template_is_tested() -> None:
    assert [template.name for template in known_templates()] == list(RENDERED)


@pytest.mark.parametrize("name", RENDERED)
def test_what_llama_cpp_makes_of_a_template(rendered: Mapping[str, list[str]], name: str) -> None:
    conversation, question = rendered[name]
    assert conversation == RENDERED[name]
    assert question.count("Hi") == 1
    assert "Be brief." not in question
    assert "None" not in question


# Go templates as Ollama's models have them, by the name of what does the same.
GO = [
    ("{{- range .Messages }}<|im_start|>{{ .Role }}\n{{ .Content }}<|im_end|>\n{{ end }}", "chatml"),
    ("<|im_start|>{{ .Role }}<|im_sep|>{{ .Content }}<|im_end|>", "phi-4"),
    (
        "{{ if .System }}<|start_header_id|>system<|end_header_id|>\n\n{{ .System }}<|eot_id|>{{ end }}",
        "llama-3",
    ),
    ("<|header_start|>{{ .Role }}<|header_end|>\n\n{{ .Content }}<|eot|>", "llama-4"),
    ("<start_of_turn>user\n{{ .Prompt }}<end_of_turn>\n<start_of_turn>model\n", "gemma"),
    ("<|{{ .Role }}|>\n{{ .Content }}<|end|>\n", "phi-3"),
    ("<|{{ .Role }}|>\n{{ .Content }}</s>\n{{ end }}<|assistant|>\n", "zephyr"),
    ("<|user|>\n{{ .Prompt }}<|endoftext|>\n<|assistant|>\n", "stablelm"),
    ("<|user|>\n{{ .Prompt }}\n<|assistant|>\n", "falcon-3"),
    ("[gMASK]<sop><|user|>\n{{ .Prompt }}<|assistant|>\n", "glm-4"),
    ("[INST] {{ .System }} {{ .Prompt }} [/INST]", "mistral"),
    ("[INST] <<SYS>>{{ .System }}<</SYS>>\n\n{{ .Prompt }} [/INST]\n", "llama-2"),
    ("[SYSTEM_PROMPT]{{ .System }}[/SYSTEM_PROMPT][INST]{{ .Prompt }}[/INST]", "mistral-v7"),
    ("<|START_OF_TURN_TOKEN|><|USER_TOKEN|>{{ .Prompt }}<|END_OF_TURN_TOKEN|>", "command-r"),
    ("<|start_of_role|>{{ .Role }}<|end_of_role|>{{ .Content }}<|end_of_text|>", "granite-3"),
    ("{{ .System }}<｜User｜>{{ .Prompt }}<｜Assistant｜>", "deepseek-v3"),
    ("User: {{ .Prompt }}\n\nAssistant:{{ .Response }}<｜end▁of▁sentence｜>", "deepseek-v2"),
    (
        "{{ .System }}\n### Instruction:\n{{ .Prompt }}\n### Response:\n{{ .Response }}<|EOT|>",
        "deepseek-coder",
    ),
    ("{{ .System }}\n\n### Instruction:\n{{ .Prompt }}\n\n### Response:\n", "alpaca"),
    ("### Instruction\n{{ .Prompt }}\n\n### Response\n{{ .Response }}<|endoftext|>", "starcoder-2"),
    ("@@ Instruction\n{{ .Prompt }}\n\n@@ Response\n", "magicoder"),
    ("### System:\n{{ .System }}\n\n### User:\n{{ .Prompt }}\n\n### Assistant:\n", "solar"),
    ("{{ .System }}\nUSER: {{ .Prompt }}\nASSISTANT: ", "vicuna"),
    ("GPT4 Correct User: {{ .Prompt }}<|end_of_turn|>GPT4 Correct Assistant:", "openchat"),
    ("Question:\n{{ .Prompt }}\n\nAnswer:\n", "granite-code"),
    ("System: {{ .System }}\nUser:\n{{ .Prompt }}\nFalcon:\n", "falcon"),
    ("System: {{ .System }}\n\nUser: {{ .Prompt }}\n\nAssistant:", "chatqa"),
    ("[|user|]{{ .Prompt }}\n[|assistant|]", "exaone"),
    ("{{ .Prompt }}", "plain"),
]


def test_every_known_template_has_a_go_template() -> None:
    assert {name for _, name in GO} == set(RENDERED)


@pytest.mark.parametrize(("go", "name"), GO)
def test_go_templates_are_recognised(go: str, name: str) -> None:
    assert recognise(go, "gemma").name == name, "a Go template says more than the architecture"


@pytest.mark.parametrize(
    ("architecture", "name"),
    [("gemma2", "gemma"), ("phi3", "phi-3"), ("qwen2", "chatml"), ("llama", "plain"), ("", "plain")],
)
@pytest.mark.parametrize("go", [None, ""])
def test_without_a_go_template_the_architecture_counts(go: str | None, architecture: str, name: str) -> None:
    assert recognise(go, architecture).name == name


TOOLED = "{% for m in messages %}{{ m.content }}{% endfor %}{{ tools }}"
PLAIN_JINJA = "{% for m in messages %}{{ m.content }}{% endfor %}"
GO_LAYER = "[INST]{{ .Prompt }}[/INST]"
BROKEN_GO = "[INST]{{ .Prompt }[/INST]"


def chosen(
    layer: str | None,
    file: str | None,
    *,
    own: bool = False,
    unreadable: tuple[str, ...] = (),
    embedding: bool = False,
    parser: str = "",
    architecture: str = "llama",
) -> ModelTemplate:
    model = InstalledModel(
        name=ModelName.parse("tiny"),
        digest="",
        size=0,
        modified_at=datetime(2026, 1, 1, tzinfo=UTC),
        weights=Path(),
        weights_digest="",
        config=ConfigLayer(own_template=own, parser=parser),
        template=layer,
    )
    metadata: dict[str, int | str] = {"general.architecture": architecture}
    if file:
        metadata["tokenizer.chat_template"] = file
    if embedding:
        metadata["llama.pooling_type"] = 1
    header = Header(version=3, metadata=metadata, tensors=(), file_size=0, data_offset=0)
    return choose(model, header, dict.fromkeys(unreadable, UNREADABLE).get)


UNREADABLE = Sentence("template.unreadable", {"why": "a reason"})


@pytest.mark.parametrize("file", [PLAIN_JINJA, None])
def test_a_go_template_in_the_layer_counts(file: str | None) -> None:
    found = chosen(GO_LAYER, file)
    assert (found.source, found.go, found.notes) == (LAYER, parsed(GO_LAYER), ())


def test_a_file_that_can_more_answers_and_that_is_said() -> None:
    found = chosen(GO_LAYER, TOOLED)
    assert (found.source, found.go, found.jinja) == (FILE, None, None)
    assert found.notes == (Sentence("template.file_can_more", {"capabilities": "tools"}),)


GO_TOOLS = "{{ .Tools }}{{ range .Messages }}{{ .Content }}{{ .ToolCalls }}{{ end }}"
GO_RESULTS = GO_TOOLS + '{{ range .Messages }}{{ if eq .Role "tool" }}{{ .Content }}{{ end }}{{ end }}'
GO_THINKS = GO_TOOLS + "{{ range .Messages }}<a>{{ .Thinking }}</a>{{ end }}"
GO_FILLS = GO_TOOLS + "{{ .Suffix }}"
RESULTS = TOOLED + "{{ m.tool_calls }}{% if m.role == 'tool' %}"
THINKS = "{{ m.tool_calls }}<think></think>"


@pytest.mark.parametrize(
    ("layer", "file", "kind"),
    [
        (GO_TOOLS, PLAIN_JINJA, None),
        (GO_TOOLS, TOOLED, None),
        (GO_TOOLS, RESULTS, "template.file_tells_results"),
        (GO_RESULTS, RESULTS, None),
        (GO_TOOLS, THINKS, "template.file_can_more"),
        (GO_RESULTS, THINKS, None),
        (GO_RESULTS, RESULTS + THINKS, "template.file_can_more"),
        (GO_THINKS, RESULTS, None),
        (GO_FILLS, RESULTS, None),
        (GO_FILLS, RESULTS + THINKS, None),
    ],
)
def test_of_two_templates_with_tools_that_which_can_more_answers(
    layer: str, file: str, kind: str | None
) -> None:
    found = chosen(layer, file)
    assert found.source == (LAYER if kind is None else FILE)
    assert [note.kind for note in found.notes] == ([kind] if kind else [])


@pytest.mark.parametrize(("parser", "architecture"), [("some", "llama"), ("", "gpt-oss")])
def test_the_files_template_answers_where_the_answers_have_a_form_of_their_own(
    parser: str, architecture: str
) -> None:
    found = chosen(GO_RESULTS, RESULTS, parser=parser, architecture=architecture)
    assert (found.source, [note.kind for note in found.notes]) == (FILE, ["template.own_form"])
    assert chosen(GO_RESULTS, None, parser=parser, architecture=architecture).source == LAYER


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (GO_LAYER, ("completion",)),
        (GO_TOOLS, ("completion", "tools")),
        (GO_THINKS, ("completion", "tools", "thinking")),
        (GO_FILLS, ("completion", "tools", "insert")),
    ],
)
def test_what_a_go_template_can_do(layer: str, expected: tuple[str, ...]) -> None:
    header = Header(version=3, metadata={}, tensors=(), file_size=0, data_offset=0)
    assert capabilities(header, chosen(layer, None)) == expected


def test_a_template_that_somebody_set_here_counts_in_any_case() -> None:
    assert chosen(GO_LAYER, TOOLED, own=True).source == LAYER


def test_a_go_template_that_cannot_be_run_is_not_passed_over_in_silence() -> None:
    for_file, without = chosen(BROKEN_GO, PLAIN_JINJA), chosen(BROKEN_GO, None)
    assert for_file.source == FILE
    assert (without.source, without.name) == (KNOWN, "mistral")
    assert [note.kind for note in for_file.notes] == ["template.syntax"]
    assert [note.kind for note in without.notes] == ["template.syntax", "template.known_answers"]


@pytest.mark.parametrize("layer", [None, "", "{{ .Prompt }}"])
def test_without_a_template_in_the_layer_the_files_counts(layer: str | None) -> None:
    assert chosen(layer, PLAIN_JINJA) == ModelTemplate(source=FILE, runs=PLAIN_JINJA)


def test_without_any_template_a_known_one_answers() -> None:
    plain = known_templates()[-1].jinja
    assert chosen(None, None) == ModelTemplate(source=KNOWN, name="plain", jinja=plain, runs=plain)


def test_a_template_that_llama_cpp_cannot_read_is_replaced_and_that_is_said() -> None:
    found = chosen(None, PLAIN_JINJA, unreadable=(PLAIN_JINJA,))
    assert (found.source, found.name) == (KNOWN, "plain")
    assert found.notes == (UNREADABLE, Sentence("template.known_answers", {"name": "plain"}))
    with_layer = chosen(GO_LAYER, TOOLED, unreadable=(TOOLED,))
    assert (with_layer.source, with_layer.notes) == (LAYER, (UNREADABLE,))
    assert with_layer.jinja == recognise(GO_LAYER, "").jinja, "llama.cpp would not load the file's"


def test_a_jinja_template_in_the_layer_is_llama_cpps() -> None:
    found = chosen(TOOLED, PLAIN_JINJA)
    assert (found.source, found.jinja, found.runs) == (LAYER, TOOLED, TOOLED)
    assert chosen(TOOLED, PLAIN_JINJA, unreadable=(TOOLED,)).source == FILE


def test_an_embedding_model_needs_none() -> None:
    assert chosen(GO_LAYER, None, embedding=True) == ModelTemplate(source=NONE)


@pytest.mark.parametrize(
    ("wanted", "layer", "file", "set_to"),
    [
        ("", None, PLAIN_JINJA, ""),
        (GO_LAYER, None, PLAIN_JINJA, GO_LAYER),
        (GO_LAYER, GO_LAYER, PLAIN_JINJA, ""),
        (PLAIN_JINJA, None, PLAIN_JINJA, ""),
        (PLAIN_JINJA, GO_LAYER, PLAIN_JINJA, PLAIN_JINJA),
        ("{{ .Prompt }}", None, PLAIN_JINJA, ""),
        ("{{ .Prompt }}", GO_LAYER, PLAIN_JINJA, "{{ .Prompt }}"),
        ("{{ .Prompt }}", None, None, "{{ .Prompt }}"),
    ],
)
def test_what_a_template_for_a_new_model_sets(
    wanted: str, layer: str | None, file: str | None, set_to: str
) -> None:
    assert replacement(wanted, layer, file) == set_to


@pytest.mark.parametrize("wanted", [BROKEN_GO, "{{ index .Messages 9 }}{{ range .Messages }}{{ end }}"])
def test_a_template_for_a_new_model_that_cannot_be_run_is_refused(wanted: str) -> None:
    with pytest.raises(TemplateFailure):
        replacement(wanted, None, None)
