"""What the keys do to models. Each act is a worker of its own; the stack puts on record what comes of it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from llmstack_tui.base.text import clean
from llmstack_tui.base.units import bytes_text
from llmstack_tui.lifecycle.states import ModelState, ModelStatus
from llmstack_tui.tui.controller import ACTIONS, Controller, work_name
from llmstack_tui.tui.draw.text import lines_text, names_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from llmstack_tui.lifecycle.states import ModelStatus
    from llmstack_tui.tui.shell import Key
    from llmstack_tui.tui.stack import DashboardStack


class ModelController(Controller):
    """What is done to the models of a server: their memory, their names, their files."""

    def activate(self, *keys: Key) -> None:
        self._each(keys, self._activate)

    def deactivate(self, *keys: Key) -> None:
        self._each(keys, self._deactivate)

    def restart(self, *keys: Key) -> None:
        self._each(keys, self._restart)

    def cancel(self, key: Key) -> None:
        """Give up the load of a model that is under way."""
        status = self._shell.view.model(key)
        if status is not None and status.state is ModelState.LOADING:
            self._shell.cancel(ACTIONS, work_name(key))

    def remove(self, *keys: Key) -> None:
        found = [status for key in keys if (status := self._shell.view.model(key)) is not None]
        stack = self._changeable() if found else None
        if stack is None:
            return
        what = f"Remove {keys[0][1]}" if len(keys) == 1 else f"Remove {len(keys)} models"
        self._start(what, partial(self._remove, stack, found))

    def create(self, key: Key) -> None:
        """Make a new model from this one, after a dialog."""
        self._derive(key, "create", "New model from")

    def copy(self, key: Key) -> None:
        self._derive(key, "copy", "Copy")

    def rename(self, key: Key) -> None:
        self._derive(key, "rename", "Rename")

    def _derive(self, key: Key, way: str, title: str) -> None:
        status = self._shell.view.model(key)
        if (stack := self._changeable()) is None or status is None:
            return
        if status.model is None:
            self._shell.tell(f"{clean(status.name)} is in memory, but installed under no name.")
            return
        self._start(f"{title} {key[1]}", partial(self._ask_and_derive, stack, key, way, title))

    def stop_all(self) -> None:
        if (stack := self._changeable()) is None:
            return
        loaded = [
            model.name
            for host in stack.state.hosts
            if host.snapshot.url not in stack.look_only
            for model in host.snapshot.running
        ]
        if loaded:
            self._start("Unload all models", partial(self._stop_all, stack, loaded))
        else:
            self._shell.tell("No model is in memory.")

    def copy_url(self, *keys: Key) -> None:
        """Copy the address for OpenAI clients of the host of these, else of the one under the cursor."""
        self._copy_url(keys, "OpenAI", "/v1")

    def copy_native_url(self, *keys: Key) -> None:
        """Copy the address for Ollama clients."""
        self._copy_url(keys, "Ollama", "")

    def _copy_url(self, keys: Sequence[Key], api: str, path: str) -> None:
        state = self._shell.view.state
        if state is None or not state.hosts:
            self._shell.tell("There is no server yet.")
            return
        host = keys[0][0] if keys else self._shell.selected_host or state.hosts[0].snapshot.url
        url = f"{host}{path}"
        self._shell.copy(url)
        self._shell.tell(f"{url}\nGive it to a client of the {api} API.", title="Copied")

    def _each(self, keys: Sequence[Key], act: Callable[[DashboardStack, ModelStatus], str]) -> None:
        """Do this to each of them; why some need nothing done is said once for all."""
        stack = self._stack() if keys else None
        if stack is None:
            return
        found = [status for key in keys if (status := self._shell.view.model(key)) is not None]
        if said := [text for status in found if (text := act(stack, status))]:
            self._shell.tell(lines_text(said))

    def _activate(self, stack: DashboardStack, status: ModelStatus) -> str:
        match status.state:
            case ModelState.CLOUD:
                return f"{clean(status.name)} runs elsewhere: there is nothing to load here."
            case ModelState.ACTIVE:
                return f"{clean(status.name)} is active already."
            case ModelState.INACTIVE | ModelState.STOPPING:
                self._shell.act("guard.load", (status.host, status.name))
        return ""

    def _deactivate(self, stack: DashboardStack, status: ModelStatus) -> str:
        key = (status.host, status.name)
        match status.state:
            case ModelState.STOPPING:
                return f"{clean(status.name)} is unloaded as soon as its running request has ended."
            case ModelState.INACTIVE | ModelState.CLOUD:
                return f"{clean(status.name)} is not in memory."
            case ModelState.LOADING:
                self.cancel(key)
            case ModelState.ACTIVE:
                self._start(f"Deactivate {status.name}", partial(stack.actions.deactivate, *key), key)
        return ""

    def _restart(self, stack: DashboardStack, status: ModelStatus) -> str:
        if status.state is not ModelState.ACTIVE:
            return f"{clean(status.name)} is not in memory: there is nothing to restart."
        key = (status.host, status.name)
        self._start(f"Restart {status.name}", partial(stack.actions.restart, *key), key)
        return ""

    async def _stop_all(self, stack: DashboardStack, loaded: list[str]) -> None:
        if len(loaded) == 1:
            title, them = f"Unload {clean(loaded[0], limit=50)}?", "it"
            text = "It is unloaded when its running request has ended."
        else:
            title, them = f"Unload all {len(loaded)} models?", "them"
            text = f"{names_text(loaded)}\n\nThey are unloaded when their running requests have ended."
        if await self._confirm(title, text, f"Keep {them}", f"Unload {them}"):
            await stack.actions.stop_all()

    async def _ask_and_derive(self, stack: DashboardStack, key: Key, name: str, title: str) -> None:
        from llmstack_tui.tui.models.derive import WAYS, DeriveScreen

        way = WAYS[name]
        host = self._shell.view.host(key[0])
        screen = DeriveScreen(
            f"{title} {clean(key[1], limit=60)}",
            way.verb,
            lambda wanted: way.make(stack, key, wanted),
            suggested=way.suggested(key[1]),
            names=[model.name for model in host.models if model.model] if host else [],
            is_new=way.is_new,
        )
        made = await self._shell.show(screen)
        if made is not None:
            stack.refresh()
            self._shell.select(key[0], made)

    async def _remove(self, stack: DashboardStack, chosen: list[ModelStatus]) -> None:
        models = [model for host in stack.state.hosts for model in host.models]
        if len(chosen) == 1:
            title, text, them = (
                f"Remove {clean(chosen[0].name, limit=50)}?",
                removal_text(chosen[0], models),
                "it",
            )
        else:
            title, text, them = f"Remove {len(chosen)} models?", removals_text(chosen, models), "them"
        if not await self._confirm(title, text, f"Keep {them}", f"Remove {them}", dangerous=True):
            return
        for status in chosen:
            # Each for itself: one that cannot be removed keeps none of the others.
            key = (status.host, status.name)
            self._start(f"Remove {status.name}", partial(stack.actions.delete, *key), key)


def removal_text(status: ModelStatus, models: list[ModelStatus]) -> str:
    """What is asked before a model is removed, and what disk that frees."""
    model = status.model
    if model is None:
        return "It is in memory, but installed under no name: it can only be deactivated."
    if status.state is ModelState.CLOUD:
        return "It runs elsewhere: only its entry here goes, and no disk is freed."
    shares = [
        clean(other.name, limit=60)
        for other in models
        if other.host == status.host
        and other.name != status.name
        and other.model
        and (
            other.model.digest == model.digest
            or (model.weights_digest and other.model.weights_digest == model.weights_digest)
        )
    ]
    if shares:
        others = f"{shares[0]} uses" if len(shares) == 1 else f"{shares[0]} and {len(shares) - 1} more use"
        text = f"Its files stay, because {others} the same weights: next to no disk is freed."
    else:
        text = f"This deletes it from the disk and frees up to {bytes_text(model.size)}."
    if status.running is not None:
        text += "\nIt is in memory: it is stopped first, when its running request has ended."
    return text


def removals_text(chosen: list[ModelStatus], models: list[ModelStatus]) -> str:
    """What is asked before several models are removed: which, and what disk that frees."""
    going = {(status.host, status.name) for status in chosen}
    kept = {files for each in models if (each.host, each.name) not in going for files in _files(each)}
    # Names that share their weights free them once.
    freed = {
        (_files(each) or ((each.host, each.name),))[0]: each.model.size or 0
        for each in chosen
        if each.model and each.state is not ModelState.CLOUD and not kept & {*_files(each)}
    }
    text = (
        names_text([status.name for status in chosen])
        + f"\n\nThis frees up to {bytes_text(sum(freed.values()))} of the disk."
    )
    if any(status.running for status in chosen):
        text += "\nThose in memory are stopped first, when their running requests have ended."
    return text


def _files(status: ModelStatus) -> tuple[tuple[str, str], ...]:
    """What a model has on the disk of its host: its weights where they are known, and its manifest."""
    model = status.model
    digests = (model.weights_digest, model.digest) if model else ()
    return tuple((status.host, digest) for digest in digests if digest)
