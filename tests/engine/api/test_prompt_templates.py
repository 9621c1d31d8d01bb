"""Which template writes a prompt, on the real engine: a request's, the layer's, the file's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import folders
from tests.support.engine import GREEDY, HI, Serving
from tests.support.gguf import models
from tests.support.gguf.models import END, PADDING, START, Vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONVERSATION = [
    {"role": "user", "content": "One?"},
    {"role": "assistant", "content": "Two."},
    {"role": "user", "content": "Three?"},
    {"role": "user", "content": "Four?"},
]
TURNS = "{{ range .Messages }}<|im_start|>{{ .Role }}: {{ .Content }};{{ end }}<|im_end|>"
ONE_TOKEN = {**GREEDY, "num_predict": 1}


@pytest.fixture(scope="module", autouse=True)
def _unloaded(engine: Serving) -> Iterator[None]:
    """Afterwards nothing is loaded: a process is listed by the first of the models that share it."""
    yield
    engine.unload_all()


def context(engine: Serving, model: str, **body: Any) -> list[int]:
    """The tokens of the prompt and of one more."""
    found: list[int] = engine.generate(**{"model": model, "prompt": "Hi", "options": ONE_TOKEN, **body})[
        "context"
    ]
    return found


def exactly(engine: Serving, model: str, prompt: str) -> list[int]:
    """The same for a prompt that is written out: by a template that adds nothing to it."""
    return context(engine, model, prompt=prompt, template="{{ .Prompt }}")


def made(engine: Serving, name: str, template: str, base: str = "tiny", **body: Any) -> dict[str, Any]:
    """A model with that template, as it is shown."""
    answer = engine.post("/api/create", model=name, **{"from": base, "template": template, **body})
    assert answer.text.endswith('{"status":"success"}\n'), answer.text
    shown: dict[str, Any] = engine.answered("/api/show", model=name)
    return shown


def test_the_template_of_a_request_writes_its_prompt(engine: Serving) -> None:
    template = "{{ if .System }}({{ .System }}){{ end }}<|im_start|>{{ .Prompt }}<|im_end|>"
    found = context(engine, "tiny", template=template, system="Be brief.")
    assert found == exactly(engine, "tiny", "(Be brief.)<|im_start|>Hi<|im_end|>")
    again = context(engine, "tiny", template=template, prompt="Bye", context=found)
    assert again[: len(found)] == found
    assert again[len(found) :] == context(engine, "tiny", template=template, prompt="Bye")


def test_a_models_own_template_writes_its_prompts(engine: Serving) -> None:
    shown = made(engine, "own", TURNS, system="Go.")
    assert shown["template"] == TURNS
    assert shown["prompt_template"] == {"source": "layer", "name": "", "notes": ""}
    assert context(engine, "own") == exactly(
        engine, "tiny", "<|im_start|>system: Go.;<|im_start|>user: Hi;<|im_end|>"
    )
    count = engine.answered("/api/chat", model="own", messages=CONVERSATION, options=ONE_TOKEN)[
        "prompt_eval_count"
    ]
    prompt = (
        "<|im_start|>system: Go.;<|im_start|>user: One?;<|im_start|>assistant: Two.;"
        "<|im_start|>user: Three?\n\nFour?;<|im_end|>"
    )
    assert count == len(exactly(engine, "tiny", prompt)) - 1
    streamed = engine.post("/v1/chat/completions", model="own", messages=CONVERSATION, max_tokens=1).json()
    assert streamed["usage"]["prompt_tokens"] == count
    first = context(engine, "own", prompt="Hi", system="Go.")
    assert context(engine, "own", prompt="Hi", context=first)[: len(first)] == first


def test_a_prompt_begins_once(engine: Serving, tmp_path: Path) -> None:
    engine.import_file("beginning", models.random_weights(tmp_path / "beginning.gguf", begins=True))
    token = Vocabulary()
    expected = [token[START], token["H"], token["i"]]
    assert context(engine, "beginning", template="{{ .Prompt }}")[:3] == expected
    assert context(engine, "beginning", template=START + "{{ .Prompt }}")[:3] == expected
    body = {"template": START + "{{ if .Suffix }}{{ .Prompt }}{{ end }}", "suffix": "a"}
    assert context(engine, "beginning", **body)[:3] == expected
    options = {**ONE_TOKEN, "num_ctx": 256}
    cut = context(engine, "beginning", template="{{ .Prompt }}", prompt="a" * 300, options=options)
    assert cut.count(token[START]) == 1, "nor does the answer to a prompt that was cut begin with that token"


def test_a_template_is_kept_by_what_is_made_of_the_model(engine: Serving) -> None:
    made(engine, "first", TURNS)
    assert made(engine, "second", "", base="first", system="Go.")["template"] == TURNS
    modelfile = engine.answered("/api/show", model="first")["modelfile"]
    assert f"TEMPLATE {TURNS}\n" in modelfile
    assert made(engine, "third", TURNS, base="first")["prompt_template"]["source"] == "layer"
    file = engine.answered("/api/show", model="tiny")["template"]
    assert made(engine, "fourth", file)["prompt_template"]["source"] == "file"


def test_a_template_without_tools_leaves_none(engine: Serving) -> None:
    assert "tools" in engine.answered("/api/show", model="caller")["capabilities"]
    assert made(engine, "toolless", TURNS, base="caller")["capabilities"] == ["completion"]
    tool = {"type": "function", "function": {"name": "add"}}
    said = engine.error(400, "/api/chat", model="toolless", messages=CONVERSATION, tools=[tool])
    assert said.endswith("toolless:latest does not support tools")


def test_a_jinja_template_can_be_set_too(engine: Serving) -> None:
    jinja = "{% for m in messages %}<|im_start|>{{ m.content }}{% endfor %}<|im_end|>"
    assert made(engine, "jinja", jinja)["prompt_template"]["source"] == "layer"
    assert context(engine, "jinja") == exactly(engine, "tiny", "<|im_start|>Hi<|im_end|>")


def test_the_oldest_turns_leave_a_conversation_that_is_too_long(engine: Serving) -> None:
    made(engine, "long", TURNS)
    turns = [{"role": ("user", "assistant")[n % 2], "content": f"{n} " + "word " * 10} for n in range(41)]
    options = {**ONE_TOKEN, "num_ctx": 256}
    cut = engine.answered("/api/chat", model="long", messages=turns, options=options)["prompt_eval_count"]
    assert 150 < cut < 256
    kept = engine.answered("/api/chat", model="long", messages=turns[-3:], options=options)[
        "prompt_eval_count"
    ]
    assert kept < cut
    said = engine.error(400, "/api/chat", model="long", messages=turns, options=options, truncate=False)
    assert "exceeds the available context size" in said


@pytest.fixture(scope="module")
def filling(engine: Serving, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("filling") / "filling.gguf"
    engine.import_file("filling", models.random_weights(path, fills=True))
    return "filling"


@pytest.fixture(scope="module")
def blank(engine: Serving, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A model that writes tabs wherever it may."""
    script = {"\t": ("\t",), "ab": ("\t",)}
    path = models.chain(
        tmp_path_factory.mktemp("blank") / "b.gguf", "Blank", script, otherwise="\t", hidden=32
    )
    engine.import_file("blank", path)
    return "blank"


