"""The actions on models. Each runs in a worker of its own; the stack records the result."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from llmstack_tui.base.names import listed_name
from llmstack_tui.base.sentences import listed, plural
from llmstack_tui.base.text import brief
from llmstack_tui.base.units import bytes_text
from llmstack_tui.lifecycle.states import ModelState, ModelStatus
from llmstack_tui.tui.draw.text import lines_text, models_text, names_text
from llmstack_tui.tui.shell import ACTIONS, Controller, work_name

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Sequence

    from llmstack_tui.core.removal import Removal
    from llmstack_tui.tui.models.derive import Way
    from llmstack_tui.tui.shell import Key
    from llmstack_tui.tui.stack import DashboardStack

    Unloading = Callable[[str, str], Coroutine[object, object, object]]

_MOST_SHARERS = 3


class ModelController(Controller):
    """The actions on the models of a server: on their memory, names and files."""

    def activate(self, *keys: Key) -> None:
        self._each(keys, self._activate)

    def deactivate(self, *keys: Key) -> None:
        unloading: list[Key] = []
        take_back = partial(self._load_again, unloading)

        async def unload(stack: DashboardStack, url: str, name: str) -> None:
            if (url, name) not in unloading:  # It was asked about first.
                unloading.append((url, name))
                self._shell.offer_undo(_unloading([(url, name)]), take_back)
            await stack.actions.deactivate(url, name)

        self._each(keys, partial(self._deactivate, keys, unloading, unload))
        if unloading:
            self._shell.offer_undo(_unloading(unloading), take_back)

    def restart(self, *keys: Key) -> None:
        self._each(keys, partial(self._restart, keys))

    def cancel(self, key: Key) -> None:
        """Cancel a load that is under way."""
        status = self._shell.view.model(key)
        if status is not None and status.state is ModelState.LOADING:
            self._shell.cancel(ACTIONS, work_name(key))

    def remove(self, *keys: Key) -> None:
        found = [key for key in keys if self._shell.view.model(key)]
        stack = self._changeable() if found else None
        urls = self._answering(url for url, _ in found) if stack is not None else ()
        found = [key for key in found if key[0] in urls]
        if stack is not None and found:
            what = f"Remove {models_text([name for _, name in found])}"
            self._start(what, partial(self._remove, stack, found))

    def derive(self, way: str, key: Key) -> None:
        """Open the dialog to make a model from this one; ``way`` is a key of `derive.WAYS`."""
        from llmstack_tui.tui.models.derive import WAYS

        status = self._shell.view.model(key)
        if (stack := self._changeable()) is None or status is None:
            return
        if status.model is None:
            self._shell.tell(f"{brief(status.name, 200)} is in memory, but installed under no name.")
            return
        if not self._answering(key[:1]):
            return
        self._start(f"{WAYS[way].title} {key[1]}", partial(self._derive, stack, key, WAYS[way]))

    def stop_all(self) -> None:
        if (stack := self._changeable()) is None:
            return
        acting = [host.snapshot for host in stack.state.hosts if host.snapshot.url not in stack.look_only]
        urls = self._answering(snapshot.url for snapshot in acting)
        loaded = {each.url: [model.name for model in each.running] for each in acting if each.url in urls}
        if any(loaded.values()):
            self._start("Unload all models", partial(self._stop_all, stack, loaded))
        elif urls or not acting:
            self._shell.tell("No model is in memory.")

    def copy_url(self, *keys: Key) -> None:
        """Copy the OpenAI address of the host of these models, else of the host under the cursor."""
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
        """Do ``act`` for each model; one toast shows the reasons it returns why some need nothing."""
        stack = self._stack() if keys else None
        if stack is None:
            return
        if said := [text for status in self._models(keys) if (text := act(stack, status))]:
            self._shell.tell(lines_text(said))

    def _activate(self, stack: DashboardStack, status: ModelStatus) -> str:
        match status.state:
            case ModelState.CLOUD:
                return f"{brief(status.name, 200)} runs in the cloud: there is nothing to load here."
            case ModelState.ACTIVE:
                shared = f": it shares one process with {_names(status.shares)}" if status.shares else ""
                return f"{brief(status.name, 200)} is active already{shared}."
            case ModelState.INACTIVE | ModelState.STOPPING:
                self._shell.act("guard.load", (status.host, status.name))
        return ""

    def _deactivate(
        self,
        keys: Sequence[Key],
        unloading: list[Key],
        unload: Callable[[DashboardStack, str, str], Coroutine[object, object, object]],
        stack: DashboardStack,
        status: ModelStatus,
    ) -> str:
        key = (status.host, status.name)
        match status.state:
            case ModelState.STOPPING:
                return f"{brief(status.name, 200)} is unloaded as soon as its running request has ended."
            case ModelState.INACTIVE | ModelState.CLOUD:
                return f"{brief(status.name, 200)} is not in memory."
            case ModelState.LOADING:
                self.cancel(key)
            case ModelState.ACTIVE:
                what = f"Unload {status.name}"
                if self._unload(stack, keys, status, what, partial(unload, stack)):
                    unloading.append(key)
        return ""

    def _restart(self, keys: Sequence[Key], stack: DashboardStack, status: ModelStatus) -> str:
        if status.state is not ModelState.ACTIVE:
            return f"{brief(status.name, 200)} is not in memory: there is nothing to restart."
        self._unload(stack, keys, status, f"Restart {status.name}", stack.actions.restart)
        return ""

    def _unload(
        self, stack: DashboardStack, keys: Sequence[Key], status: ModelStatus, what: str, act: Unloading
    ) -> bool:
        """Begin an act that unloads a model; ask first if its process answers to names not among ``keys``.

        Returns:
            Whether it has begun.
        """
        key = (status.host, status.name)
        if hit := [name for name in status.shares if (status.host, name) not in keys]:
            self._start(what, partial(self._unload_all, stack, key, hit, act))
        else:
            self._start(what, partial(act, *key), key)
        return not hit

    async def _unload_all(self, stack: DashboardStack, key: Key, hit: Sequence[str], act: Unloading) -> None:
        """Unload a model after a question, as the other names of its process go with it."""
        pinned = [name for name in (key[1], *hit) if stack.guard.is_pinned(key[0], name)]
        them = plural(len(hit), "it is", "they are")
        text = f"It shares one process with {_names(hit)}: {them} unloaded, too."
        if pinned:
            text += f"\n{_names(pinned)} {plural(len(pinned), 'is', 'are')} pinned."
        title = f"Unload {brief(key[1], 50)}?"
        if await self._confirm(title, text, "Keep them", "Unload them"):
            await act(*key)

    async def _stop_all(self, stack: DashboardStack, by_host: Mapping[str, list[str]]) -> None:
        loaded = [name for names in by_host.values() for name in names]
        title, them = f"Unload {brief(loaded[0], 50)}?", "it"
        text = "It is unloaded when its running request has ended."
        if len(loaded) > 1:
            title, them = f"Unload all {len(loaded)} models?", "them"
            text = f"{names_text(loaded)}\n\nThey are unloaded when their running requests have ended."
        if await self._confirm(title, text, f"Keep {them}", f"Unload {them}"):
            keys = [(url, name) for url, names in by_host.items() for name in names]
            self._shell.offer_undo(_unloading(keys), partial(self._load_again, keys))
            for url, names in by_host.items():
                if names:
                    await stack.actions.stop_all(url)

    def _load_again(self, keys: Sequence[Key]) -> bool:
        if self._undoing(keys) is None:
            return False
        self._shell.act("guard.undo", *keys)
        return True

    async def _derive(self, stack: DashboardStack, key: Key, way: Way) -> None:
        from llmstack_tui.tui.models.derive import WAYS, DeriveScreen

        host = self._shell.view.host(key[0])
        names = [model.name for model in host.models if model.model] if host else []
        system = (await stack.actions.details(*key)).system if way.is_new else ""
        made = await self._shell.show(DeriveScreen(way, stack, key, names, system))
        if made is not None:
            stack.refresh()
            self._shell.select(key[0], made)
            if way is WAYS["rename"]:
                new = (key[0], listed_name(made))
                said = f"{brief(key[1], 60)} is called {brief(new[1], 60)} now."
                self._shell.offer_undo(said, partial(self._rename_back, new, key[1]))

    def _rename_back(self, key: Key, name: str) -> bool:
        if (stack := self._undoing([key])) is None:
            return False
        if self._shell.view.model(key) is None:
            self._shell.tell(f"{brief(key[1], 200)} is not there any more.")
        else:
            self._start(f"Rename {key[1]}", partial(self._rename, stack, key, name))
        return True

    async def _rename(self, stack: DashboardStack, key: Key, name: str) -> None:
        await stack.actions.rename(*key, name)
        stack.refresh()
        self._shell.select(key[0], name)
        self._shell.tell(f"{brief(key[1], 60)} is called {brief(name, 60)} again.")

    async def _remove(self, stack: DashboardStack, keys: Sequence[Key]) -> None:
        removals = await stack.actions.plan_removal(keys)
        if not removals:
            self._shell.tell("It is in memory, but installed under no name: it can only be unloaded.")
            return
        title = f"Remove {models_text([each.name for each in removals])}?"
        text, them = removal_text(removals), plural(len(removals), "it", "them")
        if not await self._confirm(title, text, f"Keep {them}", f"Remove {them}", dangerous=True):
            return
        for each in removals:
            # Separately: one that cannot be removed must not prevent the removal of the others.
            key = (each.host, each.name)
            self._start(f"Remove {each.name}", partial(stack.actions.delete, *key), key)


def removal_text(removals: Sequence[Removal]) -> str:
    """The question before models are removed: which, and how much disk space that frees."""
    first, freed = removals[0], sum(each.freed or 0 for each in removals)
    if len(removals) > 1:
        names = names_text([each.name for each in removals])
        text = f"{names}\n\nThis frees up to {bytes_text(freed)} of the disk."
        loaded = "Those in memory are unloaded first, when their running requests have ended."
    else:
        loaded = "It is in memory: it is unloaded first, when its running request has ended."
        if first.is_cloud:
            text = "It runs in the cloud: only its entry here goes, and no disk is freed."
        elif first.keeps_blobs:
            text = "This frees nothing while another manifest cannot be read: see the disk (D)."
        elif first.sharers:
            others = _names(first.sharers)
            verb = plural(len(first.sharers), "has", "have")
            frees = (
                "Next to no disk is freed."
                if first.freed is None
                else f"This frees {bytes_text(first.freed)}."
            )
            text = f"Its weights stay: {others} {verb} the same. {frees}"
        else:
            text = f"This deletes it from the disk and frees up to {bytes_text(first.freed)}."
    return f"{text}\n{loaded}" if any(each.is_loaded for each in removals) else text


def _unloading(keys: Sequence[Key]) -> str:
    return f"Unloading {models_text([name for _, name in keys])}."


def _names(names: Sequence[str]) -> str:
    """A few names, as in a sentence."""
    shown, more = [brief(name, 60) for name in names[:_MOST_SHARERS]], len(names) - _MOST_SHARERS
    return listed([*shown, *([f"{more} more"] if more > 0 else [])])
