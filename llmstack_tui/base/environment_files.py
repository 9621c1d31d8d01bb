"""Environment variables in systemd's files and in our own, read and written.

The rules are those of systemd.exec(5), ``Environment=`` and ``EnvironmentFile=``, and of systemd.syntax(7),
"Quoting": words are split at blanks; quotes at the beginning of a word keep it together; a backslash makes an
escape as in C; ``%`` begins a specifier, and ``%%`` is one percent sign; an empty assignment forgets those
before. In a file of variables, lines that begin with ``#`` or ``;`` are comments, a value may be in quotes,
and there are no specifiers.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "s": " "}
_ESCAPES |= {each: each for each in "\\\"'"}
_NUMBERED = re.compile(r"x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([0-7]{3})")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def assigned(text: str) -> Iterator[tuple[str, str, str]]:
    """What a unit or a drop-in sets: for each ``Environment=`` its pairs, for each file ("", path, "file").

    ``("", "", "reset")`` stands for an empty assignment: what was set before is forgotten.
    """
    section = ""
    for line in _joined(text):
        if line.startswith("["):
            section = line
        key, found, value = line.partition("=")
        key, value = key.strip(), value.strip()
        if not found or section != "[Service]":
            continue
        if key == "Environment" and not value:
            yield "", "", "reset"
        elif key == "Environment":
            for word in words(value):
                name, is_pair, content = word.partition("=")
                if is_pair and _NAME.fullmatch(name):
                    yield name, content.replace("%%", "%"), ""
        elif key == "EnvironmentFile":
            yield "", value, "file" if value else "no file"


def words(text: str) -> Iterator[str]:
    """The words of an assignment, unquoted. One that is not well formed ends them."""
    rest = text.lstrip()
    while rest:
        quote = rest[0] if rest[0] in "\"'" else ""
        word, after = _word(rest[1:] if quote else rest, quote)
        if after is None:
            return
        yield word
        rest = after.lstrip()


def _word(text: str, quote: str) -> tuple[str, str | None]:
    """A word, and what is after it; None for that if the quote is never closed."""
    made, position = [], 0
    while position < len(text):
        char = text[position]
        if char == "\\" and position + 1 < len(text):
            piece, length = _escaped(text[position + 1 :])
            made.append(piece)
            position += 1 + length
        elif char == quote and quote:
            return "".join(made), text[position + 1 :]
        elif not quote and char.isspace():
            return "".join(made), text[position:]
        else:
            made.append(char)
            position += 1
    return "".join(made), None if quote else ""


def _escaped(text: str) -> tuple[str, int]:
    """What stands after a backslash, and how many characters of it."""
    if found := _NUMBERED.match(text):
        digits = found[1] or found[2] or found[3]
        return chr(int(digits, 16) if digits else int(found[4], 8)), found.end()
    return _ESCAPES.get(text[0], f"\\{text[0]}"), 1


def drop_in(values: Mapping[str, str], head: str) -> str:
    """A drop-in file that sets these, with a comment above."""
    lines = (f"Environment={quoted(f'{name}={value}')}\n" for name, value in sorted(values.items()))
    return f"{head}[Service]\n{''.join(lines)}"


def quoted(text: str) -> str:
    """A word of a unit: ``%`` begins a specifier, and a backslash, a quote or a new line ends nothing."""
    escaped = _escaped_quotes(text).replace("%", "%%").replace("\n", "\\n")
    return f'"{escaped}"'


def _escaped_quotes(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def pairs(text: str) -> Iterator[tuple[str, str]]:
    """What a file of variables sets."""
    for line in _joined(text):
        name, found, value = line.partition("=")
        if found and _NAME.fullmatch(name := name.strip()):
            value = value.strip()
            yield name, next(words(value), "") if value[:1] in ('"', "'") else value


def environment(values: Mapping[str, str], head: str) -> str:
    """A file of variables that sets these, with a comment above."""
    lines = (f'{name}="{_escaped_quotes(value)}"\n' for name, value in sorted(values.items()))
    return f"{head}{''.join(lines)}"


def _joined(text: str) -> Iterator[str]:
    """The lines without comments; one that ends in a backslash goes on in the next."""
    before = ""
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith(("#", ";")):
            continue
        if stripped.endswith("\\"):
            before += f"{stripped[:-1]} "
            continue
        if before or stripped:
            yield before + stripped
        before = ""
    if before:
        yield before
