"""Reads the settings, and records where each one came from."""

from __future__ import annotations

import os
import select
import stat
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from llmstack_tui.base import paths
from llmstack_tui.base.sentences import Failure, Sentence
from llmstack_tui.base.text import shortened
from llmstack_tui.config.kinds import InvalidValue, wrong
from llmstack_tui.config.lines import LineNumbers, SettingOrigin
from llmstack_tui.config.settings import THEMES, LoadedSettings, Settings
from llmstack_tui.config.table import ENVIRONMENT_PREFIX, table, with_values

if TYPE_CHECKING:
    from pathlib import Path

    from llmstack_tui.config.kinds import Complain, Place
    from llmstack_tui.config.table import Setting
    from llmstack_tui.config.themes import ThemeFile

MAX_FILE_BYTES = 100_000
_MOST_PROBLEMS = 20
_LONGEST_NAME = 60
_KEYS = ("ui", "keys")
_MOST_THEMES = 100
# For a pipe, as in `--config <(make-config)`.
_PIPE_WAIT_S = 2.0


KeyCheck = Callable[[Mapping[str, str]], Iterable[tuple[str, Sentence]]]
"""Finds the faults in ``ui.keys``: pairs of the id of an action and the fault, without ``name``."""


def load_settings(
    file: Path | None, environ: Mapping[str, str], check_keys: KeyCheck = lambda _: ()
) -> LoadedSettings:
    """The settings from ``file`` (None: the default file, which need not exist) and ``environ``.

    Args:
        check_keys: called if there are any keys. Only the dashboard knows which actions have keys.
    """
    path = _path(file)
    reading = _SettingsReader(themes_folder(path) if path else None)
    reading.take_implied(environ)
    broken = False
    try:
        reading.take_file(path)
    except Failure as error:
        broken = True
        reading.problems.append(error.sentence)
    except FileNotFoundError as error:
        if file is not None or (path is not None and path.is_symlink()):
            about = {"file": str(path), "why": error.strerror}
            reading.problems.append(Sentence("settings.unreadable", about))
    reading.take_environment(environ)
    reading.check_keys(check_keys)
    return reading.result(broken=broken)


def themes_folder(settings: Path) -> Path:
    """The folder of the user's themes, by the file of the settings."""
    return settings.absolute().parent / "themes"


def load_theme(folder: Path, name: str) -> ThemeFile | None:
    """What the file of one of the user's themes says; None if it is not there. Blocking."""
    from llmstack_tui.config.themes import ThemeFile, refusal, theme_of  # noqa: PLC0415 (few have their own)

    file = folder / f"{name}.toml"
    shown = f"{folder.name}/{file.name}"
    if (refused := refusal(name, shown)) is not None:
        return ThemeFile(name, None, (refused,))
    try:
        text = _text(file)
        return theme_of(name, shown, text, _document(text, file))
    except FileNotFoundError:
        return None
    except Failure as error:
        return ThemeFile(name, None, (error.sentence,))


def load_themes(folder: Path) -> tuple[ThemeFile, ...]:
    """The user's themes, usable or not, by their names. Blocking."""
    return tuple(filter(None, (load_theme(folder, name) for name in _names_of_themes(folder))))


def _names_of_themes(folder: Path) -> list[str]:
    """The names of the user's themes; none if their folder cannot be read. Blocking."""
    try:
        return sorted(each.stem for each in folder.iterdir() if each.suffix == ".toml")[:_MOST_THEMES]
    except OSError:
        return []


