"""Merges settings into TOML, and keeps everything else of it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from llmstack_tui.base.toml import Unchangeable, changed
from llmstack_tui.config.kinds import quoted
from llmstack_tui.editors.rules.values import NotMergeable

if TYPE_CHECKING:
    from llmstack_tui.base.toml import Path
    from llmstack_tui.editors.types import Value


def written(values: Mapping[str, Value]) -> str:
    """Settings as a new file."""
    return changed("", dict(_leaves(values)))


def read(text: str) -> dict[str, object]:
    """The values of TOML.

    Raises:
        NotMergeable: it is none; ``why`` is in the words of the reader.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise NotMergeable("editors.not_toml", why=str(error)) from None
    except RecursionError:
        raise NotMergeable("editors.unusual") from None


def merged(text: str, values: Mapping[str, Value]) -> str:
    """``text`` with these settings in it.

    Raises:
        NotMergeable: it is not TOML, or is written in a way that would be lost.
    """
    read(text)
    try:
        return changed(text, dict(_leaves(values)))
    except Unchangeable:
        raise NotMergeable("editors.unusual") from None


def _leaves(values: Mapping[str, Value], path: Path = ()) -> Iterator[tuple[Path, str]]:
    """The values that are no tables, as TOML, by their places; those of a table before the tables in it."""
    for key, value in values.items():
        if not isinstance(value, Mapping):
            yield (*path, key), quoted(value) if isinstance(value, str) else str(value).lower()
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, (*path, key))
