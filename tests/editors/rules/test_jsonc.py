"""Settings in JSON with comments: what is there stays as it is, character by character."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmstack_tui.editors.rules.jsonc import merged, read, written
from llmstack_tui.editors.rules.values import NotMergeable, combined, replaced

if TYPE_CHECKING:
    from llmstack_tui.editors.types import Value

NEW: dict[str, Value] = {"env": {"URL": "http://x", "N": 1}}

CASES = {
    "nothing but space": (" \n", '{\n  "env": {\n    "URL": "http://x",\n    "N": 1\n  }\n}\n'),
    "an empty object": ("{}", '{\n  "env": {\n    "URL": "http://x",\n    "N": 1\n  }\n}'),
    "one line": ('{"a": 1}', '{"a": 1, "env": {"URL": "http://x", "N": 1}}'),
    "one line that ends with a comma": (
        '{"a": 1,}',
        '{"a": 1, "env": {"URL": "http://x", "N": 1},}',
    ),
    "comments": (
        '// mine\n{\n    "a": 1 // one\n    /* end */\n}\n',
        '// mine\n{\n    "a": 1, // one\n    "env": {\n      "URL": "http://x",\n      "N": 1\n    }\n'
        "    /* end */\n}\n",
    ),
    "a last comma, and a comment": (
        '{\n  "a": [1, 2,], // one\n}',
        '{\n  "a": [1, 2,], // one\n  "env": {\n    "URL": "http://x",\n    "N": 1\n  },\n}',
    ),
    "a comment in an empty object": (
        "{\n  // nothing yet\n}",
        '{\n  // nothing yet\n  "env": {\n    "URL": "http://x",\n    "N": 1\n  }\n}',
    ),
    "an object to be filled": (
        '{\n\t"env": {\n\t\t"URL": "old", // why\n\t\t"B": "b"\n\t}\n}',
        '{\n\t"env": {\n\t\t"URL": "http://x", // why\n\t\t"B": "b",\n\t\t"N": 1\n\t}\n}',
    ),
    "lines of Windows": (
        '{\r\n  "a": 1\r\n}\r\n',
        '{\r\n  "a": 1,\r\n  "env": {\r\n    "URL": "http://x",\r\n    "N": 1\r\n  }\r\n}\r\n',
    ),
    "a mark of the byte order": (
        '\ufeff{"a": "//"}',
        '\ufeff{"a": "//", "env": {"URL": "http://x", "N": 1}}',
    ),
    "something else under the name": ('{"env": null}', '{"env": {\n  "URL": "http://x",\n  "N": 1\n}}'),
}


@pytest.mark.parametrize(("before", "after"), CASES.values(), ids=CASES)
def test_settings_are_added_and_the_rest_stays(before: str, after: str) -> None:
    assert merged(before, NEW) == after
    assert merged(after, NEW) == after  # The second time, there is nothing to do.


def test_an_item_takes_the_place_of_the_one_with_its_name() -> None:
    before = '{"models": [\n  {"name": "a", "mine": true}, // a\n  {"name": "b"}\n]}'
    new: dict[str, Value] = {"models": [{"name": "a", "size": 2}, {"name": "c"}]}
    assert read(merged(before, new)) == {
        "models": [{"name": "a", "mine": True, "size": 2}, {"name": "b"}, {"name": "c"}]
    }
    assert "// a" in merged(before, new)


@pytest.mark.parametrize(
    ("text", "kind", "line"),
    [
        ("{\n  'a': 1\n}", "editors.not_json", 2),
        ('{\n  "a": 1\n  "b": 2\n}', "editors.not_json", 3),
        ('{"a": }', "editors.not_json", 1),
        ('{"a": 1', "editors.not_json", 1),
        ('{"a": [1, 2', "editors.not_json", 1),
        ('{"a": 1} {}', "editors.not_json", 1),
        ('{\n\n"a" 1}', "editors.not_json", 3),
        ("/* never closed", "editors.not_json", 1),
        ("[1]", "editors.no_object", None),
        ('"text"', "editors.no_object", None),
        ('{"env": {"URL": 1}, "env": {}}', None, None),
        ("[" * 100_000, "editors.unusual", None),
    ],
)
def test_what_is_no_settings_is_said_with_its_line(text: str, kind: str | None, line: int | None) -> None:
    if kind is None:  # The last one counts, as in every reader.
        assert read(merged(text, NEW)) == {"env": {"URL": "http://x", "N": 1}}
        return
    with pytest.raises(NotMergeable) as caught:
        merged(text, NEW)
    assert (caught.value.kind, caught.value.params.get("line")) == (kind, line)


_NAMES = st.sampled_from(["a", "b", "c", "name"])
_PLAIN = st.one_of(st.booleans(), st.integers(-9, 9), st.text('xy"\\/*\n,}]🔑', max_size=4))
_VALUES = st.recursive(
    _PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3),
    max_leaves=8,
)
_OBJECTS = st.dictionaries(_NAMES, _VALUES, max_size=3)


@given(_OBJECTS, _OBJECTS, st.sampled_from([None, 1, "\t"]))
def test_the_text_is_what_a_merge_of_the_values_gives(
    old: dict[str, Value], new: dict[str, Value], indent: int | str | None
) -> None:
    expected = combined(old, new)
    try:
        after = merged(json.dumps(old, indent=indent), new)
    except NotMergeable:
        return  # It refuses what it does not get right: two new items in one place of a list.
    assert read(after) == expected
    assert read(written(new)) == new


def test_what_is_replaced_is_named() -> None:
    old = {"env": {"URL": "old", "N": 1}, "list": [{"name": "a", "size": 1}, {"name": "b"}]}
    new: dict[str, Value] = {
        "env": {"URL": "new", "N": 1, "M": 2},
        "list": [{"name": "a", "size": 2}, {"name": "c"}],
    }
    assert sorted(replaced(old, new)) == ["env.URL", "list.a.size"]
