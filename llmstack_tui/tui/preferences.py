"""The user's preferences while the dashboard runs: the settings, and the chosen theme and language."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from textual.app import App

from llmstack_tui.base import languages
from llmstack_tui.base.languages import tr, tr_n
from llmstack_tui.base.sentences import listed
from llmstack_tui.core.wording import text
from llmstack_tui.tui import themes
from llmstack_tui.tui.features import BINDINGS
from llmstack_tui.tui.keymap import usable_keys
from llmstack_tui.tui.shell import NoteKind, shell_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.binding import Binding

    from llmstack_tui.base.paths import Look
    from llmstack_tui.base.sentences import Sentence, Sentences
    from llmstack_tui.config.settings import LoadedSettings, Settings
    from llmstack_tui.config.themes import ThemeFile
    from llmstack_tui.tui.servers.connection import DashboardCore
    from llmstack_tui.tui.stack import DashboardStack

SETTINGS = "settings"
_THEME: Look = "theme"
_LANGUAGE: Look = "language"
_USUAL_THEME = themes.DARK.name
_MOST_PROBLEMS_TOLD = 3
_GUARD = "guard."


class Preferences:
    """Applies the settings to the dashboard, and again whenever their file changes.

    Attributes:
        keymap: the keys from the settings, by the ids of `llmstack_tui.tui.keys`.
        first_keys: the first key of each binding, by its id, for sentences that name a key.
    """

    def __init__(
        self,
        app: App[None],
        services: DashboardCore,
        loaded: LoadedSettings | None,
        *,
        on_change: Callable[[Settings], None],
        on_language: Callable[[], None],
    ) -> None:
        self._app = app
        self._shell = shell_of(app)
        self._services = services
        self._on_change = on_change
        self._on_language = on_language
        self._settings = self._shell.settings
        self._loaded = self._first = loaded
        self._is_preview = False
        self._told: set[Sentence] = set()
        if loaded is not None:
            self._take(loaded.theme)
        self._problems: Sentences = loaded.problems if loaded else ()
        self._kept = services.last_look("theme") or _USUAL_THEME
        self.theme = self._first_theme()
        self._kept_language = services.last_look("language")
        if self._settings.ui.language == languages.AUTO and self._kept_language in languages.CODES:
            languages.use(self._kept_language)
        self._chosen: str | None = None
        self._chosen_language: str | None = None
        self._stack: DashboardStack | None = None
        self._use_keys(self._settings)

    def begin(self) -> None:
        """Tell the faults in the settings, and follow changes of the theme."""
        self._complain(self._problems)
        self._app.theme_changed_signal.subscribe(self._app, lambda _: self._theme_changed())

    def start_following(self) -> None:
        """Follow the settings file from now on."""
        self._shell.start(tr("The settings"), self.follow, group=SETTINGS)

    async def follow(self) -> None:
        """Apply the settings now, and again whenever their file changes."""
        async for loaded in self._services.watch_settings():
            before, self._loaded = self._loaded, loaded
            self._take(loaded.theme)
            if before is not None and before.settings != loaded.settings:
                self._apply(before.settings, loaded)
            if before is not None and before.theme != loaded.theme and loaded.theme is not None:
                self._warn_once(loaded.theme.advice)
            self._tell_problems(loaded.problems)
            await self._recall()

    def connected(self, stack: DashboardStack) -> None:
        """Use the store of this stack, which remembers what an earlier session chose."""
        self._stack = stack
        self._use_read_only()
        if self._chosen is not None:
            stack.records.remember(_THEME, self._chosen)
        if self._chosen_language is not None:
            stack.records.remember(_LANGUAGE, self._chosen_language)
        # The list must not wait for the store.
        self._shell.start(tr("The theme"), self._recall, group=SETTINGS)

    def shown_keys(self) -> dict[str, str]:
        """All keys of each binding, by its id, as the settings have them."""
        return {binding.id: " ".join(self._displayed(binding)) for binding in BINDINGS if binding.id}

    def _use_keys(self, settings: Settings) -> None:
        self.keymap = usable_keys(settings.ui.keys)
        self._app.set_keymap(self.keymap)
        self.first_keys = {binding.id: self._displayed(binding)[0] for binding in BINDINGS if binding.id}

    def _displayed(self, binding: Binding) -> list[str]:
        return [
            self._app.get_key_display(binding.with_key(key.strip()))
            for key in self.keymap.get(binding.id or "", binding.key).split(",")
        ]

    # The settings

    def _apply(self, before: Settings, loaded: LoadedSettings) -> None:
        from llmstack_tui.config.table import table, value_of

        now = loaded.settings
        found = [each for each in table() if value_of(before, each.name) != value_of(now, each.name)]
        changed = [each.name for each in found]
        if "ui.theme" in changed:
            self._chosen = None
            self._show_theme(self._theme_of(now))
        if "ui.language" in changed:
            self._chosen_language = None
            self._show_language(self._services.language(now))
        if self._stack is not None and any(name.startswith(_GUARD) for name in changed):
            self._stack.guard.use(now.guard)
        self._use_read_only()
        self._on_change(now)
        # Even if only the marks have changed: some keys are shown as marks.
        self._use_keys(now)
        if changed:
            fixed = {"read_only"} if self._settings.read_only else set()
            live = {each.name for each in found if each.is_live} - fixed
            self._shell.record(NoteKind.NOTE, _told(changed, live))

    @property
    def read_only(self) -> bool:
        """Read-only since the start, perhaps by the command line, or by the settings file now."""
        return self._settings.read_only or (self._loaded is not None and self._loaded.settings.read_only)

    def _use_read_only(self) -> None:
        if self._stack is not None:
            self._stack.read_only = self.read_only

    def _tell_problems(self, problems: Sentences) -> None:
        before, self._problems = self._problems, problems
        known = [*map(_fault, before)]
        self._complain([problem for problem in problems if _fault(problem) not in known])
        if before and not problems:
            self._shell.record(NoteKind.DONE, tr("The settings are valid again."))
            self._shell.tell(tr("They are valid again, and in use."), title=tr("Settings"))

    def _complain(self, problems: Sequence[Sentence]) -> None:
        self._shell.record(NoteKind.NOTE, *map(text, problems))
        for problem in problems[:_MOST_PROBLEMS_TOLD]:
            self._shell.warn(text(problem), title=tr("Settings"))
        if (more := len(problems) - _MOST_PROBLEMS_TOLD) > 0:
            self._shell.warn(tr("{count} more: see the activity.", count=more), title=tr("Settings"))

    @property
    def given(self) -> frozenset[str]:
        """The names of the settings that the command line overrides."""
        from llmstack_tui.config.table import table, value_of

        if self._first is None:
            return frozenset()
        pairs = ((each.name, value_of(self._first.settings, each.name)) for each in table())
        return frozenset(name for name, value in pairs if value_of(self._settings, name) != value)

    # The theme

    def preview_theme(self, name: str | None) -> None:
        """Show a theme until the next call, without keeping it; None shows the usual one again."""
        self._is_preview = name is not None
        self._app.theme = self.theme if name is None else themes.PREFIX + name

    async def own_themes(self) -> list[str]:
        """Read the user's themes, and say what is wrong with them; the names of those that can be used."""
        found = await asyncio.to_thread(self._services.themes)
        for each in found:
            self._take(each)
            self._warn_once((*each.problems, *each.advice))
        return [each.name for each in found if each.theme is not None]

    def _take(self, found: ThemeFile | None) -> None:
        """Have one of the user's themes among those that can be shown, with its colours of now."""
        if found is None or found.theme is None:
            return
        theme = themes.textual_theme(found.theme)
        known = self._app.available_themes.get(theme.name)
        self._app.register_theme(theme)
        if known not in (None, theme) and self._app.theme == theme.name:
            self._app.mutate_reactive(App.theme)

    def _read_theme(self, name: str) -> ThemeFile | None:
        """The file of a theme that is not known yet, by its name for Textual. Blocking."""
        if name in self._app.available_themes or not name.startswith(themes.PREFIX):
            return None
        return self._services.theme(name.removeprefix(themes.PREFIX))

    def _warn_once(self, said: Sentences) -> None:
        """Say what has not been said of a theme."""
        if new := [each for each in said if each not in self._told and each not in self._problems]:
            self._told.update(new)
            self._shell.warn(text(*new), title=tr("Theme"))

    def _theme_of(self, settings: Settings) -> str:
        name = themes.PREFIX + settings.ui.theme
        return name if name in self._app.available_themes else _USUAL_THEME

    def _first_theme(self) -> str:
        """The settings' theme; where that is the usual one, as before they are read, the theme shown last."""
        named = self._theme_of(self._settings)
        if named == _USUAL_THEME:
            self._take(self._read_theme(self._kept))
        return self._kept if named == _USUAL_THEME and self._kept in self._app.available_themes else named

    def _show_theme(self, name: str) -> None:
        self.theme = name
        self._app.theme = name
        self._keep_theme()

    def _keep_theme(self) -> None:
        if self._kept != self.theme:
            self._kept = self.theme
            self._keep(_THEME, self.theme)

    def _keep(self, look: Look, name: str) -> None:
        """Save what the first paint of the next start needs."""
        keep = partial(self._services.keep_look, look, name)
        self._shell.start(tr("The look of the next start"), keep, group=look)

    async def _recall(self) -> None:
        await self._recall_theme()
        await self._recall_language()

    def _theme_changed(self) -> None:
        """Keep a theme that the user chose, that is one that the settings did not set."""
        if self._app.theme == self.theme or self._is_preview:
            return
        self.theme = self._chosen = self._app.theme
        self._keep_theme()
        if self._stack is not None:
            self._stack.records.remember(_THEME, self._chosen)
        if self._loaded is not None and (named := _named_by(self._loaded, "ui.theme")):
            said = tr("The next start takes the theme of {place} again.", place=named)
            self._shell.tell(said, title=tr("Theme"))

    async def _recall_theme(self) -> None:
        """Show the theme of the settings, else that of an earlier session, unless the user has chosen one."""
        if self._stack is None or self._loaded is None or self._chosen:
            return
        name = self._theme_of(self._loaded.settings)
        if not _named_by(self._loaded, "ui.theme"):
            recalled = await self._stack.records.recall(_THEME, "", str)
            self._take(await asyncio.to_thread(self._read_theme, recalled))
            name = recalled if recalled in self._app.available_themes else name
        if not self._chosen:
            self._show_theme(name)

    # The language

    def use_language(self, code: str) -> None:
        """Show everything in a language that the user chose, and keep that."""
        self._chosen_language = code
        self._show_language(code)
        self._keep_language(code)
        if self._stack is not None:
            self._stack.records.remember(_LANGUAGE, code)
        if self._loaded is not None and (named := _named_by(self._loaded, "ui.language")):
            said = tr("The next start takes the language of {place} again.", place=named)
            self._shell.tell(said, title=tr("Language"))

    def _show_language(self, code: str) -> None:
        if code != languages.current().code:
            languages.use(code)
            self._on_language()

    def _keep_language(self, code: str) -> None:
        if code != self._kept_language:
            self._kept_language = code
            self._keep(_LANGUAGE, code)

    async def _recall_language(self) -> None:
        """Show the language of the settings, else that of an earlier session, unless one was chosen."""
        if self._stack is None or self._loaded is None or self._chosen_language:
            return
        code = self._services.language(self._loaded.settings)
        if not _named_by(self._loaded, "ui.language"):
            recalled = await self._stack.records.recall(_LANGUAGE, "", str)
            code = recalled if recalled in languages.CODES else code
            if not self._chosen_language:
                self._keep_language(recalled)
        if not self._chosen_language:
            self._show_language(code)


def _fault(problem: Sentence) -> object:
    """A mistake without its line, which moves with what stands above it."""
    return problem.params.get("fault", problem)


def _named_by(loaded: LoadedSettings, setting: str) -> str:
    """The file or variable that has this setting; else ""."""
    origin = loaded.origin(setting)
    return (origin.name or "") if origin.kind != "default" else ""


def _told(changed: list[str], live: set[str]) -> str:
    """Which settings changed, and whether they apply now or from the next start."""
    now = [name for name in changed if name in live]
    then = [name for name in changed if name not in now]
    said = []
    if now:
        said.append(tr_n("{names} applies now", "{names} apply now", len(now), names=listed(now)))
    if then:
        said.append(
            tr_n(
                "{names} applies from the next start",
                "{names} apply from the next start",
                len(then),
                names=listed(then),
            )
        )
    return tr("The settings were read again: {what}.", what="; ".join(said))