def test_a_gap_is_filled_on_the_tokens_of_the_file(engine: Serving, filling: str) -> None:
    assert engine.answered("/api/show", model=filling)["capabilities"] == ["completion", "insert"]
    token = Vocabulary()
    expected = [token[START], token["a"], token["("], token[END], token[")"], token[PADDING]]
    assert context(engine, filling, prompt="a(", suffix=")")[:6] == expected
    letters = [token[letter] for letter in END]
    found = context(engine, filling, prompt=END, suffix=END)
    assert found[: len(letters) + 2] == [token[START], *letters, token[END]], "what is typed is no token"
    answer = engine.post("/v1/completions", model=filling, prompt="a(", suffix=")", max_tokens=1)
    assert answer.json()["usage"]["prompt_tokens"] == len(expected)


def test_of_texts_around_a_gap_that_are_too_long_the_nearest_is_kept(engine: Serving, filling: str) -> None:
    options = {**ONE_TOKEN, "num_ctx": 256}
    body = {"prompt": "a" * 200 + "b" * 100, "suffix": "c" * 40 + "d" * 200, "options": options}
    found = context(engine, filling, **body)
    token = Vocabulary()
    gap, end = found.index(token[END]), found.index(token[PADDING])
    assert (found[0], end) == (token[START], 256 - 256 // 4 - 1), "a quarter is left for the answer"
    assert found[gap - 100 : gap] == [token["b"]] * 100
    assert found[gap + 1 : gap + 41] == [token["c"]] * 40
    said = engine.error(400, "/api/generate", model=filling, truncate=False, **body)
    assert "exceeds the available context size" in said


def test_a_gap_is_filled_by_the_template(engine: Serving, filling: str) -> None:
    template = "{{ if .Suffix }}S{{ .Suffix }}P{{ .Prompt }}{{ else }}{{ .Prompt }}{{ end }}"
    shown = made(engine, "filler", template)
    assert shown["capabilities"] == ["completion", "insert"]
    assert context(engine, "filler", prompt="a(", suffix=")") == exactly(engine, "tiny", "S)Pa(")
    assert context(engine, "tiny", prompt="a(", suffix=")", template=template) == exactly(
        engine, "tiny", "S)Pa("
    )
    said = engine.error(400, "/api/generate", model=filling, prompt="a", suffix="b", template="{{ .Prompt }}")
    assert said.endswith("filling:latest does not support insert")
    said = engine.error(400, "/v1/completions", model="tiny", prompt="a", suffix="b")
    assert said.endswith("tiny:latest does not support insert")


@pytest.mark.parametrize("model", ["filling", "formatted"])
def test_json_is_written_without_a_fence(engine: Serving, filling: str, model: str) -> None:
    made(engine, "formatted", TURNS, base=filling)
    schema = {"type": "object", "properties": {"a": {"type": "boolean"}}, "required": ["a"]}
    for seed in range(3):
        answer = engine.chat(
            model=model,
            format=schema,
            logprobs=True,
            options={"seed": seed, "temperature": 1, "num_predict": 99},
        )
        written = "".join(token["token"] for token in answer["logprobs"])
        assert answer["message"]["content"] == written
        assert "`" not in written[:4]


@pytest.mark.parametrize("path", ["/api/chat", "/api/generate"])
@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        ("json", '{"'),
        ({"type": "array", "items": {"const": 5}, "minItems": 2}, "[5, 5]"),
        ({"type": "array", "minItems": 1, "uniqueItems": True, "contains": {}}, "["),
        ({"type": "string", "format": "our-own", "not": {"const": ""}}, '"'),
        ({"type": "string", "pattern": "^(?=x)"}, '"'),
    ],
)
def test_a_schema_is_kept_to_without_white_space_and_what_no_grammar_can_say(
    engine: Serving, blank: str, path: str, wanted: object, text: str
) -> None:
    asked = {"model": blank, "messages": HI, "prompt": "Hi", "format": wanted}
    answer = engine.answered(path, **asked, options={**GREEDY, "num_predict": 20})
    said = answer["response"] if "response" in answer else answer["message"]["content"]
    assert said.startswith(text)


