"""Reads the settings again whenever their file changes."""

from __future__ import annotations

import asyncio
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

from llmstack_tui.base import paths
from llmstack_tui.base.structs import replace
from llmstack_tui.config.loading import load_settings
from llmstack_tui.config.table import value_of, with_values

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence
    from pathlib import Path

    from llmstack_tui.config.loading import KeyCheck
    from llmstack_tui.config.settings import LoadedSettings

_SETTLE_S = 0.2
_SETTLE_STEPS = 10

# Modification time, size and inode of a file; None if there is none. Those of several files.
_Stamp = tuple[int, int, int] | None
_Stamps = tuple[_Stamp, ...]


async def watch_settings(
    file: Path | None,
    environ: Mapping[str, str],
    check_keys: KeyCheck = lambda _: (),
    *,
    every_s: float = 2.0,
    changed: asyncio.Event | None = None,
) -> AsyncGenerator[LoadedSettings, None]:
    """The settings now, and again whenever they or their problems have changed.

    An invalid setting keeps its last value; all do if the file is broken or half written. Without the file
    the defaults apply. A pipe, which cannot be read again, is not watched. The file is read in a thread, as
    is that of the user's theme if the settings name one.

    Args:
        file, check_keys: as for `load_settings`.
        environ: a copy of the environment at the start, as Textual removes NO_COLOR from the real one.
        every_s: seconds between two checks of the file.
        changed: set by who has just changed the file; it is looked at then, too.
    """
    files: tuple[Path | None, ...] = (file,)
    stamps = await asyncio.to_thread(_stamps, files)
    if await asyncio.to_thread(_is_pipe, file):
        return
    current, is_new = await asyncio.to_thread(load_settings, file, environ, check_keys), True
    while True:
        if (wanted := (file, current.theme_file) if current.theme_file else (file,)) != files:
            files, stamps = wanted, (stamps[0], *await asyncio.to_thread(_stamps, wanted[1:]))
        if is_new:
            yield current
        with suppress(TimeoutError):
            async with asyncio.timeout(every_s):
                await (changed or asyncio.Event()).wait()
        if changed is not None:
            changed.clear()
        now, is_new = await asyncio.to_thread(_stamps, files), False
        if now == stamps:
            continue
        stamps = await _settled(files, now, min(every_s, _SETTLE_S))
        loaded = await asyncio.to_thread(load_settings, file, environ, check_keys)
        before, current = current, _kept(current, loaded)
        is_new = _shown(current) != _shown(before)


def _shown(loaded: LoadedSettings) -> tuple[object, ...]:
    return loaded.settings, loaded.problems, loaded.theme


async def _settled(files: Sequence[Path | None], stamps: _Stamps, step_s: float) -> _Stamps:
    """Wait until files that are being written no longer change; returns their new stamps."""
    for _ in range(_SETTLE_STEPS):
        await asyncio.sleep(step_s)
        before, stamps = stamps, await asyncio.to_thread(_stamps, files)
        if stamps == before:
            break
    return stamps


def _kept(before: LoadedSettings, loaded: LoadedSettings) -> LoadedSettings:
    """``loaded``, with the previous values of those settings that are invalid."""
    if loaded.broken:
        return replace(loaded, settings=before.settings, theme=before.theme, theme_file=before.theme_file)
    old = {name: value_of(before.settings, name) for name in loaded.invalid - {"read_only"}}
    theme = before.theme if "ui.theme" in loaded.invalid else loaded.theme
    return replace(loaded, settings=with_values(loaded.settings, old), theme=theme)


def _stamps(files: Sequence[Path | None]) -> _Stamps:
    return tuple(map(_stamp, files))


def _stamp(file: Path | None) -> _Stamp:
    try:
        found = (file or paths.config_file()).stat()
    except (OSError, paths.NoHome):
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino) if stat.S_ISREG(found.st_mode) else None


def _is_pipe(file: Path | None) -> bool:
    try:
        return (file or paths.config_file()).is_fifo()
    except (OSError, paths.NoHome):
        return False
