"""Changes one setting in the file; what else is in it stays, comments included. Blocking.

The file is read, changed and written under a lock that all programs of ours take, and is written only if it
is still what was read. So two dashboards lose nothing of each other's, and what an editor saves stays.
"""

from __future__ import annotations

import tomllib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from llmstack_tui.base import paths, text_files
from llmstack_tui.base.secret import Secret
from llmstack_tui.base.sentences import Failure
from llmstack_tui.base.text_files import NotWritten
from llmstack_tui.base.toml import Unchangeable, changed
from llmstack_tui.config.hosts import as_written
from llmstack_tui.config.kinds import InvalidValue, wrong
from llmstack_tui.config.loading import MAX_FILE_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from llmstack_tui.base.sentences import Sentence
    from llmstack_tui.base.toml import Path as Place
    from llmstack_tui.config.kinds import Place as Within
    from llmstack_tui.config.table import Setting

_HOSTS = ("hosts",)
_WAIT_S = 5.0


class InvalidSetting(Failure, ValueError):
    """A value that a setting cannot have; says what it can."""


def toml_of(setting: Setting, text: str) -> str:
    """What somebody typed for a setting, as it is written into the file.

    Args:
        text: as in an environment variable, or for what has several values, as in the file.

    Raises:
        InvalidSetting: it is none, or belongs into no file.
    """
    if setting.kind.is_secret:
        raise InvalidSetting("setting.secret", name=setting.name, variable=setting.variable)
    faults: list[InvalidSetting] = []
    try:
        value = setting.kind.read(
            _typed(text.strip()), lambda place, fault: faults.append(_invalid(setting, fault, place))
        )
    except InvalidValue:
        raise _invalid(setting, wrong(setting.kind.allowed, text)) from None
    if faults:
        raise faults[0]
    return setting.kind.write(value)


def _invalid(setting: Setting, fault: Sentence, place: Within = ()) -> InvalidSetting:
    name = ".".join((setting.name, *(key for key in place if isinstance(key, str))))
    params: dict[str, Any] = {"name": name, **fault.params}
    return InvalidSetting(fault.kind, **params)


def toml_in(document: Mapping[str, object], setting: Setting) -> str | None:
    """What a file's values say of a setting, as TOML; None if nothing, or what it cannot have."""
    here: object = document
    for key in setting.place:
        here = here.get(key) if isinstance(here, dict) else None
    try:
        return None if here is None else setting.kind.write(setting.kind.read(here, lambda *_: None))
    except InvalidValue:
        return None


def change(file: Path, values: Mapping[Place, str | None]) -> None:
    """Give settings other values in the file, each as TOML; None removes one, so that its default applies.

    Args:
        values: by their places, such as ``("ui", "theme")``.

    Raises:
        NotWritten: the file cannot be written, is no TOML, or is changed by another program at this moment.
    """
    target = text_files.target_of(file)
    with _alone(file):
        before = text_files.read(target, MAX_FILE_BYTES)
        after = _changed(file, before or "", values)
        if after != (before or ""):
            old = None if before is None else Secret(before)
            text_files.write(target, Secret(after), old, daily=True)


def entry(document: Mapping[str, object], place: Place, name: str) -> Place:
    """The place of an entry of a table, whose name may be in it as it is, or split at its dots."""
    here: object = document
    for key in place:
        here = here.get(key, {}) if isinstance(here, dict) else {}
    split = tuple(name.split("."))
    if not isinstance(here, dict) or name in here or len(split) == 1:
        return (*place, name)
    if any(isinstance(each, dict) for each in here.values()):
        return (*place, *split)
    return (*place, name)


def document_of(file: Path) -> dict[str, object]:
    """The values in the file; none if it is not there, or cannot be read, as the settings' problems say."""
    try:
        return tomllib.loads(file.read_text("utf-8-sig"))
    except (OSError, ValueError):
        return {}


def _typed(text: str) -> object:
    if not text.startswith(("[", "{", '"', "'")):
        return text
    try:
        return tomllib.loads(f"v = {text}")["v"]
    except (tomllib.TOMLDecodeError, RecursionError):
        raise InvalidValue from None


def _changed(file: Path, before: str, values: Mapping[Place, str | None]) -> str:
    mark, text = ("\ufeff", before[1:]) if before.startswith("\ufeff") else ("", before)
    try:
        if hosts := values.get(_HOSTS):
            present = tomllib.loads(text).get("hosts")
            values = {**values, _HOSTS: as_written(present, tomllib.loads(f"v = {hosts}")["v"])}
        return mark + changed(text, values)
    except Unchangeable:
        raise NotWritten("settings.unusual", file=str(file)) from None
    except tomllib.TOMLDecodeError as error:
        raise NotWritten("settings.not_changed", file=str(file), why=str(error).rstrip(".")) from None
    except (RecursionError, ValueError):
        raise NotWritten("settings.unusual", file=str(file)) from None


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    """Nobody else of ours writes the settings meanwhile.

    Where no lock can be made, the comparison of the text before it is written has to do.
    """
    from filelock import FileLock, Timeout  # noqa: PLC0415  # few edit the settings

    try:
        paths.data_folder().mkdir(parents=True, exist_ok=True)
        lock = FileLock(paths.data_folder() / "settings.lock", mode=0o600)
        lock.acquire(timeout=_WAIT_S)
    except Timeout:
        raise NotWritten("settings.locked", file=str(file)) from None
    except (OSError, NotImplementedError, paths.NoHome):
        yield
        return
    try:
        yield
    finally:
        lock.release()