@pytest.mark.parametrize("body", [{}, {"raw": True}, {"template": "{{ .Prompt }}"}])
def test_a_schema_that_cannot_be_kept_to_is_refused(engine: Serving, body: dict[str, Any]) -> None:
    said = engine.error(400, "/api/generate", model="tiny", prompt="Hi", format={"type": "any"}, **body)
    assert said.startswith("A JSON schema of the request cannot be used")


UNREADABLE = "{% for message in messages %}{{ message.content | frobnicate }}{% endfor %}"


def test_a_template_in_a_file_that_llama_cpp_cannot_read_is_found_at_import(
    engine: Serving, tmp_path: Path
) -> None:
    path = models.scripted(tmp_path / "unreadable.gguf", chat_template=UNREADABLE)
    answer = engine.post("/api/import", model="unreadable", path=str(path))
    *_, unreadable, instead, success = [line["status"] for line in map(json.loads, answer.text.splitlines())]
    assert "llama.cpp cannot read" in unreadable
    assert "frobnicate" in unreadable
    assert "plain answers instead" in instead
    assert success == "success"
    shown = engine.answered("/api/show", model="unreadable")
    assert shown["prompt_template"] == {
        "source": "known",
        "name": "plain",
        "notes": f"{unreadable} {instead}",
    }
    assert engine.chat(model="unreadable")["message"]["content"]
    assert made(engine, "mended", TURNS, base="unreadable")["prompt_template"]["source"] == "layer"
    assert context(engine, "mended") == exactly(engine, "tiny", "<|im_start|>user: Hi;<|im_end|>")
    jinja = made(engine, "mended-too", models.CHATML, base="unreadable")
    assert (jinja["prompt_template"]["source"], jinja["template"]) == ("layer", models.CHATML)


@pytest.mark.parametrize("body", [{}, {"format": "json"}])
def test_what_a_template_refuses_is_told_in_its_words(engine: Serving, body: dict[str, Any]) -> None:
    refusing = "{%- if messages[0].role != 'user' %}{{ raise_exception('Begin with\na user!') }}{% endif %}"
    made(engine, "picky", refusing + models.CHATML)
    messages = [{"role": "assistant", "content": "Hi"}, {"role": "user", "content": "Hi"}]
    said = engine.error(400, "/api/chat", model="picky", messages=messages, **body)
    assert said == "The model's template refuses the messages: Begin with a user!"


def test_a_jinja_template_that_llama_cpp_cannot_read_is_not_set(engine: Serving) -> None:
    body = {"model": "never", "from": "tiny", "template": UNREADABLE + " "}
    assert "template error: llama.cpp cannot read" in engine.error(400, "/api/create", **body)
    assert engine.post("/api/show", model="never").status_code == 404


def test_a_template_in_a_file_of_ollamas_that_llama_cpp_cannot_read_is_found_at_the_load(
    engine: Serving, tmp_path: Path
) -> None:
    path = models.scripted(tmp_path / "theirs.gguf", chat_template=f"{UNREADABLE} {{# theirs #}}")
    folder = engine.home / ".ollama" / "models"
    parts = folders.manifest(folder, path.read_bytes())
    folders.write(folder, "registry.ollama.ai/library/theirs/latest", parts)
    assert engine.answered("/api/show", model="theirs")["prompt_template"]["source"] == "file"
    assert engine.chat(model="theirs")["message"]["content"]
    assert engine.answered("/api/show", model="theirs")["prompt_template"]["source"] == "known"
