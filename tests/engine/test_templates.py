from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.names import ModelName
from llmstack_tui.engine.templates import (
    chat_template_for,
    known_templates,
    recognise,
)
from llmstack_tui.gguf.header import read_header
from llmstack_tui.library.installed import InstalledModel
from llmstack_tui.library.manifest import ConfigLayer
from tests.support.gguf import models
from tests.support.gguf.files import U32, Llama

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

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


def installed(weights: Path, template: str | None) -> InstalledModel:
    return InstalledModel(
        name=ModelName.parse("tiny"),
        digest="",
        size=0,
        modified_at=datetime(2026, 1, 1, tzinfo=UTC),
        weights=weights,
        weights_digest="",
        config=ConfigLayer(),
        template=template,
    )


def test_the_template_in_the_file_comes_first(tiny_model: Path) -> None:
    assert (
        chat_template_for(installed(tiny_model, "[INST]{{ .Prompt }}[/INST]"), read_header(tiny_model))
        is None
    )


def test_a_file_without_a_template(tmp_path: Path) -> None:
    path = models.scripted(tmp_path / "bare.gguf", chat_template=None)
    template = chat_template_for(installed(path, "[INST]{{ .Prompt }}[/INST]"), read_header(path))
    assert template == recognise("[INST]", "").jinja


def test_an_embedding_model_needs_none(tmp_path: Path) -> None:
    path = tmp_path / "embedding.gguf"
    path.write_bytes(bytes(Llama().saying("llama.pooling_type", U32, 1)))
    assert chat_template_for(installed(path, None), read_header(path)) is None
