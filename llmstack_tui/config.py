"""The settings: one TOML file, then the environment, then the command line.

What is wrong is never fatal: each problem becomes one sentence that names its place, and the rest applies.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from llmstack_tui import folders

if TYPE_CHECKING:
    from pathlib import Path

EngineChoice = Literal["auto", "ollama", "builtin"]
ENGINE_CHOICES: tuple[EngineChoice, ...] = ("auto", "ollama", "builtin")
THEMES = ("dark", "light")
ENVIRONMENT_PREFIX = "LLMSTACK_"
MAX_FILE_BYTES = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """``[engine]``: which server is used, and how the built-in one runs.

    Attributes:
        choice: "auto" takes a running Ollama first, then the built-in engine.
        port: of the built-in engine; None is 11434 where no Ollama is installed, else the next free one.
        keep: leave an engine that the dashboard started running when the dashboard ends.
        keep_alive: how long a model stays loaded after its last request; a negative one is for ever.
        max_loaded: models loaded at once, None leaves it to the engine.
        context_length: tokens of context a model is loaded with unless asked otherwise.
    """

    choice: EngineChoice = "auto"
    port: int | None = None
    keep: bool = False
    keep_alive: timedelta = timedelta(minutes=5)
    max_loaded: int | None = None
    context_length: int = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class UiSettings:
    """``[ui]``: how the dashboard looks. ``keys`` maps the id of a binding to the key it gets instead."""

    theme: str = "dark"
    ascii: bool = False
    keys: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings. ``hosts`` are addresses as the user wrote them; empty means "find a server"."""

    hosts: tuple[str, ...] = ()
    read_only: bool = False
    engine: EngineSettings = field(default_factory=EngineSettings)
    ui: UiSettings = field(default_factory=UiSettings)


class _UnfitError(ValueError):
    """A value that a setting cannot have; the text is what it has to be, to follow "must be"."""


# A reader takes a value of the file, or the text of an environment variable.
_Reader = Callable[[object], object]


def load_settings(file: Path | None, environ: Mapping[str, str]) -> tuple[Settings, tuple[str, ...]]:
    """The settings from ``file`` (None: the platform's own, which need not exist) and from ``environ``.

    Returns:
        the settings, and one sentence for each thing that was wrong and therefore left out.
    """
    problems: list[str] = []
    values = _from_file(file, problems)
    for section, keys in _from_environment(environ, problems).items():
        values.setdefault(section, {}).update(keys)
    settings = replace(
        Settings(),
        **values.get("", {}),  # type: ignore[arg-type]  # each value went through the reader of its key
        engine=replace(EngineSettings(), **values.get("engine", {})),  # type: ignore[arg-type]
        ui=replace(UiSettings(), **values.get("ui", {})),  # type: ignore[arg-type]
    )
    return settings, tuple(problems)


def parse_duration(text: str) -> timedelta:
    """A length of time as people write it: ``90s``, ``1h30m``, ``2d``, or bare seconds; negative is for ever.

    Raises:
        ValueError: with a sentence that says what a duration looks like.
    """
    units = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
    try:
        if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text):
            return timedelta(seconds=float(text))
        if re.fullmatch(r"-?([0-9]+(\.[0-9]+)?(ms|s|m|h|d))+", text):
            parts = re.findall(r"([\d.]+)(ms|s|m|h|d)", text)
            length = timedelta(seconds=sum(float(number) * units[unit] for number, unit in parts))
            return -length if text.startswith("-") else length
    except OverflowError:
        pass
    raise ValueError(f"{_shown(text)} is not a length of time: write it as 90s, 10m or 1h30m.")


def _from_file(file: Path | None, problems: list[str]) -> dict[str, dict[str, object]]:
    try:
        path = file or folders.config_file()
        with path.open("rb") as stream:
            content = stream.read(MAX_FILE_BYTES + 1)
    except folders.NoHome:
        return {}
    except OSError as error:
        if file is not None or not isinstance(error, FileNotFoundError | NotADirectoryError):
            problems.append(f"The settings {error.filename} cannot be read: {error.strerror}.")
        return {}
    if len(content) > MAX_FILE_BYTES:
        problems.append(f"The settings {path} were not read: more than 1 MB is no settings file.")
        return {}
    import tomllib  # noqa: PLC0415 (most users have no file, and every command reads the settings)

    try:
        text = content.decode()
        document = tomllib.loads(text)
    except UnicodeDecodeError:
        problems.append(f"The settings {path} were not read: the file is not UTF-8 text.")
        return {}
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deep" if isinstance(error, RecursionError) else str(error).rstrip(".")
        problems.append(f"The settings {path} were not read, the file is not valid TOML: {reason}.")
        return {}
    return _checked(document, path.name, text.splitlines(), problems)


