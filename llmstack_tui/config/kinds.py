"""The kinds of values of settings: how each is read from the file and the environment, and written."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from llmstack_tui.base.durations import format_duration, parse_duration
from llmstack_tui.base.secret import Secret
from llmstack_tui.base.sentences import Param, Sentence
from llmstack_tui.base.text import shortened

if TYPE_CHECKING:
    from datetime import timedelta

T = TypeVar("T")

Place = tuple[str | int, ...]
"""The path to a value in a document: keys, and indexes in lists."""

Complain = Callable[[Place, Sentence], None]
"""Reports a mistake in a part of a value: the part's place in the value, and the fault, without ``name``."""

AUTO = "auto"
THEME_NAME = r"[a-z0-9][a-z0-9_-]{0,39}"
_FLAGS = dict.fromkeys(("true", "1", "yes", "on"), True) | dict.fromkeys(("false", "0", "no", "off"), False)
_MOST_BYTES = 2**60
# In the order in which `_write_size` looks for a unit that divides a size.
_NAME = r"[a-z0-9][a-z0-9-]{0,39}"
_BYTES = {"TB": 10**12, "GiB": 2**30, "GB": 10**9, "MiB": 2**20, "MB": 10**6, "KiB": 2**10, "kB": 1000}
_BYTES |= {"B": 1, "": 1}


class InvalidValue(ValueError):
    """A value that a setting cannot have."""


class SettingKind(NamedTuple, Generic[T]):
    """One kind of value.

    Attributes:
        allowed: what is allowed: the words after "must be".
        read: takes a value of the file, or the text of an environment variable. Raises `InvalidValue`, or
            reports the parts that it ignores.
        write: the value as TOML.
        in_environment: an example for the environment, if the form there differs from that in the file.
        is_secret: its value is never shown, and is taken from the environment only: files get copied.
        choices: the values that it can have, where these are few, without quotation marks.
    """

    allowed: Sentence
    read: Callable[[object, Complain], T]
    write: Callable[[T], str]
    in_environment: str = ""
    is_secret: bool = False
    choices: tuple[str, ...] = ()


def flag() -> SettingKind[bool]:
    choices = ("true", "false")
    return SettingKind(
        Sentence("allowed.flag"), _read_flag, lambda value: str(value).lower(), choices=choices
    )


def integer(low: int, high: int) -> SettingKind[int]:
    allowed = Sentence("allowed.integer", {"low": str(low), "high": str(high)})
    return SettingKind(allowed, partial(_read_integer, low, high), str)


def one_of(*words: str) -> SettingKind[str]:
    allowed = Sentence("allowed.one_of", {"names": tuple(map(quoted, words))})
    return matching("|".join(map(re.escape, words)), allowed)._replace(choices=words)


def theme(*built_in: str) -> SettingKind[str]:
    """A theme of ours, or the name of one of the user's; whether that is there is seen where it is read."""
    allowed = Sentence("allowed.theme", {"names": ", ".join(map(quoted, built_in))})
    return matching(THEME_NAME, allowed)._replace(choices=built_in)


def matching(pattern: str, allowed: Sentence) -> SettingKind[str]:
    """A text that matches a regular expression."""
    return SettingKind(allowed, partial(_read_matching, pattern), quoted)


def duration(endless: str = "allowed.endless") -> SettingKind[timedelta]:
    """A length of time; ``endless`` is the kind of the words about one that has no end."""
    allowed = Sentence("allowed.duration", {"endless": (Sentence(endless),)})
    return SettingKind(allowed, _read_duration, lambda value: quoted(format_duration(value)))


def durations(endless: str) -> SettingKind[Mapping[str, timedelta]]:
    """Durations by the names of models."""
    allowed = Sentence("allowed.durations", {"endless": (Sentence(endless),)})

    def write(value: Mapping[str, timedelta]) -> str:
        return _write_texts({name: format_duration(length) for name, length in value.items()})

    read = partial(_read_each, _read_duration, Sentence("allowed.length"))
    return SettingKind(allowed, read, write, in_environment="mistral:7b=1h")


def size() -> SettingKind[int]:
    """Bytes; 0 is no limit."""
    return SettingKind(Sentence("allowed.size"), _read_size, _write_size)


