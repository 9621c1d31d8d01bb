"""Sentences, and the text that a catalogue gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base import wording as base
from llmstack_tui.base.address import parse_host
from llmstack_tui.base.durations import parse_duration
from llmstack_tui.base.names import ModelName
from llmstack_tui.base.sentences import Catalogue, Failure, Plural, Sentence, Sentences, quoted
from llmstack_tui.base.wording import Wording

if TYPE_CHECKING:
    from collections.abc import Callable

SPACE = "\N{NO-BREAK SPACE}"
SENTENCES: Catalogue = {
    "greeting": "Hello {name}.",
    "memory": "It takes {taken:size} for {idle_s:duration}, loaded in {load_s:seconds}.",
    "limit": "It goes after {limit_s:setting}.",
    "failed": "{model} failed: {reason}",
    "figure": "It has {count:,}.",
    "raw": "It said: {error:raw}",
    "typed": "Not {text:quoted}.",
    "many": Plural("count", one="One model of {names}.", other="{count} models: {names}."),
}
WORDING = Wording(SENTENCES.get)


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        (Sentence("greeting", {"name": "a\nb\x1b"}), "Hello a b\N{REPLACEMENT CHARACTER}."),
        (Sentence("raw", {"error": "a\nb"}), "It said: a\nb"),
        (
            Sentence("memory", {"taken": 4_750_000_000, "idle_s": 125.0, "load_s": 3.14}),
            f"It takes 4.8{SPACE}GB for 2{SPACE}min, loaded in 3.1{SPACE}s.",
        ),
        (Sentence("limit", {"limit_s": 9000.0}), f"It goes after 2{SPACE}h{SPACE}30{SPACE}min."),
        (Sentence("many", {"count": 1, "names": ("a",)}), "One model of a."),
        (Sentence("many", {"count": 3, "names": ("a", "b", "c")}), "3 models: a, b and c."),
        (
            Sentence(
                "failed", {"model": "a", "reason": (Sentence("greeting", {"name": "b"}), quoted("{c}"))}
            ),
            "a failed: Hello b. {c}",
        ),
        (quoted("[bold]as it is\n"), "[bold]as it is\n"),
        (Sentence("typed", {"text": "a\u202e" + "b" * 99}), f"Not 'a\\u202e{'b' * 77}…'."),
    ],
)
def test_a_sentence_gets_the_words_of_its_kind(sentence: Sentence, expected: str) -> None:
    assert WORDING.text(sentence) == expected


@pytest.mark.parametrize(
    ("sentences", "expected"),
    [
        ((Sentence("greeting", {"name": "b"}),), "Hello b."),
        (
            (quoted((Sentence("greeting", {"name": "b"}),)), Sentence("greeting", {"name": 5})),
            "Hello b. Hello 5.",
        ),
        ((Sentence("raw", {"error": "a\n\x1b[2J"}),), "It said: a \N{REPLACEMENT CHARACTER}[2J."),
        ((Sentence("greeting", {"name": "b" * 999, "more": 1}),), f"Hello {'b' * 293}…"),
        # What is not known here, or is not as its form needs it.
        ((Sentence("newer"),), "Its text."),
        ((Sentence("greeting"),), "Its text."),
        ((Sentence("greeting", {"name": "b"}), Sentence("newer")), "Its text."),
        ((Sentence("failed", {"model": "a", "reason": (Sentence("newer"),)}),), "Its text."),
        ((Sentence("failed", {"model": "a", "reason": ()}),), "Its text."),
        ((Sentence("limit", {"limit_s": "soon"}),), "Its text."),
        ((Sentence("limit", {"limit_s": ("soon",)}),), "Its text."),
        ((Sentence("figure", {"count": "many"}),), "Its text."),
        ((Sentence("figure", {"count": (quoted("many"),)}),), "Its text."),
        ((Sentence("typed", {"text": 5}),), "Its text."),
        ((Sentence("quoted", {"text": "a", "sentences": ("b",)}),), "a."),
        ((Sentence("quoted", {}),), "Its text."),
    ],
)
def test_a_servers_sentences_are_shown_if_they_are_known_and_else_its_text(
    sentences: Sentences, expected: str
) -> None:
    assert WORDING.text(quoted("Its text.", sentences)) == expected


def test_sentences_follow_one_another() -> None:
    assert WORDING.text() == ""
    assert WORDING.text(quoted("One."), quoted("Two.")) == "One. Two."


@pytest.mark.parametrize("kind", ["newer", "greeting"])
def test_what_a_newer_version_recorded_is_shown_as_it_is(kind: str) -> None:
    assert WORDING.text(Sentence(kind, {"model": "a"})) == f"{kind}: model a"


@pytest.mark.parametrize(
    ("read", "typed", "said"),
    [
        (
            ModelName.parse,
            "m:a b",
            "'m:a b' is not a model name: 'a b' cannot be the tag of a model. Use up to 80 letters from a to "
            "z, digits, '-', '_' and '.'. Names look like qwen2.5-coder:7b or hf.co/user/model:Q4_K_M.",
        ),
        (
            parse_host,
            "gpu box",
            "'gpu box' is not an address of a server. Addresses look like 127.0.0.1:11434 or https://example.com.",
        ),
        (parse_duration, "soon", "'soon' is not a length of time: write it as 90s, 10m or 1h30m."),
    ],
)
def test_what_is_wrong_with_what_was_typed(read: Callable[[str], object], typed: str, said: str) -> None:
    with pytest.raises(Failure) as caught:
        read(typed)
    assert Wording(base.SENTENCES.get).words(caught.value) == said