def _checked(
    document: dict[str, object], name: str, lines: list[str], problems: list[str]
) -> dict[str, dict[str, object]]:
    values: dict[str, dict[str, object]] = {}

    def check(section: str, key: str, value: object) -> None:
        setting = f"{section}.{key}" if section else key
        place = f"{name} line {_line(lines, section, key)}"
        if key not in _READERS[section]:
            known = ", ".join((*_READERS[section], *(() if section else (f"[{s}]" for s in _READERS if s))))
            problems.append(f"{place}: {_bare(setting)} is not a setting. Known here: {known}.")
            return
        try:
            values.setdefault(section, {})[key] = _READERS[section][key](value)
        except _UnfitError as error:
            problems.append(f"{place}: {setting} must be {error}, not {_shown(value)}.")

    for key, value in document.items():
        if key not in _READERS:
            check("", key, value)
        elif isinstance(value, dict):
            for inner, inner_value in value.items():
                check(key, inner, inner_value)
        else:
            problems.append(f"{name} line {_line(lines, '', key)}: {key} must be a section [{key}].")
    return values


def _from_environment(environ: Mapping[str, str], problems: list[str]) -> dict[str, dict[str, object]]:
    values: dict[str, dict[str, object]] = {}
    for section, readers in _READERS.items():
        for key, reader in readers.items():
            variable = ENVIRONMENT_PREFIX + "_".join(filter(None, (section, key))).upper()
            text = environ.get(variable, "").strip()
            if not text:  # As everywhere: an empty variable is one that is not set.
                continue
            try:
                values.setdefault(section, {})[key] = reader(text)
            except _UnfitError as error:
                problems.append(f"{variable} must be {error}, not {_shown(text)}.")
    return values


def _line(lines: list[str], section: str, key: str) -> int:
    """The line of a key, which tomllib does not tell; of its section if it is written in an unusual way."""
    wanted = f"{section}.{key}" if section else key
    current, section_line = "", 1
    for number, line in enumerate(lines, start=1):
        if header := re.match(r"\s*\[+([^\]]+)\]", line):
            full = current = _unquoted(header[1])
        elif assignment := re.match(r"([^=#]+)=", line):
            full = ".".join(filter(None, (current, _unquoted(assignment[1]))))
        else:
            continue
        if full == wanted or full.startswith(f"{wanted}."):
            return number
        if full == section:
            section_line = number
    return section_line


def _unquoted(key: str) -> str:
    return re.sub(r"[\s\"']", "", key)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"


def _bare(text: str) -> str:
    return text if text.isprintable() and len(text) <= 60 else _shown(text)


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "1", "yes", "on"):
        return True
    if isinstance(value, str) and value.lower() in ("false", "0", "no", "off"):
        return False
    raise _UnfitError("true or false")


def _integer(low: int, high: int) -> _Reader:
    def read(value: object) -> int:
        if isinstance(value, str) and re.fullmatch(r"\d{1,12}", value):
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        raise _UnfitError(f"a whole number from {low} to {high}")

    return read


def _one_of(*allowed: str) -> _Reader:
    def read(value: object) -> str:
        if isinstance(value, str) and value in allowed:
            return value
        raise _UnfitError(f"one of {', '.join(allowed)}")

    return read


def _duration(value: object) -> timedelta:
    try:
        if isinstance(value, (str, int, float)) and not isinstance(value, bool):
            return parse_duration(str(value))
    except ValueError:
        pass
    raise _UnfitError('a length of time such as "90s", "10m" or "1h30m" (negative: for ever)')


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(re.findall(r"[^\s,]+", value))
    if isinstance(value, list) and all(isinstance(item, str) and item.strip() for item in value):
        return tuple(value)
    raise _UnfitError('a list of texts such as ["127.0.0.1:11434"]')


def _keys(value: object) -> dict[str, str]:
    if isinstance(value, str):
        value = {name: key for name, _, key in (pair.partition("=") for pair in value.split())}
    if isinstance(value, dict) and all(isinstance(key, str) and key for key in value.values()):
        return value
    raise _UnfitError('pairs of a binding and its key such as quit = "ctrl+q"')


_READERS: Mapping[str, Mapping[str, _Reader]] = {
    "": {"hosts": _texts, "read_only": _flag},
    "engine": {
        "choice": _one_of(*ENGINE_CHOICES),
        "port": _integer(1, 65535),
        "keep": _flag,
        "keep_alive": _duration,
        "max_loaded": _integer(1, 1000),
        "context_length": _integer(16, 100_000_000),
    },
    "ui": {"theme": _one_of(*THEMES), "ascii": _flag, "keys": _keys},
}
