"""Text in the cells of a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import ControlType, Segment
from rich.style import Style
from textual.color import Color

from llmstack_tui.base.text import clean
from llmstack_tui.tui.draw.marks import UNICODE
from llmstack_tui.tui.draw.text import Net, Pen, content_of, fit, fit_name
from tests.support import seeded

ANY_TEXT = st.text(alphabet=st.characters(), max_size=60)


@given(ANY_TEXT, st.integers(0, 40), st.booleans())
def test_what_is_fitted_has_exactly_its_cells(text: str, width: int, right: bool) -> None:
    assert cell_len(fit(clean(text), width, right=right)) == width


@pytest.mark.parametrize("name", seeded.HOSTILE_NAMES)
@pytest.mark.parametrize("width", [1, 2, 19, 20, 21])
def test_names_that_are_too_long_end_with_an_ellipsis(name: str, width: int) -> None:
    fitted = fit(clean(name), width)
    assert cell_len(fitted) == width
    assert fitted.endswith("…") == (cell_len(clean(name)) > width)


def test_the_side_that_is_filled() -> None:
    assert (fit("ab", 4), fit("ab", 4, right=True)) == ("ab  ", "  ab")


def test_of_a_long_name_what_tells_it_from_others_is_kept() -> None:
    name = "hf.co/somebody/Some-Model-GGUF:Q4_K_M"
    assert fit_name(name, 27) == "…ody/Some-Model-GGUF:Q4_K_M"
    assert fit_name(name, 12) == "…Some-Model…"
    assert fit_name("llama3.2-vision:11b-instruct", 12) == "llama3.2-vi…"
    assert fit_name("me/tiny:1", 12) == "me/tiny:1   "
    assert [fit_name("a/模型模型", width) for width in (0, 1, 2, 5)] == ["", "…", "……", "…模 …"]
    assert all(cell_len(fit_name("a/模型模型", width)) == width for width in range(15))


def test_content_is_harmless_and_nothing_in_it_is_markup() -> None:
    content = content_of("a\x1b[31m", ("[red]b\u200b[/red]", "bold"), content_of("c\nd"))
    assert content.plain == "a\ufffd[31m[red]b\ufffd[/red]c\nd"
    assert content.cell_length == len("a?[31m[red]b?[/red]cd")


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("plain ●", "plain ●"),
        ("zero\u200bwidth    ", "zero\ufffdwidth   "),
        ("\x1b]52;c;eA==\x07", "\ufffd]52;c;eA="),
        ("\u202eabc", "\ufffdab"),
    ],
)
def test_a_line_about_to_be_drawn_is_harmless_and_as_wide_as_before(text: str, drawn: str) -> None:
    style, control = Style(bold=True), Segment("", None, [(ControlType.HOME,)])
    segments = Net().apply([Segment(text, style), control], Color(0, 0, 0))
    assert segments == [Segment(drawn, style), control]
    assert segments[0].cell_length == cell_len(text)


@pytest.mark.parametrize("name", seeded.HOSTILE_NAMES)
def test_a_cell_of_a_list_is_harmless_and_has_its_width(name: str) -> None:
    pen = Pen(marks=UNICODE, style=lambda _: Style(), at_cursor=False, is_marked=False)
    for segment in (pen.name(name, 30, "name"), pen.cell(name, 30, "plain")):
        assert segment.text.isprintable()
        assert segment.cell_length == 30
