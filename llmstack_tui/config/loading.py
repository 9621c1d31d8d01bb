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
from llmstack_tui.config.settings import LoadedSettings, Settings
from llmstack_tui.config.table import ENVIRONMENT_PREFIX, table, with_values

if TYPE_CHECKING:
    from pathlib import Path

    from llmstack_tui.config.kinds import Complain, Place
    from llmstack_tui.config.table import Setting

MAX_FILE_BYTES = 100_000
_MOST_PROBLEMS = 20
_LONGEST_NAME = 60
_KEYS = ("ui", "keys")
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
    reading = _SettingsReader()
    reading.take_implied(environ)
    path, broken = _path(file), False
    try:
        reading.take_file(path)
    except Failure as error:
        broken = True
        reading.problems.append(error.sentence)
    except FileNotFoundError as error:
        if file is not None:
            about = {"file": str(file), "why": error.strerror}
            reading.problems.append(Sentence("settings.unreadable", about))
    reading.take_environment(environ)
    reading.check_keys(check_keys)
    return reading.result(broken=broken)


class _SettingsReader:
    """Collects settings from several sources; a later one overrides an earlier one."""

    def __init__(self) -> None:
        self.problems: list[Sentence] = []
        self._table = table()
        self._sections = tuple(dict.fromkeys(setting.section for setting in self._table if setting.section))
        self._values: dict[str, object] = {}
        self._origins: dict[str, SettingOrigin] = {}
        self._invalid: set[str] = set()
        self._lines = LineNumbers()

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
        keys, origin = self._values.get("ui.keys"), self._origins.get("ui.keys")
        if not isinstance(keys, Mapping) or not keys or origin is None:
            return
        for name, fault in check(keys):
            if origin.kind == "file":
                # Its name may be written as it is, or split at its dots.
                place = max((name,), tuple(name.split(".")), key=lambda each: self._lines.of((*_KEYS, *each)))
                self._complain_of_line(origin.name or "", _KEYS, place, fault)
            else:
                self._complain_of_variable(origin.name or "", (), fault)

    def result(self, *, broken: bool) -> LoadedSettings:
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
            self._values[setting.name] = setting.kind.read(value, complain)
            self._origins[setting.name] = origin
        except InvalidValue:
            allowed = setting.kind.allowed
            secret = Sentence("setting.wrong_secret", {"allowed": (allowed,)})
            complain((), secret if setting.kind.is_secret else wrong(allowed, value))
        if len(self.problems) > before:
            self._invalid.add(setting.name)
        else:
            self._invalid.discard(setting.name)

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
