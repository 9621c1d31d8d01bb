"""A page is drawn in lines of the width, with its headings, lists and code."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from llmstack_tui.guide.pages import TOPICS, page
from llmstack_tui.tui.guide.content import page_content

PAGE = """\
# A title

Some words
that fill `a line`, and a [link](there.md), **strong**.

- one item, which
  is long
- another

```sh
a line of code  that is longer

and another
```

## The end
"""


def test_each_block_has_its_form() -> None:
    content = page_content(PAGE, 16, "-")
    assert content.plain.splitlines() == [
        "A title", "",
        "Some words that", "fill a line, and", "a link, strong.", "",
        "- one item,", "  which is long", "- another", "",
        "  a line of code  that is longer", "  ", "  and another", "",
        "The end",
    ]  # fmt: skip
    styled = {content.plain[span.start : span.end]: str(span.style) for span in content.spans}
    assert styled["A title"] == styled["The end"] == "bold $text-primary"
    assert (styled["a line"], styled["strong"], styled["link"]) == ("bold", "bold", "$text-primary")


@pytest.mark.parametrize("topic", TOPICS)
def test_nothing_of_a_page_is_lost(topic: str) -> None:
    text = page(topic).text
    narrow, wide = (page_content(text, width, "-") for width in (30, 90))
    assert narrow.plain.split() == wide.plain.split()
    assert max(cell_len(line) for line in wide.plain.splitlines()) <= 90
    assert not any(mark in narrow.plain for mark in ("`", "](", "**"))
