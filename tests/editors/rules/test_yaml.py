"""Settings in YAML, read again by a reader of YAML: what is there stays as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from llmstack_tui.editors.rules.values import NotMergeable, combined
from llmstack_tui.editors.rules.yaml import merged, replaced, written

if TYPE_CHECKING:
    from llmstack_tui.editors.types import Value

yaml: Any = pytest.importorskip("yaml")

AIDER: dict[str, Value] = {"model": "openai/a:1", "openai-api-base": "http://x/v1", "openai-api-key": 'a"\\b'}
ITEM: dict[str, Value] = {
    "name": "a:1 (llmstack)",
    "provider": "ollama",
    "roles": ["chat", "edit"],
    "options": {"contextLength": 8},
}
CONTINUE: dict[str, Value] = {"models": [ITEM]}
HEAD: dict[str, Value] = {"name": "llmstack", "version": "0.0.1", "schema": "v1"}

SCALARS = {
    "nothing": "",
    "comments, and another model": "# mine\nmodel: gpt # once\n\n# more\ndark-mode: true\n",
    "lists": "read:\n  - a.md\n  - 'b: c'\nlint-cmd: [a, b]\n",
    "a text of several lines": "message: |\n  model: not this one\n\n  end\nmodel: gpt\n",
    "the beginning of a document": "---\nmodel: gpt\n",
    "lines of Windows": "model: gpt\r\ndark-mode: true\r\n",
    "no line end at the end": "dark-mode: true",
}
LISTS = {
    "no models": "name: Mine\nversion: 1.0.0\nschema: v1\n",
    "an empty list": "name: Mine\nmodels: []\nrules: []\n",
    "no value": "models:\nrules: []\n",
    "others": (
        "name: Mine\nmodels:\n  # a comment\n  - name: GPT\n    provider: openai\n\n# the rules\nrules: []\n"
    ),
    "others, not indented": "models:\n- name: GPT\n- provider: x\n  name: 'Y'\nrules: []\n",
    "others, with a wide dash": "models:\n    -   name: GPT\n        provider: openai\n",
    "ours, with more in it": (
        'models:\n  - name: GPT\n  - provider: old\n    name: "a:1 (llmstack)"\n    more: 1\n\n'
        "  - name: Last\n"
    ),
    "lists in the items": "models:\n  - name: GPT\n    roles:\n      - chat\n      - edit\n",
}


@pytest.mark.parametrize("before", SCALARS.values(), ids=SCALARS)
def test_settings_are_added_and_the_rest_stays(before: str) -> None:
    after = merged(before, AIDER, {})
    assert yaml.safe_load(after) == {**(yaml.safe_load(before) or {}), **AIDER}
    assert merged(after, AIDER, {}) == after
    kept = [line for line in before.splitlines(keepends=True) if "model: gpt" not in line]
    assert all(line.strip() in after for line in kept)
    assert all(line.partition(" #")[2].strip() in after for line in before.splitlines())
    assert [*replaced(before, AIDER)] == (["model"] if "model: gpt" in before else [])


@pytest.mark.parametrize("before", LISTS.values(), ids=LISTS)
def test_a_model_is_added_to_a_list_or_takes_its_place(before: str) -> None:
    after = merged(before, CONTINUE, HEAD)
    old = yaml.safe_load(before)
    models = [each for each in old.get("models") or [] if each.get("name") != ITEM["name"]]
    found = yaml.safe_load(after)
    assert [each for each in found["models"] if each != ITEM] == models
    assert found["models"].count(ITEM) == 1
    assert {**found, "models": None} == {**HEAD, **old, "models": None}
    assert merged(after, CONTINUE, HEAD) == after
    assert "# the rules" in after or "# the rules" not in before
    changed = ["models.a:1 (llmstack)"] if "provider: old" in before else []
    assert [*replaced(before, CONTINUE)] == changed


def test_a_new_file_has_the_settings() -> None:
    words: dict[str, Value] = {"a": "yes", "b": "1.0", "c": "", "d": "x: #", "e": True, "f": "é 🔑"}
    new = combined({**HEAD, **AIDER, **words}, CONTINUE)
    assert isinstance(new, dict)
    assert yaml.safe_load(written(new)) == new


@pytest.mark.parametrize(
    ("text", "kind", "line"),
    [
        ("{model: gpt}\n", "editors.unusual_yaml", 1),
        ('a: 1\n"model": gpt\n', "editors.unusual_yaml", 2),
        ("- a\n", "editors.unusual_yaml", 1),
        ("a: 1\na: 2\n", "editors.unusual_yaml", 2),
        ("a:\n\tb: 1\n", "editors.unusual_yaml", 2),
        ("a: 1\n---\nb: 2\n", "editors.unusual_yaml", 2),
        ('a: "x\nmodel: y"\n', "editors.unusual_yaml", 1),
        ("a: [x,\nb: y]\n", "editors.unusual_yaml", 1),
        ("nothing but a sentence\n", "editors.unusual_yaml", 1),
        ("models: {a: 1}\n", "editors.unusual", None),
        ("models: &all\n  - name: a\n", "editors.unusual", None),
        ("models:\n  a: 1\n", "editors.unusual", None),
    ],
)
def test_what_is_not_understood_is_not_touched(text: str, kind: str, line: int | None) -> None:
    with pytest.raises(NotMergeable) as caught:
        merged(text, CONTINUE, {})
    assert (caught.value.kind, caught.value.params.get("line")) == (kind, line)
