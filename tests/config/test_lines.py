"""Lines of keys, in documents written in every way that TOML has."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from llmstack_tui.config.lines import LineNumbers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmstack_tui.config.kinds import Place

DOCUMENT = """# engine = 1
a = 1   # b = 2
'quoted key' = [ # c = 3
  "]", 'x = "', { d = 1 },
  [1, [2]],  # ]

  '''
  e = "
  '''
]
"f.g".h."\\u0069" = { j = "}" }
text = '''
[no_table]
k = 1
'''''

  [ section . "sub.section" ] # [comment]
  l="#"
  m.n = []

[[list]]
o = 1
[[list]]
[list.inner]
p = 1
[[list.deep]]
[[list.deep]]
q = 1"""


def test_keys_tables_and_items_have_their_lines() -> None:
    tomllib.loads(DOCUMENT)
    lines = LineNumbers(DOCUMENT)
    expected: dict[Place, int] = {
        ("a",): 2,
        ("quoted key",): 3,
        ("quoted key", 0): 4,
        ("quoted key", 1): 4,
        ("quoted key", 2): 4,
        ("quoted key", 3): 5,
        ("quoted key", 4): 7,
        ("f.g",): 11,
        ("f.g", "h", "i"): 11,
        ("text",): 12,
        ("section",): 17,
        ("section", "sub.section"): 17,
        ("section", "sub.section", "l"): 18,
        ("section", "sub.section", "m", "n"): 19,
        ("list", 0): 21,
        ("list", 0, "o"): 22,
        ("list", 1): 23,
        ("list", 1, "inner", "p"): 25,
        ("list", 1, "deep", 0): 26,
        ("list", 1, "deep", 1): 27,
        ("list", 1, "deep", 1, "q"): 28,
    }
    assert {place: lines.of(place) for place in expected} == expected


def test_what_has_no_line_of_its_own_is_where_its_whole_is() -> None:
    lines = LineNumbers(DOCUMENT)
    assert lines.of(("quoted key", 2, "d")) == 4
    assert lines.of(("f.g", "h", "i", "j")) == 11
    assert lines.of(("section", "sub.section", "none")) == 17
    assert lines.of(("none",)) == 1
    assert LineNumbers().of(("a",)) == 1


_KEYS = st.sampled_from(["a", "b-c", '"d = e"', "'#'", '"\\""', "a.b", 'a . "]"'])
_VALUES = st.sampled_from(
    [
        "1",
        "[]",
        "[1, 2 , # ]\n]",
        '"=#"',
        "'''\nx = 1\n'''",
        '"""\n"]\\"""""',
        "{ a = [1], b = { c = '}' } }",
        "[{}]",
    ]
)
_LINES = st.one_of(
    st.tuples(_KEYS, _VALUES).map(" = ".join),
    _KEYS.map("[{}] # [x]".format),
    _KEYS.map("[[{}]]".format),
    st.sampled_from(["", "# x = 1", "\t"]),
)


def _places(node: object, place: Place = ()) -> Iterator[Place]:
    parts = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in parts:
        yield (*place, key)
        yield from _places(value, (*place, key))


@given(st.lists(_LINES, max_size=8))
def test_whatever_is_valid_is_found_where_it_is_written(statements: list[str]) -> None:
    """The line of a key is that of the statement after which the document first has it."""
    text = ""
    expected: dict[Place, int] = {}
    for statement in statements:
        try:
            document = tomllib.loads(text + statement)
        except tomllib.TOMLDecodeError:
            continue
        line = text.count("\n") + 1
        text += f"{statement}\n"
        for place in _places(document):
            expected.setdefault(place, line)
    lines = LineNumbers(text)
    assert {place: lines.of(place) for place in expected} == expected
