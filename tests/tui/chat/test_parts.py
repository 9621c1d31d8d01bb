"""A long text in parts: nothing is lost, each stays small, and a block of code goes on as one."""

from __future__ import annotations

import pytest

from llmstack_tui.tui.chat.parts import code_blocks, cut, parts

_PROSE = "".join(f"Paragraph {at} has some words in it.\n\n" for at in range(400))
_LIST = "".join(f"- the item {at} of a tight list\n" for at in range(400))
_CODE = "Before.\n\n```python\n" + "".join(f"print({at})\n" for at in range(900)) + "```\n\nAfter.\n"
_LINE = "ha " * 5_000


@pytest.mark.parametrize("text", [_PROSE, _LIST, _LINE], ids=["prose", "list", "line"])
def test_the_parts_are_the_text_in_pieces_that_are_not_large(text: str) -> None:
    found = [*parts(text)]
    assert "".join(found) == text
    assert len(found) > 3
    assert max(map(len, found)) < 4_000


def test_a_block_of_code_goes_on_in_the_next_part() -> None:
    found = [*parts(_CODE)]
    assert len(found) > 3
    assert all("```python\n" in part for part in found if "print" in part)
    assert "".join(found).replace("```python\n", "") == _CODE.replace("```python\n", "")
    assert found[-1].endswith("After.\n")


def test_a_short_text_is_one_part_and_none_is_none() -> None:
    assert [*parts("# Hello\n\n- a\n- b\n")] == ["# Hello\n\n- a\n- b\n"]
    assert [*parts(" \n")] == []


@pytest.mark.parametrize("text", [_PROSE, _LIST, _CODE, _LINE], ids=["prose", "list", "code", "line"])
def test_what_is_drawn_is_never_taken_back(text: str) -> None:
    source = ""
    for at in range(0, len(text), 17):
        shown = len(source)
        source += text[at : at + 17]
        while (found := cut(source, shown)) is not None:
            assert found.at >= shown
            source, shown = found.prefix + source[found.at :], 0
        assert len(source) < 4_000


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("no code", ()),
        ("```\na\nb\n```\ntext\n~~~sh\nls `x`\n~~~", ("a\nb", "ls `x`")),
        ("````md\n```\ninside\n```\n````", ("```\ninside\n```",)),
        ("```python\nnot closed yet", ("not closed yet",)),
    ],
)
def test_blocks_of_code(text: str, blocks: tuple[str, ...]) -> None:
    assert code_blocks(text) == blocks