class _SettingsReader:
    """Collects settings from several sources; a later one overrides an earlier one."""

    def __init__(self, themes: Path | None) -> None:
        self._themes = themes
        self.problems: list[Sentence] = []
        self._table = table()
        self._sections = tuple(dict.fromkeys(setting.section for setting in self._table if setting.section))
        self._values: dict[str, object] = {}
        self._origins: dict[str, SettingOrigin] = {}
        self._invalid: set[str] = set()
        self._lines = LineNumbers()
        self._theme: ThemeFile | None = None
        self._theme_file: Path | None = None

    def take_implied(self, environ: Mapping[str, str]) -> None:
        for setting in self._table:
            if setting.implied and environ.get(setting.implied[0]):
                self._values[setting.name] = setting.implied[1]
                self._origins[setting.name] = SettingOrigin("environment", setting.implied[0])

    def take_environment(self, environ: Mapping[str, str]) -> None:
        for setting in self._table:
            # An empty variable counts as not set.
            if text := environ.get(setting.variable, "").strip():
                origin = SettingOrigin("environment", setting.variable)
                self._take(setting, text, origin, partial(self._complain_of_variable, setting.variable))
        known = {setting.variable for setting in self._table}
        for section in self._sections:
            start = f"{ENVIRONMENT_PREFIX}{section.upper()}_"
            for variable in environ:
                if variable.startswith(start) and variable not in known:
                    there = tuple(sorted(name for name in known if name.startswith(start)))
                    self._complain_of_variable(variable, (), Sentence("setting.unknown", {"known": there}))

    def take_file(self, path: Path | None) -> None:
        """Take the valid settings of a file.

        Raises:
            FileNotFoundError: there is no file.
            Failure: nothing in it can be read.
        """
        if path is None:
            return
        text = _text(path)
        document = _document(text, path)
        self._lines = LineNumbers(text)
        for key, value in document.items():
            if key not in self._sections:
                self._take_key(path.name, "", key, value)
            elif isinstance(value, dict):
                for inner, inner_value in value.items():
                    self._take_key(path.name, key, inner, inner_value)
            else:
                self._complain_of_line(path.name, (), (key,), Sentence("setting.no_section"))

    def check_keys(self, check: KeyCheck) -> None:
        """Report the faults of keys. Those that can be used are, so the setting is not invalid."""
        keys, origin = self._values.get("ui.keys"), self._origins.get("ui.keys", SettingOrigin("default"))
        for name, fault in check(keys) if isinstance(keys, Mapping) and keys else ():
            # Its name may be written as it is, or split at its dots.
            place = max((name,), tuple(name.split(".")), key=lambda each: self._lines.of((*_KEYS, *each)))
            if origin.kind == "file":
                self._complain_of_line(origin.name or "", _KEYS, place, fault)
            else:
                self._complain_of_variable(origin.name or "", (), fault)

    def result(self, *, broken: bool) -> LoadedSettings:
        self.problems += self._theme.problems if self._theme else ()
        problems = self.problems[:_MOST_PROBLEMS]
        if left := len(self.problems) - len(problems):
            problems.append(Sentence("settings.more", {"count": left}))
        # A typing error in these settings must not lead to changes on a server.
        if "read_only" in self._invalid or ("hosts" in self._invalid and not self._values.get("hosts")):
            self._values["read_only"] = True
            problems.append(Sentence("settings.unclear"))
        return LoadedSettings(
            settings=with_values(Settings(), self._values),
            problems=tuple(problems),
            invalid=frozenset(self._invalid),
            broken=broken,
            theme=self._theme,
            theme_file=self._theme_file,
            origins=self._origins,
            lines=self._lines,
        )

    def _take_key(self, file: str, section: str, key: str, value: object) -> None:
        place = (section, key) if section else (key,)
        complain = partial(self._complain_of_line, file, place)
        here = {setting.key: setting for setting in self._table if setting.section == section}
        if key in here:
            self._take(here[key], value, SettingOrigin("file", file), complain)
        else:
            known = (*here, *(f"[{name}]" for name in self._sections if not section))
            complain((), Sentence("setting.unknown", {"known": known}))

    def _take(self, setting: Setting, value: object, origin: SettingOrigin, complain: Complain) -> None:
        before = len(self.problems)
        try:
            if setting.kind.is_secret and origin.kind == "file" and value != "":
                raise InvalidValue
            taken = setting.kind.read(value, complain)
            if setting.name != "ui.theme" or self._use_theme(str(taken)):
                self._values[setting.name] = taken
                self._origins[setting.name] = origin
        except InvalidValue:
            allowed = setting.kind.allowed
            secret = Sentence("setting.wrong_secret", {"allowed": (allowed,)})
            complain((), secret if setting.kind.is_secret else wrong(allowed, value))
        if len(self.problems) > before:
            self._invalid.add(setting.name)
        else:
            self._invalid.discard(setting.name)

    def _use_theme(self, name: str) -> bool:
        """Read the file of a theme of the user's; False if it cannot be used.

        Raises:
            InvalidValue: there is no such theme.
        """
        self._theme = self._theme_file = None
        if name in THEMES:
            return True
        if self._themes is None:
            raise InvalidValue
        self._theme_file = self._themes / f"{name}.toml"
        found = load_theme(self._themes, name)
        if found is None:
            raise InvalidValue
        if found.theme is None:
            self.problems += found.problems
            return False
        self._theme = found
        return True

    def _complain_of_line(self, file: str, base: Place, place: Place, fault: Sentence) -> None:
        place = (*base, *place)
        name = ".".join(key for key in place if isinstance(key, str))
        if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
            name = shortened(repr(name), 60)
        line, faults = self._lines.of(place), (_named(fault, name),)
        self.problems.append(Sentence("setting.in_file", {"file": file, "line": line, "fault": faults}))

    def _complain_of_variable(self, variable: str, _: Place, fault: Sentence) -> None:
        self.problems.append(_named(fault, variable))