def rate() -> SettingKind[int]:
    """Bytes a second; 0 is no limit."""

    def read(value: object, complain: Complain) -> int:
        return _read_size(value.strip().removesuffix("/s") if isinstance(value, str) else value, complain)

    def write(value: int) -> str:
        return _write_size(value).replace("B", "B/s") if value else "0"

    return SettingKind(Sentence("allowed.rate"), read, write)


def interval(shortest: timedelta) -> SettingKind[timedelta | None]:
    """The time between two runs of something; never is "off" in the file, None here."""

    def read(value: object, complain: Complain) -> timedelta | None:
        if value is False or value in ("off", "never"):
            return None
        length = _read_duration(value, complain)
        if length < shortest:
            raise InvalidValue
        return length

    def write(value: timedelta | None) -> str:
        return quoted("off" if value is None else format_duration(value))

    least = quoted(format_duration(shortest))
    return SettingKind(Sentence("allowed.interval", {"least": least}), read, write)


def optional(kind: SettingKind[T], none: str = AUTO) -> SettingKind[T | None]:
    """A value that may be left open: ``none`` in the file, for "the program chooses", and None here."""

    def read(value: object, complain: Complain) -> T | None:
        return None if value in (none, "") else kind.read(value, complain)

    def write(value: T | None) -> str:
        return quoted(none) if value is None else kind.write(value)

    allowed = Sentence("allowed.optional", {"allowed": (kind.allowed,), "none": quoted(none)})
    return SettingKind(allowed, read, write, choices=(none, *kind.choices) if kind.choices else ())


def keys() -> SettingKind[Mapping[str, str]]:
    """Keys of the keyboard by the id of their action."""
    read = partial(_read_each, _read_key, Sentence("allowed.key"))
    return SettingKind(
        Sentence("allowed.keys"), read, _write_texts, in_environment="app.quit=ctrl+q list.up=up,W"
    )


def names() -> SettingKind[tuple[str, ...]]:
    """Names in an order, each once."""

    def read(value: object, complain: Complain) -> tuple[str, ...]:
        if isinstance(value, str):
            value = re.findall(r"[^\s,]+", value)
        if not isinstance(value, list):
            raise InvalidValue
        found = []
        for number, each in enumerate(value):
            if isinstance(each, str) and re.fullmatch(_NAME, each) and each not in found:
                found.append(each)
            else:
                complain((number,), wrong(Sentence("allowed.name_once"), each))
        return tuple(found)

    def write(value: tuple[str, ...]) -> str:
        return f"[{', '.join(map(quoted, value))}]"

    return SettingKind(Sentence("allowed.names"), read, write, in_environment="ollama,anthropic")


def name() -> SettingKind[str]:
    """The name of a provider."""
    return matching(_NAME, Sentence("allowed.provider"))


def texts(kind: SettingKind[str], allowed: Sentence, in_environment: str) -> SettingKind[Mapping[str, str]]:
    """Texts of a kind by the names of providers."""
    return SettingKind(allowed, partial(_read_each, kind.read, kind.allowed), _write_texts, in_environment)


def model() -> SettingKind[str]:
    """The name of a model, wherever it is."""
    return matching(r"[!-~]{1,200}", Sentence("allowed.model"))


def programs() -> SettingKind[Mapping[str, str]]:
    """Commands, as they are typed in a shell, or addresses, by a name."""
    kind = SettingKind(Sentence("allowed.program"), _read_program, quoted)
    return texts(kind, Sentence("allowed.programs"), "box=http://box/mcp")


def file() -> SettingKind[str]:
    return matching(r"(/|~|[A-Za-z]:\\)[^\x00-\x1f]*", Sentence("allowed.file"))


def url() -> SettingKind[str]:
    """The beginning of an address, without query."""
    pattern = r"https?://[A-Za-z0-9.:\[\]-]+(/[^\s?#]*)?"
    return matching(pattern, Sentence("allowed.url"))


def secret() -> SettingKind[Secret | None]:
    """A key that is never shown."""

    def read(value: object, _: Complain) -> Secret | None:
        if value == "":
            return None
        if isinstance(value, str) and (found := secret_of(value)) is not None:
            return found
        raise InvalidValue

    def write(value: Secret | None) -> str:
        return str(value) if value else '""'

    return SettingKind(Sentence("allowed.secret"), read, write, is_secret=True)


