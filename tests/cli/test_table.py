"""Tables in the width of a terminal."""

from __future__ import annotations

import pytest

from llmstack_tui.cli.table import cells, lines

HEADS = ["", "NAME", ">SIZE", "QUANTIZATION?", ">PARAMETERS?", "STATE"]
LONG = "hf.co/somebody/a-model-with-a-name-of-sixty-characters:Q4_K_M"
ROWS = [["●", LONG, "4.7 GB", "Q4_K_M", "7.6B", "inactive"], ["○", "a:1", "97 MB", "-", "-", "active"]]


def text(heads: list[str], rows: list[list[str]], width: int | None) -> list[str]:
    return ["  ".join(line).rstrip() for line in lines(heads, rows, width)]


def test_a_pipe_gets_all() -> None:
    found = text(HEADS, ROWS, None)
    assert found[1].split() == [*ROWS[0][0:2], "4.7", "GB", "Q4_K_M", "7.6B", "inactive"]
    assert found[0].index("STATE") == found[1].index("inactive") == found[2].index("active")


def test_columns_are_left_out_before_a_name_is_shortened() -> None:
    found = text(HEADS, ROWS, 100)
    assert "QUANTIZATION" in found[0]
    assert "PARAMETERS" not in found[0]
    assert LONG in found[1]


@pytest.mark.parametrize("width", [20, 40, 60, 80, 81, 107, 108, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    for line in text(HEADS, ROWS, width)[1:] if width < 40 else text(HEADS, ROWS, width):
        assert cells(line) <= max(width, 35)


def test_a_name_keeps_its_beginning_and_its_end() -> None:
    (_, first, _) = text(HEADS, ROWS, 60)
    name = first.split()[1]
    assert name.startswith("hf.co/somebody/")
    assert name.endswith(":Q4_K_M")
    assert "…" in name


def test_sentences_at_the_end_are_wrapped() -> None:
    said = "It was idle for longer than it may be, and another model was asked for."
    found = text(["NAME", "REASON"], [["a:1", said], ["b:1", "-"]], 40)
    assert (found[0][:3], found[1][:3], found[-1][:3]) == ("NAM", "a:1", "b:1")
    assert " ".join(line[4:].strip() for line in found[1:-1]) == said
    assert len(found) == 5


def test_wide_letters_take_two_cells() -> None:
    rows = [["模型模型模型模型模型", "active"]]
    assert cells(text(["NAME", "STATE"], rows, 20)[1]) <= 20
    assert cells(text(["NAME", "STATE"], rows, None)[1]) == 28
