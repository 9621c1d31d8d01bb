"""The settings as a table with a row for each, and the example file that is written from it."""

from __future__ import annotations

from dataclasses import fields
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from llmstack_tui.base.languages import later, tr
from llmstack_tui.base.structs import replace
from llmstack_tui.base.wording import Wording
from llmstack_tui.config.settings import Settings
from llmstack_tui.config.wording import SENTENCES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmstack_tui.config.kinds import SettingKind

ENVIRONMENT_PREFIX = "LLMSTACK_"
_WIDTH = 100
_HEAD = (
    later("The settings of llmstack, each with its default: to change one, remove the # before its name."),
    later("An environment variable overrides this file, and an option of the command line overrides both."),
    later("`llmstack config` shows the value in force of each, and where it came from."),
)


class Setting(NamedTuple):
    """One setting. ``section`` is "" for a key above all sections.

    ``is_live``: a dashboard applies it as soon as the file has changed; the others count from the next start.
    """

    section: str
    key: str
    default: object
    kind: SettingKind[object]
    purpose: str
    is_live: bool
    implied: tuple[str, object] | None

    @property
    def name(self) -> str:
        return f"{self.section}.{self.key}" if self.section else self.key

    @property
    def place(self) -> tuple[str, ...]:
        """Where it is in the file."""
        return (self.section, self.key) if self.section else (self.key,)

    @property
    def variable(self) -> str:
        """The environment variable that overrides it."""
        return ENVIRONMENT_PREFIX + self.name.replace(".", "_").upper()


def table() -> tuple[Setting, ...]:
    """All settings, section by section."""
    settings = Settings()
    sections = {each.name: getattr(settings, each.name) for each in fields(settings) if not each.metadata}
    return tuple(row for name, part in {"": settings, **sections}.items() for row in _rows(name, part))


def find_setting(name: str) -> Setting | None:
    return next((setting for setting in table() if setting.name == name), None)


def value_of(settings: Settings, name: str) -> object:
    section, _, key = name.rpartition(".")
    return getattr(getattr(settings, section) if section else settings, key)


def with_values(settings: Settings, values: Mapping[str, object]) -> Settings:
    """``settings`` with some values changed, by their names in the table."""
    changed: dict[str, dict[str, object]] = {}
    for name, value in values.items():
        section, _, key = name.rpartition(".")
        changed.setdefault(section, {})[key] = value
    above = changed.pop("", {})
    sections = {name: replace(getattr(settings, name), **keys) for name, keys in changed.items()}
    return replace(settings, **above, **sections)  # type: ignore[arg-type]  # each went through its kind's reader


def example() -> str:
    """The text of an example file. All settings are commented out, and have their defaults."""
    blocks = [_comment("\n".join(map(tr, _HEAD)))]
    for section, settings in groupby(table(), key=lambda setting: setting.section):
        if section:
            blocks.append(f"[{section}]")
        blocks += map(_described, settings)
    return "\n\n".join(blocks) + "\n"


def _rows(section: str, part: object) -> list[Setting]:
    return [
        Setting(section, each.name, getattr(part, each.name), **each.metadata)
        for each in fields(part)  # type: ignore[arg-type]  # a dataclass, as all sections are
        if each.metadata
    ]


def _described(setting: Setting) -> str:
    kind = setting.kind
    variable = setting.variable + (f"={kind.in_environment}" if kind.in_environment else "")
    lines = (
        tr(setting.purpose),
        tr("Values: {allowed}.", allowed=Wording(SENTENCES.get).text(kind.allowed)),
        tr("Environment: {variable}", variable=variable),
        *((tr("A running dashboard applies a change at once."),) if setting.is_live else ()),
    )
    comment = _comment("\n".join(lines))
    return f"{comment}\n#{setting.key} = {kind.write(setting.default)}"


def _comment(text: str) -> str:
    import textwrap  # noqa: PLC0415 (only the example needs it)

    lines = (
        line
        for paragraph in text.split("\n")
        for line in textwrap.wrap(paragraph, _WIDTH, break_long_words=False, break_on_hyphens=False)
    )
    return "\n".join(f"# {line}" for line in lines)
