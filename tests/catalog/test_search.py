"""Finding a model by words."""

from __future__ import annotations

import pytest

from llmstack_tui.catalog.rules import search
from llmstack_tui.catalog.types import Entry, File, Number, Text, Use


def entry(
    name: str, *uses: Use, family: str = "X", licence: str = "MIT", good_for: str = "tests", priority: int = 2
) -> Entry:
    return Entry(
        name=name,
        family=family,
        uses=uses or (Use.GENERAL,),
        good_for=good_for,
        priority=priority,
        parameters=Text("7B", ""),
        context=Number(4096, ""),
        files=(File("latest", 1, ""),),
        license=Text(licence, "") if licence else None,
    )


ENTRIES = (
    entry("coder:7b", Use.CODE, family="Quick Coder"),
    entry("coder-large:70b", Use.CODE, family="Quick Coder", priority=1),
    entry("maths:7b", Use.REASONING, licence="Apache-2.0", good_for="sums, and reading code"),
    entry("old-coder:1b", Use.CODE, Use.SMALL, licence="", priority=5),
    entry("chat:7b", Use.GENERAL, good_for="talking", priority=1),
)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        # All of them, by priority, in the order of the file.
        ("", ["coder-large:70b", "chat:7b", "coder:7b", "maths:7b", "old-coder:1b"]),
        ("  ", ["coder-large:70b", "chat:7b", "coder:7b", "maths:7b", "old-coder:1b"]),
        # The whole name, its beginning, within it.
        ("coder", ["coder:7b", "coder-large:70b", "old-coder:1b"]),
        ("coder-large:70b", ["coder-large:70b"]),
        # The name before the use, the use before what it is good for.
        ("code", ["coder-large:70b", "coder:7b", "old-coder:1b", "maths:7b"]),
        ("CODER Small", ["old-coder:1b"]),
        ("quick", ["coder-large:70b", "coder:7b"]),
        ("apache", ["maths:7b"]),
        ("talk", ["chat:7b"]),
        ("coder apache", []),
        ("nothing", []),
    ],
)
def test_words(text: str, names: list[str]) -> None:
    assert [found.name for found in search(ENTRIES, text)] == names
