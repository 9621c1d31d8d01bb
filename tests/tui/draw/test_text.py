"""Text in the cells of a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from llmstack_tui.base.text import clean
from llmstack_tui.tui.draw.text import fit, fit_name
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
