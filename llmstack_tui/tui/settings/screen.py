"""The list of all settings, with what is said of the one under the cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.widgets import Static

from llmstack_tui.base.languages import tr
from llmstack_tui.base.text_files import NotWritten
from llmstack_tui.config.editing import entry, toml_in, toml_of
from llmstack_tui.config.key import KeyFailed
from llmstack_tui.config.table import find_setting
from llmstack_tui.core.wording import text, words
from llmstack_tui.tui.draw.text import content_of
from llmstack_tui.tui.settings import KEYS
from llmstack_tui.tui.settings.rows import (
    PROBLEM,
    KnownSettings,
    SettingRow,
    about,
    rows,
    setting_of,
    unknown_place,
    unquoted,
)
from llmstack_tui.tui.settings.searched import SearchedScreen
from llmstack_tui.tui.shell import AnswerChoice, start
from llmstack_tui.tui.widgets.list import RowList

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.segment import Segment
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from llmstack_tui.base.sentences import Sentence
    from llmstack_tui.base.toml import Path as Place
    from llmstack_tui.config.table import Setting
    from llmstack_tui.tui.draw.text import Pen
    from llmstack_tui.tui.shell import Work
    from llmstack_tui.tui.stack import DashboardSettings

_NAME, _SOURCE, _LONG_SOURCE = 20, 14, 32
_READ_EVERY_S = 2.0
_GROUP = "settings.file"


class SettingList(RowList[SettingRow]):
    """Lists settings with their values and where these come from."""

    def is_heading(self, row: SettingRow) -> bool:
        return not row.name

    def draw(self, row: SettingRow, line: int, width: int, pen: Pen) -> Sequence[Segment]:
        if not row.name:
            return [pen.pointer(), pen.cell(f" {row.says}", width - 1, "heading")]
        if row.key.startswith(PROBLEM):
            return [pen.pointer(), pen.cell(f"  {row.says}", width - 1, row.tone)]
        source = _LONG_SOURCE if width > 100 else _SOURCE
        return [
            pen.pointer(),
            pen.cell(f"  {row.name}", _NAME, "plain"),
            pen.cell(row.says, width - 2 - _NAME - source, row.tone),
            pen.cell(f" {row.source}", source + 1, "muted"),
        ]


class SettingsScreen(SearchedScreen):
    """Reads the file again while it is shown.

    Args:
        name: the setting under the cursor at first; "" for the first one.
    """

    DEFAULT_CSS = """
    SettingsScreen SettingList { min-height: 3; }
    SettingsScreen #about { height: auto; max-height: 9; padding: 0 1; border-top: solid $pane-border; }
    """
    AUTO_FOCUS = "SettingList"
    BINDINGS: ClassVar[list[BindingType]] = [*KEYS]

    def __init__(self, name: str = "") -> None:
        super().__init__(tr("Settings"))
        self.list = SettingList()
        self._about = Static("", id="about", markup=False)
        self._wanted = name
        self._file: DashboardSettings | None = None
        self._known: KnownSettings | None = None

    def compose_body(self) -> ComposeResult:
        yield self.field
        yield self.list
        yield self._about

    def on_mount(self) -> None:
        self._begin(tr("The settings"), self._read)
        self.set_interval(_READ_EVERY_S, lambda: self._begin(tr("The settings"), self._read))

    def _begin(self, description: str, work: Work) -> None:
        start(self, description, work, group=_GROUP)

    async def _read(self) -> None:
        if self._file is None:
            self._file = await self.shell.open_settings()
        loaded = await self._file.load()
        self._known = KnownSettings(loaded, self.shell.settings, self.shell.given)
        self.show_found()

    def show_found(self) -> None:
        if self._known is None or self._file is None:
            return
        self.frame.show_title(f"{tr('Settings')}  {self._file.file}")
        self.list.show_message((tr("No setting has that."),))
        self.list.show(tuple(rows(self._known, self.search)))
        if self._wanted and self.list.move_to(self._wanted):
            self._wanted = ""
        self._describe()

    @on(RowList.Moved)
    def _describe(self) -> None:
        known, row = self._known, self.list.row
        if known is None or row is None:
            self._about.update("")
        elif (problem := self._problem) is not None:
            self._about.update(content_of((text(problem), "$text-warning")))
        elif (setting := self._setting) is not None:
            self._about.update(about(known, setting))

    @property
    def _setting(self) -> Setting | None:
        return find_setting(self.list.row.key) if self.list.row is not None else None

    @property
    def _problem(self) -> Sentence | None:
        row, known = self.list.row, self._known
        if row is None or known is None or not row.key.startswith(PROBLEM):
            return None
        number = int(row.key.removeprefix(PROBLEM))
        return known.loaded.problems[number] if number < len(known.loaded.problems) else None

    # Changes

    @on(RowList.Opened)
    async def action_change(self) -> None:
        """Change the setting under the cursor, or go to that of a mistake."""
        if (problem := self._problem) is not None:
            if (found := setting_of(problem)) is not None:
                self.list.move_to(found.name)
            else:
                self.shell.tell(text(problem))
        elif (setting := self._setting) is not None:
            self._begin(tr("The settings"), lambda: self._ask(setting))

    async def _ask(self, setting: Setting) -> None:
        from llmstack_tui.tui.dialogs import TypedValue
        from llmstack_tui.tui.settings.dialogs import ChosenValue

        if self._known is None or self._is_fixed():
            return
        if setting.kind.is_secret:
            await self._offer_key()
            return
        if setting.name in ("ui.keys", "hosts"):
            await self._open_list(setting.name)
            return
        present, purpose = unquoted(self._known.value(setting)), tr(setting.purpose)
        if setting.kind.choices:
            is_theme = setting.name == "ui.theme"
            on_move = self.shell.preview_theme if is_theme else lambda _: None
            choices = (*setting.kind.choices, *(await self.shell.own_themes() if is_theme else ()))
            dialog = ChosenValue(setting.name, purpose, choices, present, on_move)
            chosen = await self.shell.show(dialog)
            if is_theme:
                self.shell.preview_theme(None)
            value = None if chosen is None else toml_of(setting, chosen)
        else:
            purpose += "\n" + tr("Values: {allowed}.", allowed=text(setting.kind.allowed))
            value = await self.shell.show(
                TypedValue(setting.name, purpose, present, lambda typed: toml_of(setting, typed))
            )
        if value is not None:
            await self._write(setting, value)

    async def _open_list(self, name: str) -> None:
        """The screen for a setting that has many values."""
        from llmstack_tui.tui.settings.hosts import HostsScreen
        from llmstack_tui.tui.settings.keymap import KeymapScreen

        assert self._file is not None  # noqa: S101
        await self.shell.show(KeymapScreen(self._file) if name == "ui.keys" else HostsScreen(self._file))
        await self._read()

    async def _offer_key(self) -> None:
        assert self._file is not None  # noqa: S101
        said = tr("A secret is never in this file. A key can be made in a file of its own, for you alone.")
        answers = (AnswerChoice("no", tr("Not now")), AnswerChoice("make", tr("Make a key")))
        if await self.shell.ask(tr("The engine's key"), said, answers, escape="no") != "make":
            return
        try:
            file, is_new = await self._file.make_key()
        except KeyFailed as error:
            self.shell.warn(words(error), title=tr("Settings"))
            return
        made = tr("The key is in {file}. It counts from the engine's next start.", file=str(file))
        self.shell.tell(made if is_new else tr("There is a key in {file} already.", file=str(file)))

    def action_next_value(self) -> None:
        setting, known = self._setting, self._known
        if setting is None or known is None or self._is_fixed():
            return
        choices = setting.kind.choices
        if not choices:
            key = self.shell.view.keys["settings.change"]
            self.shell.tell(tr("It has no list of values: {key} changes it.", key=key))
            return
        present = unquoted(known.value(setting))
        at = choices.index(present) if present in choices else -1
        value = toml_of(setting, choices[(at + 1) % len(choices)])
        self._begin(tr("The settings"), lambda: self._write(setting, value))

    def action_reset(self) -> None:
        """Take a setting, or a name that is none, out of the file."""
        known, setting, problem = self._known, self._setting, self._problem
        if known is None or self._is_fixed():
            return
        if problem is not None:
            if (place := unknown_place(problem)) is not None:
                self._begin(tr("The settings"), lambda: self._remove(place))
        elif setting is not None:
            loaded = known.loaded
            if loaded.origin(setting.name).kind == "default" and setting.name not in loaded.invalid:
                self.shell.tell(tr("It has its default already."))
            else:
                self._begin(tr("The settings"), lambda: self._write(setting, None))

    async def _remove(self, place: Place) -> None:
        assert self._file is not None  # noqa: S101
        *table, name = (*place[:2], ".".join(place[2:])) if len(place) > 2 else place
        await self._put({entry(await self._file.document(), tuple(table), name): None})

    def _is_fixed(self) -> bool:
        """Whether --read-only or its variable forbids it; read_only in the file can still be taken back."""
        known, setting = self._known, find_setting("read_only")
        is_given = known and setting and known.origin(setting).kind in ("option", "environment")
        if is_given and self.shell.settings.read_only:
            self.shell.tell(tr("Nothing can be changed: llmstack is read-only."))
            return True
        return False

    async def _write(self, setting: Setting, value: str | None) -> None:
        assert self._file is not None  # noqa: S101
        file = self._file
        old = toml_in(await file.document(), setting)
        if not await self._put({setting.place: value}):
            return
        shown = setting.kind.write(setting.default) if value is None else value
        said = tr("{name} is {value} now.", name=setting.name, value=shown)
        if self._known is not None and self._known.origin(setting).kind in ("environment", "option"):
            said = tr("It is in the file. What has set it elsewhere has the last word.")
        elif not setting.is_live:
            said = tr("{name} is {value} from the next start.", name=setting.name, value=shown)

        async def put_back() -> None:
            if toml_in(await file.document(), setting) == value:
                await self._put({setting.place: old})
            else:
                self.shell.tell(tr("{name} was changed meanwhile, and stays as it is.", name=setting.name))

        def take_back() -> bool:
            self.shell.start(tr("The settings"), put_back, group=_GROUP)
            return True

        self.shell.offer_undo(said, take_back)

    async def _put(self, values: dict[tuple[str, ...], str | None]) -> bool:
        """Write into the file; False, with a sentence, if that is not possible."""
        assert self._file is not None  # noqa: S101
        try:
            await self._file.change(values)
        except NotWritten as error:
            self.shell.warn(words(error), title=tr("Settings"), severity="error")
            return False
        if self.is_attached:
            await self._read()
        return True