def _named(fault: Sentence, name: str) -> Sentence:
    return Sentence(fault.kind, {"name": name, **fault.params})


def _path(file: Path | None) -> Path | None:
    try:
        return file or paths.config_file()
    except paths.NoHome:
        return None


def _text(path: Path) -> str:
    try:
        if stat.S_ISREG(mode := path.stat().st_mode) or stat.S_ISDIR(mode):
            with path.open("rb") as stream:
                content = stream.read(MAX_FILE_BYTES + 1)
        else:
            content = _piped(path)
    except FileNotFoundError:
        raise
    except NotADirectoryError as error:
        raise FileNotFoundError(error.errno, error.strerror) from None
    except TimeoutError:
        raise Failure("settings.endless", file=str(path)) from None
    except OSError as error:
        raise Failure("settings.unreadable", file=str(path), why=error.strerror) from None
    if len(content) > MAX_FILE_BYTES:
        raise Failure("settings.too_large", file=str(path), most=MAX_FILE_BYTES)
    try:
        # Some editors begin a file with a byte order mark.
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise Failure("settings.not_text", file=str(path)) from None


def _piped(path: Path) -> bytes:
    """The content of a pipe, read to its end.

    Raises:
        TimeoutError: it did not end within ``_PIPE_WAIT_S``.
        Failure: it is empty.
    """
    content, deadline = b"", time.monotonic() + _PIPE_WAIT_S
    pipe = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0))
    try:
        while len(content) <= MAX_FILE_BYTES:
            try:
                piece = os.read(pipe, MAX_FILE_BYTES)
            except BlockingIOError:
                left_s = max(0.0, deadline - time.monotonic())
                if not select.select([pipe], [], [], left_s)[0]:
                    raise TimeoutError from None
                continue
            if not piece:
                break
            content += piece
    finally:
        os.close(pipe)
    if not content:
        raise Failure("settings.no_output", file=str(path))
    return content


def _document(text: str, path: Path) -> dict[str, object]:
    import tomllib  # noqa: PLC0415 (every command reads the settings, and most users have no file)

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Failure("settings.not_toml", file=str(path), why=str(error).rstrip(".")) from None
    except (RecursionError, ValueError):  # Python reads no integer of more than 4,300 digits.
        raise Failure("settings.too_deep", file=str(path)) from None