def secret_of(text: str) -> Secret | None:
    """A key that a header can carry and nobody can guess; None if ``text`` is none."""
    return Secret(text) if re.fullmatch(r"[!-~]{16,512}", text) else None


def quoted(text: str) -> str:
    """A text as TOML."""
    escaped = (char if char.isprintable() and char not in '"\\' else f"\\U{ord(char):08x}" for char in text)
    return f'"{"".join(escaped)}"'


def shown(value: object) -> Param:
    """A value of the file for a sentence: a short text, or what it is."""
    if isinstance(value, dict):
        return (Sentence("value.table"),)
    if isinstance(value, list):
        return (Sentence("value.list"),)
    if isinstance(value, bool):
        return str(value).lower()
    try:
        text = repr(value) if isinstance(value, str) else str(value)
    except ValueError:  # Python writes no whole number of more than 4,300 digits.
        return (Sentence("value.endless_number"),)
    return shortened(text, 60)


def wrong(allowed: Sentence, value: object) -> Sentence:
    """The fault of a value that a setting cannot have."""
    return Sentence("setting.wrong", {"allowed": (allowed,), "value": shown(value)})


def _read_flag(value: object, _: Complain) -> bool:
    if isinstance(value, str):
        value = _FLAGS.get(value.lower())
    if isinstance(value, bool):
        return value
    raise InvalidValue


def _read_integer(low: int, high: int, value: object, _: Complain) -> int:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,12}", value):
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
        return value
    raise InvalidValue


def _read_matching(pattern: str, value: object, _: Complain) -> str:
    if isinstance(value, str) and re.fullmatch(pattern, value):
        return value
    raise InvalidValue


def _read_duration(value: object, _: Complain) -> timedelta:
    try:
        if isinstance(value, (str, int, float)) and not isinstance(value, bool):
            return parse_duration(str(value))
    except ValueError:
        pass
    raise InvalidValue


def _read_size(value: object, _: Complain) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MOST_BYTES:
        return value
    found = re.fullmatch(
        r"([0-9]{1,19})(\.[0-9]{1,6})? ?([A-Za-z]*)", value if isinstance(value, str) else ""
    )
    units = {unit.lower(): size for unit, size in _BYTES.items()}
    if found is None or found[3].lower() not in units:
        raise InvalidValue
    unit = units[found[3].lower()]
    count = int(found[1]) * unit + round(float(found[2] or 0) * unit)
    if count >= _MOST_BYTES:
        raise InvalidValue
    return count


def _write_size(value: int) -> str:
    unit, size = next((unit, size) for unit, size in _BYTES.items() if value % size == 0 or size == 1)
    return quoted(f"{value // size}{unit}") if value else "0"


def _read_key(value: object, _: Complain) -> str:
    if isinstance(value, str) and value and value.isprintable() and " " not in value:
        return value
    raise InvalidValue


def _read_program(value: object, _: Complain) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise InvalidValue
    try:
        shlex.split(value)
    except ValueError:
        raise InvalidValue from None
    return value


def _read_each(
    read: Callable[[object, Complain], T], allowed: Sentence, value: object, complain: Complain
) -> Mapping[str, T]:
    """The entries of a table, without those that ``read`` refuses."""
    found = {}
    for path, each in _entries(value):
        try:
            found[".".join(map(str, path))] = read(each, complain)
        except InvalidValue:
            complain(path, wrong(allowed, each))
    return found


def _entries(value: object) -> Iterator[tuple[Place, object]]:
    """The entries of a table with their places. Nested tables are joined: TOML splits names at their dots."""
    if isinstance(value, str):
        value = {name: text for name, _, text in (pair.partition("=") for pair in value.split())}
    if not isinstance(value, dict):
        raise InvalidValue
    rest: list[tuple[Place, object]] = [((name,), each) for name, each in value.items()]
    for path, each in rest:
        if isinstance(each, dict) and len(path) < 3:
            rest.extend(((*path, name), inner) for name, inner in each.items())
        else:
            yield path, each


def _write_texts(value: Mapping[str, str]) -> str:
    pairs = ", ".join(f"{quoted(name)} = {quoted(key)}" for name, key in value.items())
    return f"{{ {pairs} }}" if pairs else "{}"
