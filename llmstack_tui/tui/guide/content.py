"""A page of the guide as it is drawn. Pure.

The pages have headings, paragraphs, lists and blocks of code alone. Textual's widget for Markdown makes a
widget of each, and took 100 to 600 ms for a page.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.cells import cell_len

from llmstack_tui.tui.draw.text import content_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.content import Content

    from llmstack_tui.tui.draw.text import Part

_CODE_BLOCK = re.compile(r"```\w*\n(.*?)\n```", re.DOTALL)
_MARKED = re.compile(r"`([^`]+)`|\*\*([^*]+)\*\*|\[([^]]+)]\([^)]+\)")
_TITLE, _CODE, _LINK = "bold $text-primary", "bold", "$text-primary"


def page_content(text: str, width: int, bullet: str) -> Content:
    """A page in lines of at most ``width`` cells, but for words and code that are longer.

    Args:
        bullet: stands before each item of a list.
    """
    lines: list[Content] = []
    for at, part in enumerate(_CODE_BLOCK.split(text)):
        if at % 2:
            lines += [*(content_of("  ", (line, _CODE)) for line in part.splitlines()), content_of()]
            continue
        for block in filter(None, part.strip().split("\n\n")):
            lines += [*_block(block, width, bullet), content_of()]
    return content_of("\n").join(lines[:-1])


def _block(block: str, width: int, bullet: str) -> Iterator[Content]:
    if block.startswith("#"):
        yield content_of((block.lstrip("# "), _TITLE))
    elif block.startswith("- "):
        for item in block.removeprefix("- ").split("\n- "):
            yield from _wrapped(_styled(item), width, f"{bullet} ", "  ")
    else:
        yield from _wrapped(_styled(block), width)


def _styled(text: str) -> Content:
    parts: list[Part] = []
    end = 0
    text = " ".join(text.split())
    for found in _MARKED.finditer(text):
        code, strong, label = found.groups()
        parts += [text[end : found.start()], (label, _LINK) if label else (code or strong, _CODE)]
        end = found.end()
    return content_of(*parts, text[end:])


def _wrapped(content: Content, width: int, first: str = "", rest: str = "") -> Iterator[Content]:
    """Lines broken at spaces; ``first`` and ``rest`` stand before the first and the other ones."""
    start = end = 0
    for word in re.finditer(r"\S+", content.plain):
        if end and cell_len(first + content.plain[start : word.end()]) > width:
            yield content_of(first, content[start:end])
            first, start = rest, word.start()
        end = word.end()
    yield content_of(first, content[start:end])
