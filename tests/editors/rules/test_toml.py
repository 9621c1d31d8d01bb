"""Settings in TOML: what is there stays as it is."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.editors.rules.toml import merged, read, written
from llmstack_tui.editors.rules.values import NotMergeable, combined

if TYPE_CHECKING:
    from llmstack_tui.editors.types import Value

NEW: dict[str, Value] = {
    "model": 'a "b"',
    "size": 8,
    "providers": {"ours": {"url": "http://x", "on": True}},
}

CASES = {
    "nothing": "",
    "a key, and comments": '# mine\nmodel = "old" # once\nother = [\n  1,\n]\n',
    "a table before ours": "a = 1\n\n[b]\nc = 2 # two\n",
    "our table, with more in it": '[providers.ours]\nurl = "old"\nkept = 1\n\n[last]\n',
    "our table, written with spaces": '[ providers . ours ] # ours\nurl = "old"\n',
    "a key of the same name in another table": '[b]\nmodel = "other"\n',
    "lines of Windows": 'a = 1\r\n\r\n[b]\r\nc = "#"\r\n',
    "a list of tables": "[[b]]\nc = 1\n\n[[b]]\nc = 2\n",
    "a line in a text": 'a = """\nmodel = "in a text"\n"""\n',
    "a table on one line": 'providers = {ours = {url = "old"}}\n',
    "a key with dots": 'providers.ours.url = "old"\n',
    "a key in quotation marks": '"model" = "old"\n',
}


@pytest.mark.parametrize("before", CASES.values(), ids=CASES)
def test_settings_are_added_and_the_rest_stays(before: str) -> None:
    after = merged(before, NEW)
    assert tomllib.loads(after) == combined(tomllib.loads(before), NEW)
    assert merged(after, NEW) == after
    for line in before.splitlines(keepends=True):
        if "old" not in line:
            assert line in after
        assert line.partition(" #")[2] in after  # The comment, also of what is replaced.


def test_a_new_file_has_the_settings() -> None:
    assert read(written(NEW)) == NEW


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("a = \n", "editors.not_toml"),
        ("providers = 1\n", "editors.unusual"),
        ("[[providers]]\nours = 1\n", "editors.unusual"),
    ],
)
def test_what_would_be_lost_is_not_touched(text: str, kind: str) -> None:
    with pytest.raises(NotMergeable) as caught:
        merged(text, NEW)
    assert caught.value.kind == kind
