"""Every page is there in every language and says the same, and what it names is there."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import pytest
from textual.keys import key_to_character

from llmstack_tui.base import languages
from llmstack_tui.base.languages import LANGUAGES, tr
from llmstack_tui.cli.completion import forms
from llmstack_tui.cli.main import COMMANDS, build_whole_parser
from llmstack_tui.config.table import table
from llmstack_tui.core.key_ring import PASSPHRASE
from llmstack_tui.guide.pages import FOLDER, TOPICS, near, page, pages, topic_of
from llmstack_tui.tui.draw.marks import ASCII
from llmstack_tui.tui.features import BINDINGS, FEATURES
from tests.config.files import load

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from llmstack_tui.base.languages import Language

_BLOCKS = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
_COLUMNS = 80
# How the guide writes keys; Tab is Textual's own.
_KEYS = {"Enter": "enter", "Esc": "escape", "Space": "space", "Tab": "tab", "←": "left", "→": "right"}
_KEYS |= {"/": "slash"}


@pytest.fixture(params=LANGUAGES, ids=lambda each: each.code, autouse=True)
def language(request: pytest.FixtureRequest) -> Iterator[Language]:
    found: Language = request.param
    languages.use(found.code)
    yield found
    languages.use("en")


class Outline(NamedTuple):
    """What a translation has in common with the English page."""

    shape: list[str]
    code: Counter[str]
    links: Counter[str]
    blocks: list[tuple[str, str]]


def outline(topic: str) -> Outline:
    text = page(topic).text
    prose = _BLOCKS.sub("", text)
    blocks = [(kind, re.sub(r" *#.*", "", code)) for kind, code in _BLOCKS.findall(text)]
    return Outline(re.findall(r"^(?:#+|-) ", prose, re.MULTILINE), Counter(named(text)), links(text), blocks)


def links(text: str) -> Counter[str]:
    return Counter(re.findall(r"\]\(([^)]*)\)", text))


def named(text: str) -> list[str]:
    """What stands in backquotes, with the lines of the blocks for a shell."""
    lines = [line for kind, code in _BLOCKS.findall(text) if kind == "sh" for line in code.splitlines()]
    return [*re.findall(r"`([^`\n]+)`", _BLOCKS.sub("", text)), *lines]


def all_named() -> set[str]:
    return {each for page_ in pages() for each in named(page_.text)}


def test_the_files_are_those_of_the_topics(language: Language) -> None:
    assert {file.stem for file in (FOLDER / language.code).iterdir()} == {*TOPICS}


@pytest.mark.parametrize("topic", TOPICS)
def test_a_page_has_the_outline_of_the_english_one(topic: str) -> None:
    own = outline(topic)
    languages.use("en")
    assert own == outline(topic)


@pytest.mark.parametrize("topic", TOPICS)
def test_a_page_can_be_read_in_a_terminal(topic: str) -> None:
    found = page(topic)
    assert len(found.title) <= 24
    assert re.fullmatch(r"[^`*]{15,48}[.]", found.purpose), "a sentence that fits the list of topics"
    assert len(found.text.splitlines()) <= 120, "a short page"
    prose = _BLOCKS.sub("", found.text)
    assert [line for line in prose.splitlines() if len(line) > _COLUMNS or line.startswith("|")] == []


def test_links_lead_to_pages() -> None:
    found = {link for each in pages() for link in links(each.text)}
    assert {link.removesuffix(".md") for link in found} <= {*TOPICS}


def test_every_command_that_is_named_exists_with_its_options_and_every_command_is_named() -> None:
    known = {form.path: form for form in forms(build_whole_parser())}
    every = {name for form in known.values() for name, _ in form.options}
    seen = set[str]()
    for text in all_named():
        if text.startswith("--"):
            assert text.split()[0] in every, text
        if not text.startswith("llmstack ") or "COMMAND" in text:
            continue
        _, *words = re.sub(r"[<>|\[\]()].*", "", text).split()
        path = tuple(words[:2]) if tuple(words[:2]) in known else tuple(words[:1])
        assert path in known, text
        options = {name for name, _ in known[path].options}
        assert {word for word in text.split() if word.startswith("--")} <= options, text
        subcommands = {each[1] for each in known if len(each) == 2 and each[0] == path[0]}
        assert len(path) == 2 or not subcommands, f"{text} needs {subcommands}"
        seen.add(path[0])
    assert seen == {command.name for command in COMMANDS}


def test_every_setting_that_is_named_exists(tmp_path: Path) -> None:
    known = {setting.name for setting in table()}
    found = {".".join(words) for text in all_named() for words in re.findall(r"^\[(\w+)\] (\w+)", text)}
    assert found
    assert found <= known
    sections = {text for text in all_named() if re.fullmatch(r"\[[\w.]+\]", text)}
    assert {section[1:-1] for section in sections} <= {*known, *(name.rpartition(".")[0] for name in known)}
    variables = {name for text in all_named() for name in re.findall(r"LLMSTACK_\w+", text)}
    of_settings = {f"LLMSTACK_{name.upper().replace('.', '_')}" for name in known}
    assert variables <= of_settings | {PASSPHRASE}
    for each in pages():
        for kind, code in _BLOCKS.findall(each.text):
            if kind == "toml" and each.topic != "themes":  # See tests/config/test_themes.py.
                assert load(tmp_path, code).problems == (), each.topic


def test_every_key_that_is_named_exists_and_every_feature_is_named() -> None:
    known = {key for binding in BINDINGS for key in binding.key.split(",")} | {"tab"}
    known |= {character for key in known if (character := key_to_character(key))}
    marks = {getattr(ASCII, name) for name in ASCII.__struct_fields__}
    keys = {text for text in all_named() if len(text) == 1 or text in _KEYS or text.startswith("ctrl+")}
    assert {key for key in keys if _KEYS.get(key, key) not in known} <= marks
    said = "\n".join(each.text for each in pages()).casefold()
    for feature in FEATURES:
        assert tr(feature.label).casefold() in said, feature.name
        if feature.opened_by:
            assert (key_to_character(feature.opened_by.key) or feature.opened_by.key) in keys, feature.name


def test_a_topic_is_found_by_its_beginning_and_another_word_by_what_the_pages_say() -> None:
    assert [topic_of(word) for word in ("guard", " Guard ", "gu", "s", "", "guards")] == [
        "guard", "guard", "guard", None, None, None,
    ]  # fmt: skip
    assert near("s") == ["start", "servers", "settings", "scripts"]
    assert near("gaurd")[0] == "guard"
    assert near("landlock") == ["engine"]
    assert near("no such word") == near("") == []
