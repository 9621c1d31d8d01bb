"""What the keys do to models. Each act is a worker of its own; the stack puts on record what comes of it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from llmstack_tui.base.kinds import Capability
from llmstack_tui.base.text import clean
from llmstack_tui.lifecycle.states import ModelState, ModelStatus
from llmstack_tui.tui.controller import ACTS, Intents, worker_name
from llmstack_tui.tui.deferred import Later
from llmstack_tui.tui.draw.text import lines_text, names_text
from llmstack_tui.tui.models.removals import removal_text, removals_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.screen import Screen

    from llmstack_tui.core import Stack
    from llmstack_tui.tui.models.deriving import Way
    from llmstack_tui.tui.models.rows import Key


class Acts(Intents):
    """What is done to the models of a server: their memory, their names, their files."""

    def activate(self, *keys: Key) -> None:
        self._each(keys, self._activate)

    def deactivate(self, *keys: Key) -> None:
        self._each(keys, self._deactivate)

    def restart(self, *keys: Key) -> None:
        self._each(keys, self._restart)

    def cancel(self, key: Key) -> None:
        """Give up the load of a model that is under way."""
        status, _ = self._found(key)
        if status is not None and status.state is ModelState.LOADING:
            for worker in self._app.workers:
                if worker.group == ACTS and worker.name == worker_name(key):
                    worker.cancel()

    def remove(self, *keys: Key) -> None:
        stack = self._stack() if keys else None
        found = [status for key in keys if (status := self._app.view.model(key)) is not None]
        if not found or stack is None or self._refused(stack):
            return
        what = f"Remove {keys[0][1]}" if len(keys) == 1 else f"Remove {len(keys)} models"
        self._run(what, Later(self._remove, stack, found))

    def add_file(self) -> None:
        stack = self._stack()
        if stack is None or self._refused(stack):
            return
        selected = self._app.models.selected_host
        for host in stack.state.hosts:
            url = host.snapshot.url
            able = host.snapshot.capabilities
            if selected in {None, url} and (Capability.IMPORT in able or Capability.PULL in able):
                self._run("Add a model", Later(self._add_file, stack, url, able))
                return
        self._app.tell("This server takes no models.")

    def derive(self, key: Key, way: Way) -> None:
        """Have a model from this one, after a dialog."""
        status, stack = self._found(key)
        if status is None or stack is None or self._refused(stack):
            return
        if status.model is None:
            self._app.tell(f"{clean(status.name)} is in memory, but installed under no name.")
            return
        self._run(f"{way.title} {key[1]}", Later(self._derive, stack, key, way))

    def stop_all(self) -> None:
        stack = self._stack()
        if stack is None or self._refused(stack):
            return
        loaded = [
            model.name
            for host in stack.state.hosts
            if host.snapshot.url not in stack.look_only
            for model in host.snapshot.running
        ]
        if loaded:
            self._run("Stop all models", Later(self._stop_all, stack, loaded))
        else:
            self._app.tell("No model is in memory.")

    def copy_url(self, url: str | None = None, *, native: bool) -> None:
        """Copy the address of a server: ``url``, else that of the one under the cursor, else the first."""
        state = self._app.view.state
        if state is None or not state.hosts:
            self._app.tell("There is no server yet.")
            return
        url = url or self._app.models.selected_host or state.hosts[0].snapshot.url
        url = url if native else f"{url}/v1"
        self._app.copy_to_clipboard(url)
        whose = "Ollama" if native else "OpenAI"
        self._app.tell(f"{url}\nGive it to a client of the {whose} API.", title="Copied")

    def _each(self, keys: Sequence[Key], act: Callable[[Stack, ModelStatus], str]) -> None:
        """Do this to each of them; why some need nothing done is said once for all."""
        stack = self._stack() if keys else None
        if stack is None:
            return
        found = [status for key in keys if (status := self._app.view.model(key)) is not None]
        if said := [text for status in found if (text := act(stack, status))]:
            self._app.tell(lines_text(said))

    def _activate(self, stack: Stack, status: ModelStatus) -> str:
        match status.state:
            case ModelState.CLOUD:
                return f"{clean(status.name)} runs elsewhere: there is nothing to load here."
            case ModelState.ACTIVE:
                return f"{clean(status.name)} is active already."
            case ModelState.INACTIVE | ModelState.STOPPING:
                key = (status.host, status.name)
                work = Later(self._app.guarding.activate, stack, key)
                self._run(f"Activate {status.name}", work, key)
        return ""

    def _deactivate(self, stack: Stack, status: ModelStatus) -> str:
        key = (status.host, status.name)
        match status.state:
            case ModelState.STOPPING:
                return f"{clean(status.name)} leaves as soon as its running request has ended."
            case ModelState.INACTIVE | ModelState.CLOUD:
                return f"{clean(status.name)} is not in memory."
            case ModelState.LOADING:
                self.cancel(key)
            case ModelState.ACTIVE:
                self._run(f"Deactivate {status.name}", Later(stack.deactivate, *key), key)
        return ""

    def _restart(self, stack: Stack, status: ModelStatus) -> str:
        if status.state is not ModelState.ACTIVE:
            return f"{clean(status.name)} is not in memory: there is nothing to restart."
        key = (status.host, status.name)
        self._run(f"Restart {status.name}", Later(stack.restart, *key), key)
        return ""

    async def _stop_all(self, stack: Stack, loaded: list[str]) -> None:
        title = "Stop the one model in memory?" if len(loaded) == 1 else f"Stop all {len(loaded)} models?"
        text = f"{names_text(loaded)}\n\nThey leave memory when their running requests have ended."
        if await self._is_wanted(title, text, "Keep them", "Stop them"):
            await stack.stop_all()

    async def _derive(self, stack: Stack, key: Key, way: Way) -> None:
        from llmstack_tui.tui.models.derive import DeriveScreen

        host = self._app.view.host(key[0])
        screen = DeriveScreen(
            f"{way.title} {clean(key[1], limit=60)}",
            way.verb,
            lambda wanted: way.make(stack, key, wanted),
            suggested=way.suggested(key[1]),
            names=[model.name for model in host.models if model.model] if host else [],
            is_new=way.is_new,
        )
        await self._follow(stack, key[0], screen)

    async def _remove(self, stack: Stack, chosen: list[ModelStatus]) -> None:
        models = [model for host in stack.state.hosts for model in host.models]
        if len(chosen) == 1:
            title, text, them = (
                f"Remove {clean(chosen[0].name, limit=50)}?",
                removal_text(chosen[0], models),
                "it",
            )
        else:
            title, text, them = f"Remove {len(chosen)} models?", removals_text(chosen, models), "them"
        if not await self._is_wanted(title, text, f"Keep {them}", f"Remove {them}", dangerous=True):
            return
        for status in chosen:
            # Each for itself: one that cannot be removed keeps none of the others.
            key = (status.host, status.name)
            self._run(f"Remove {status.name}", Later(stack.delete, *key), key)

    async def _add_file(self, stack: Stack, url: str, able: Capability) -> None:
        from llmstack_tui.tui.downloads.add import ImportScreen

        names = {
            model.name for host in stack.state.hosts if host.snapshot.url == url for model in host.models
        }
        start = partial(stack.import_gguf, url) if Capability.IMPORT in able else None
        pull = partial(stack.downloads.pull, url) if Capability.PULL in able else None
        screen = ImportScreen(start, pull, names, self._app.marks)
        made = await self._app.push_screen_wait(screen)
        if made is not None:
            if screen.pulls:
                self._app.tell(f"{clean(made, limit=200)} is in the queue.", title="Pull")
            else:
                self._show_made(stack, url, made)

    async def _follow(self, stack: Stack, url: str, screen: Screen[str]) -> None:
        """Show a dialog, and put the cursor on what it has made."""
        made = await self._app.push_screen_wait(screen)
        if made is not None:
            self._show_made(stack, url, made)

    def _show_made(self, stack: Stack, url: str, made: str) -> None:
        stack.refresh()
        self._app.select_when_listed(url, made)
