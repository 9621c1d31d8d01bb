"""Variables in systemd's files: what is written is read as its documentation says, whatever is in a value."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmstack_tui.base.environment_files import assigned, drop_in, environment, pairs

ESCAPES = {"\\": "\\", '"': '"', "'": "'", "n": "\n", "t": "\t", "s": " "}
CONTROLS = "".join(map(chr, range(0x7F, 0xA0)))
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=0x24F, exclude_characters=CONTROLS))
AWKWARD = (
    "",
    " ",
    "a b",
    'say "hi"',
    "it's",
    "50%",
    "%h/models",
    "%%",
    "a\\",
    "\\n",
    "C:\\x",
    "$HOME",
    "é",
    "#;",
)


def as_systemd_reads(text: str) -> dict[str, str]:
    """The variables of a unit, by systemd.syntax(7) ("Quoting") and systemd.unit(5) ("Specifiers")."""
    found = {}
    for line in text.splitlines():
        if not line.startswith("Environment="):
            assert line.startswith(("#", "[Service]")), line
            continue
        (word,) = _words(line.removeprefix("Environment="))
        name, _, value = _without_specifiers(word).partition("=")
        found[name] = value
    return found


def _words(text: str) -> list[str]:
    words, word, quote, characters = [], "", "", iter(text)
    for char in characters:
        if char == "\\":
            word += ESCAPES[next(characters)]
        elif quote and char == quote:
            quote = ""
            words.append(word)
            word = ""
        elif not quote and not word and char in "\"'":
            quote = char
        else:
            assert quote, f"{char!r} outside of quotes"
            word += char
    assert not quote
    assert not word
    return words


def _without_specifiers(text: str) -> str:
    without = text.replace("%%", "")
    assert "%" not in without, f"a specifier in {text!r}"
    return text.replace("%%", "%")


@pytest.mark.parametrize("value", AWKWARD)
def test_a_value_comes_back(value: str) -> None:
    assert as_systemd_reads(drop_in({"A": value}, "# x\n")) == {"A": value}
    assert [*assigned(drop_in({"A": value}, "# x\n"))] == [("A", value, "")]
    assert dict(pairs(environment({"A": value}, "# x\n"))) == {"A": value}


@given(st.dictionaries(st.sampled_from(("A", "B_1", "OLLAMA_HOST")), VALUES))
def test_any_values_come_back(values: dict[str, str]) -> None:
    assert as_systemd_reads(drop_in(values, "# x\n")) == values
    assert {name: value for name, value, _ in assigned(drop_in(values, "# x\n"))} == values
    assert dict(pairs(environment(values, "# x\n"))) == values


def test_a_unit_of_others_is_read() -> None:
    text = (
        "[Unit]\nEnvironment=NOT=here\n[Service]\n; a comment\n"
        'Environment="VAR1=word1 word2" VAR2=word3 "VAR3=$word 5 6"\n'  # The example of systemd.exec(5).
        "Environment='A=it \"is\"' \\\n  B=\\x41\nEnvironmentFile=-/etc/default/ollama\n"
    )
    assert [*assigned(text)] == [
        ("VAR1", "word1 word2", ""),
        ("VAR2", "word3", ""),
        ("VAR3", "$word 5 6", ""),
        ("A", 'it "is"', ""),
        ("B", "A", ""),
        ("", "-/etc/default/ollama", "file"),
    ]
    assert [*assigned('[Service]\nEnvironment=A=1\nEnvironment=\nEnvironment="B=2\n')] == [
        ("A", "1", ""),
        ("", "", "reset"),
    ]
