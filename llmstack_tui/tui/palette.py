"""The command palette: the action of every key, and the models by name."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.app import SystemCommand
from textual.binding import Binding
from textual.command import Hit, Hits, Provider
from textual.system_commands import SystemCommandsProvider
from textual.theme import ThemeProvider

from llmstack_tui.base.languages import LANGUAGES, current, later, tr
from llmstack_tui.base.text import brief
from llmstack_tui.lifecycle.states import ModelState
from llmstack_tui.tui.draw.servers import address
from llmstack_tui.tui.draw.text import content_of
from llmstack_tui.tui.screen import LiveScreen
from llmstack_tui.tui.shell import shell_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from textual.app import App
    from textual.screen import Screen

    from llmstack_tui.lifecycle.states import ModelStatus

_MOST = 40
_LONGEST_NAME = 120
# What is offered for a model, and the action that does it.
_LOAD, _UNLOAD = (later("load"), "activate"), (later("unload"), "deactivate")
_DOES = {ModelState.INACTIVE: _LOAD, ModelState.ACTIVE: _UNLOAD, ModelState.LOADING: _UNLOAD}
_NOTHING = "", ""
# Screens that no key opens from everywhere.
SCREENS = {
    "activity": (
        later("Activity"),
        later("The activity on a screen of its own: acts, other clients, warnings and errors"),
    ),
    "updates": (
        later("Updates"),
        later(
            "Models that are out of date, what changed, and the download; what could not be checked, and why"
        ),
    ),
    "service": (
        later("Service"),
        later("Ollama and the built-in engine: start, stop, restart, start at login"),
    ),
    "log": (later("Log"), later("What Ollama or the engine writes, and what it means")),
    "install": (
        later("Installation"),
        later("Install Ollama or the built-in engine, or go to another version"),
    ),
    "variables": (
        later("Server settings"),
        later("The variables of Ollama: what is in force, and what suits this machine"),
    ),
    "api_keys": (
        later("API keys"),
        later("The keys of providers and servers: add, validate, replace, remove"),
    ),
}


def key_commands(app: App[None], screen: Screen[object], shown: Mapping[str, str]) -> Iterator[SystemCommand]:
    """The commands of this screen's keys and of the global keys; ``shown`` maps binding ids to keys."""
    offered = screen.BINDINGS if isinstance(screen, LiveScreen) else ()
    every = [(screen, each) for each in offered] + [(app, each) for each in app.BINDINGS]
    titles = set()
    for node, binding in every:
        if isinstance(binding, Binding) and binding.action != "command_palette":
            # Textual renders the text below a command as markup.
            key = shown.get(binding.id or "", "").replace("[", "")
            titles.add(title := tr(binding.description))
            yield SystemCommand(
                title,
                f"{tr(binding.tooltip)}  ({key})",
                partial(app.run_action, binding.action, node),
            )
    title, said = tr("Find servers on this machine"), tr("Ask at the ports that servers are known by, once")
    yield SystemCommand(title, said, partial(shell_of(screen).act, "servers.find_others"))
    for feature, (label, does) in SCREENS.items():
        if (title := tr(label)) not in titles:
            yield SystemCommand(title, tr(does), partial(app.run_action, f"open('{feature}')", app))
    title, said = tr("Theme: colours, dark or light"), tr("Change how it looks")
    yield SystemCommand(title, said, app.action_change_theme)
    for each in LANGUAGES:
        if each is not current():
            title, said = tr("Language: {name}", name=each.name), tr("Show everything in this language")
            yield SystemCommand(title, said, partial(app.run_action, f"use_language({each.code!r})", app))


class ModelCommands(Provider):
    """Finds models by a part of their names: "qwen" selects one, "load qwen" also loads it."""

    async def search(self, query: str) -> Hits:
        # Textual's own fuzzy search takes a second for some thousand names, and every hit is a row to build.
        hits = sorted(self._hits(query.casefold().split()), reverse=True)
        for hit in hits[:_MOST]:
            yield hit
        if len(hits) > _MOST:
            said = tr("The first {count} of {of:,} models: type more of the name.", count=_MOST, of=len(hits))
            yield Hit(0.0, content_of((said, "$text-muted")), lambda: None, text=said)

    def _hits(self, words: list[str]) -> Iterator[Hit]:
        view = shell_of(self.screen).view
        several = view.state is not None and len(view.state.hosts) > 1
        for model in view.models():
            name = model.name.casefold()
            does, action = _DOES.get(model.state, _NOTHING)
            does = tr(does)
            if words and all(word in name for word in words):
                yield self._hit("", "", model, words, several=several)
            elif len(words) > 1 and does.startswith(words[0]) and all(word in name for word in words[1:]):
                yield self._hit(does, action, model, words[1:], several=several)

    def _hit(self, does: str, action: str, model: ModelStatus, words: list[str], *, several: bool) -> Hit:
        name = brief(model.name, _LONGEST_NAME)
        key = (model.host, model.name)
        shell = shell_of(self.screen)
        shown = content_of(
            f"{does.capitalize()} " if does else "",
            (name, "bold"),
            f"  {tr(model.state)}",
            f"  {address(model.host)}" if several else "",
        )
        at = model.name.casefold().find(words[0])
        score = 1.0 if words[0] == model.name.casefold() else 0.9 if at == 0 else 0.5
        command = partial(shell.act, f"models.{action}", key) if does else partial(shell.select, *key)
        return Hit(score, shown, command, text=f"{does} {name}".strip())


class _Search(Provider):
    """What other providers find; where that is nothing it says so, as Textual would in English."""

    others: ClassVar[Sequence[type[Provider]]]

    async def discover(self) -> Hits:
        for kind in self.others:
            async for hit in kind(self.screen, self.match_style).discover():
                yield hit

    async def search(self, query: str) -> Hits:
        found = False
        for kind in self.others:
            async for hit in kind(self.screen, self.match_style).search(query):
                found = True
                yield hit
        if not found:
            said = tr("No match.")
            yield Hit(0.0, content_of((said, "$text-muted")), lambda: None, text=said)


class Commands(_Search):
    others = (SystemCommandsProvider, ModelCommands)


class Themes(_Search):
    others = (ThemeProvider,)
