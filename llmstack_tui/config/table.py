"""The settings as a table: what `llmstack_tui.config.settings` says, one row for each setting."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, NamedTuple, cast

from llmstack_tui.base.structs import replace
from llmstack_tui.config.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmstack_tui.config.kinds import Kind

ENVIRONMENT_PREFIX = "LLMSTACK_"


class Setting(NamedTuple):
    """One setting. ``section`` is "" for those that stand above all sections."""

    section: str
    key: str
    kind: Kind[object]
    purpose: str
    implied: tuple[str, object] | None
    default: object

    @property
    def name(self) -> str:
        return f"{self.section}.{self.key}" if self.section else self.key

    @property
    def variable(self) -> str:
        """The environment variable that overrides it."""
        return ENVIRONMENT_PREFIX + self.name.replace(".", "_").upper()


def table() -> tuple[Setting, ...]:
    """All settings, section by section."""
    rows = [_rows("", Settings())]
    rows += [_rows(section, part) for section, part in _sections(Settings()).items()]
    return tuple(setting for each in rows for setting in each)


def value_of(settings: Settings, name: str) -> object:
    section, _, key = name.rpartition(".")
    return getattr(getattr(settings, section) if section else settings, key)


def with_values(settings: Settings, values: Mapping[str, object]) -> Settings:
    """``settings`` with other values, by the names of the table."""
    changed: dict[str, dict[str, object]] = {}
    for name, value in values.items():
        section, _, key = name.rpartition(".")
        changed.setdefault(section, {})[key] = value
    above = changed.pop("", {})
    sections = {name: replace(getattr(settings, name), **keys) for name, keys in changed.items()}
    return replace(settings, **above, **sections)  # type: ignore[arg-type]  # each went through its kind's reader


def _sections(settings: Settings) -> dict[str, object]:
    return {each.name: getattr(settings, each.name) for each in fields(settings) if not each.metadata}


def _rows(section: str, part: object) -> list[Setting]:
    return [
        Setting(
            section,
            each.name,
            cast("Kind[object]", each.metadata["kind"]),
            each.metadata["purpose"],
            each.metadata["implied"],
            getattr(part, each.name),
        )
        for each in fields(part)  # type: ignore[arg-type]  # a dataclass, as all sections are
        if each.metadata
    ]
