"""A text is cut to a number of tokens, at a border, and says so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmstack_tui.prompts import Truncated, truncate_prompt
from llmstack_tui.prompts.types import WrongArgument

PARAGRAPHS = "\n\n".join(f"Paragraph {n} has a few words. And another sentence." for n in range(40))


def by_four(text: str) -> int:
    return -(-len(text) // 4)


def test_what_fits_is_left_alone() -> None:
    assert truncate_prompt("a few words", 3, by_four) == Truncated(text="a few words", tokens=3)


def test_the_head_ends_with_a_paragraph_and_the_mark() -> None:
    cut = truncate_prompt(PARAGRAPHS, 200, by_four)
    kept, mark = cut.text.rsplit("\n\n", 1)
    assert PARAGRAPHS.startswith(f"{kept}\n\n")
    assert mark == f"[… {cut.left_out_tokens} tokens left out …]"
    assert 150 < cut.tokens <= 200
    assert cut.left_out_characters == len(PARAGRAPHS) - len(kept)
    assert str(cut) == cut.text


def test_the_tail_begins_with_the_mark_and_a_paragraph() -> None:
    cut = truncate_prompt(PARAGRAPHS, 200, by_four, keep="tail")
    mark, kept = cut.text.split("\n\n", 1)
    assert PARAGRAPHS.endswith(f"\n\n{kept}")
    assert mark.startswith("[… ")
    assert 150 < cut.tokens <= 200


@pytest.mark.parametrize("text", ["x" * 10_000, "word " * 2_000, "One line.\n" * 1_000, "¿Qué? " * 2_000])
def test_texts_without_paragraphs_are_cut_as_near(text: str) -> None:
    cut = truncate_prompt(text, 500, by_four)
    assert 370 < cut.tokens <= 500


@given(
    st.text(alphabet="ab \n.", max_size=300),
    st.integers(min_value=1, max_value=60),
    st.sampled_from(["head", "tail"]),
)
def test_it_is_never_longer(text: str, most: int, keep: str) -> None:
    cut = truncate_prompt(text, most, str.split, keep="tail" if keep == "tail" else "head")
    assert cut.tokens == len(cut.text.split()) <= most
    assert bool(cut.left_out_tokens) >= (cut.text != text)


def test_where_the_mark_has_no_room_it_is_left_out() -> None:
    cut = truncate_prompt("one two three four five", 2, str.split)
    assert (cut.text, cut.tokens, cut.left_out_tokens) == ("one two", 2, 3)


def test_few_texts_are_counted() -> None:
    counted: list[int] = []

    def count(text: str) -> int:
        counted.append(len(text))
        return by_four(text)

    truncate_prompt("word " * 200_000, 1_000, count)
    assert len(counted) < 30


@pytest.mark.parametrize("most", [0, -1])
def test_a_limit_below_one_is_refused(most: int) -> None:
    with pytest.raises(WrongArgument, match="above 0"):
        truncate_prompt("text", most, by_four)
