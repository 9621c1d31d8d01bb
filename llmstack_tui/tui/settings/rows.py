"""The settings as rows, and what is said of one. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.languages import later, tr
from llmstack_tui.base.sentences import Sentence
from llmstack_tui.config.table import table, value_of
from llmstack_tui.core.wording import text
from llmstack_tui.tui.draw.text import content_of
from llmstack_tui.tui.settings.searched import has_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.content import Content

    from llmstack_tui.config.lines import SettingOrigin
    from llmstack_tui.config.settings import LoadedSettings, Settings
    from llmstack_tui.config.table import Setting
    from llmstack_tui.tui.draw.text import Part

_SECTIONS = {
    "": later("All servers"),
    "engine": later("Built-in engine"),
    "hardware": later("This machine"),
    "guard": later("Guard"),
    "updates": later("Updates"),
    "catalog": later("Catalog"),
    "tools": later("Tools"),
    "install": later("Installation"),
    "providers": later("Providers"),
    "ui": later("Dashboard"),
}
PROBLEM = "problem "
_MASK = "****"


class SettingRow(Struct, frozen=True, kw_only=True):
    """A setting, a mistake, or a heading, whose ``name`` is empty. ``note``: a sign of what to know."""

    key: str
    name: str = ""
    says: str
    source: str = ""
    tone: str = "plain"


class KnownSettings(Struct, frozen=True):
    """What is known of the settings.

    Attributes:
        loaded: from the file and the environment, as they are now.
        in_force: of this dashboard, with the options of the command line.
        given: the names of those that the command line overrides.
    """

    loaded: LoadedSettings
    in_force: Settings
    given: frozenset[str] = frozenset()

    def value(self, setting: Setting) -> str:
        """What counts from the next start, or now, as TOML; a secret is never shown."""
        settings = self.in_force if setting.name in self.given else self.loaded.settings
        value = value_of(settings, setting.name)
        return (_MASK if value else '""') if setting.kind.is_secret else setting.kind.write(value)

    def origin(self, setting: Setting) -> SettingOrigin:
        found = self.loaded.origin(setting.name)
        return found._replace(kind="option") if setting.name in self.given else found

    def waits(self, setting: Setting) -> bool:
        """Whether its value counts from the next start only."""
        is_other = value_of(self.loaded.settings, setting.name) != value_of(self.in_force, setting.name)
        return not setting.is_live and is_other and setting.name not in self.given


def rows(known: KnownSettings, search: str = "") -> Iterator[SettingRow]:
    """The mistakes, then the settings that have all words of ``search``, section by section."""
    problems = known.loaded.problems if not search.strip() else ()
    if problems:
        yield SettingRow(key="problems", says=tr("What is wrong"), tone="heading")
    for number, problem in enumerate(problems):
        key = f"{PROBLEM}{number}"
        yield SettingRow(key=key, name=" ", says=text(problem), tone="warning")
    section: str | None = None
    for setting in table():
        value = known.value(setting)
        if not has_words(search, setting.name, tr(setting.purpose), value):
            continue
        if setting.section != section:
            section = setting.section
            label = tr(_SECTIONS.get(section, section))
            says = f"{label}  [{section}]" if section else label
            yield SettingRow(key=f"section {section}", says=says, tone="heading")
        is_wrong = setting.name in known.loaded.invalid
        yield SettingRow(
            key=setting.name,
            name=setting.key,
            says=value,
            source=tr("next start") if known.waits(setting) else source_text(known.origin(setting)),
            tone="bad" if is_wrong else "muted" if known.origin(setting).kind == "default" else "plain",
        )


def source_text(origin: SettingOrigin) -> str:
    """Where a value comes from."""
    if origin.kind == "option":
        return tr("command line")
    if origin.kind == "file":
        return tr("line {line}", line=origin.line or 1)
    return origin.name or tr("default")


def about(known: KnownSettings, setting: Setting) -> Content:
    """What a setting is for, what it may be, and what a change would do."""
    origin = known.origin(setting)
    lines: list[Part] = [
        (setting.name, "bold"),
        tr(setting.purpose),
        (tr("Values: {allowed}.", allowed=text(setting.kind.allowed)), "$text-muted"),
        (_default_line(setting), "$text-muted"),
    ]
    if origin.kind in ("option", "environment"):
        lines.append((_overridden(origin), "$text-warning"))
    return content_of("\n").join(content_of(line) for line in lines)


def _default_line(setting: Setting) -> str:
    default = setting.kind.write(setting.default)
    if setting.is_live:
        return tr("Default: {value}. A change counts at once.", value=default)
    return tr("Default: {value}. A change counts from the next start.", value=default)


def _overridden(origin: SettingOrigin) -> str:
    if origin.kind == "option":
        return tr("The command line has set it: a change of the file counts once it is left out there.")
    return tr("{variable} has set it: a change of the file counts once that is unset.", variable=origin.name)


def setting_of(problem: Sentence) -> Setting | None:
    """The setting that a mistake is about; None if it is about none that there is."""
    name = _name_in(problem)
    found = [each for each in table() if name == each.variable or f"{name}.".startswith(f"{each.name}.")]
    return max(found, key=lambda each: len(each.name), default=None)


def unknown_place(problem: Sentence) -> tuple[str, ...] | None:
    """Where in the file a name stands that is no setting; None for other mistakes."""
    fault = _fault(problem)
    is_unknown = fault.kind in ("setting.unknown", "setting.unknown_key") and fault is not problem
    return tuple(_name_in(problem).split(".")) if is_unknown else None


def _fault(problem: Sentence) -> Sentence:
    fault = problem.params.get("fault")
    return fault[0] if isinstance(fault, tuple) and fault and isinstance(fault[0], Sentence) else problem


def _name_in(problem: Sentence) -> str:
    return str(_fault(problem).params.get("name", ""))


def unquoted(value: str) -> str:
    """A value of TOML as it is typed: a text without its quotation marks."""
    return value[1:-1] if value.startswith('"') and "\\" not in value else value
