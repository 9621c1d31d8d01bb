"""The actions on models. Each runs in a worker of its own; the stack records the result."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from llmstack_tui.base.address import is_ssh, parse_ssh
from llmstack_tui.base.kinds import Capability
from llmstack_tui.base.languages import tr, tr_n
from llmstack_tui.base.names import listed_name
from llmstack_tui.base.sentences import listed
from llmstack_tui.base.text import brief
from llmstack_tui.base.units import bytes_text
from llmstack_tui.lifecycle.states import ModelState, ModelStatus
from llmstack_tui.tui.draw.text import lines_text, models_text, names_text
from llmstack_tui.tui.shell import ACTIONS, Controller, work_name

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Sequence

    from llmstack_tui.core.removal import Removal
    from llmstack_tui.tui.models.derive import Way
    from llmstack_tui.tui.stack import DashboardStack
    from llmstack_tui.tui.view import Key

    Unloading = Callable[[str, str], Coroutine[object, object, object]]

_MOST_SHARERS = 3


class ModelController(Controller):
    """The actions on the models of a server: on their memory, names and files."""

    def activate(self, *keys: Key) -> None:
        self._each(self._able(keys, Capability.LOAD), self._activate)

    def deactivate(self, *keys: Key) -> None:
        keys = self._able(keys, Capability.UNLOAD)
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
        self._each(self._able(keys, Capability.UNLOAD), partial(self._restart, keys))

    def cancel(self, key: Key) -> None:
        """Cancel a load that is under way."""
        status = self._shell.view.model(key)
        if status is not None and status.state is ModelState.LOADING:
            self._shell.cancel(ACTIONS, work_name(key))

    def remove(self, *keys: Key) -> None:
        found = [key for key in self._able(keys, Capability.DELETE) if self._shell.view.model(key)]
        stack = self._changeable() if found else None
        urls = self._answering(url for url, _ in found) if stack is not None else ()
        found = [key for key in found if key[0] in urls]
        if stack is not None and found:
            what = tr("Remove {models}", models=models_text([name for _, name in found]))
            self._start(what, partial(self._remove, stack, found))

    def derive(self, way: str, key: Key) -> None:
        """Open the dialog to make a model from this one; ``way`` is a key of `derive.WAYS`."""
        from llmstack_tui.tui.models.derive import WAYS, title

        status = self._shell.view.model(key)
        if (stack := self._changeable()) is None or status is None:
            return
        if not self._able([key], Capability.CREATE if WAYS[way].is_new else Capability.COPY):
            return
        if status.model is None:
            self._shell.tell(
                tr("{model} is in memory, but installed under no name.", model=brief(status.name, 200))
            )
            return
        if not self._answering(key[:1]):
            return
        self._start(title(WAYS[way], key[1]), partial(self._derive, stack, key, WAYS[way]))

    def stop_all(self) -> None:
        if (stack := self._changeable()) is None:
            return
        acting = [host.snapshot for host in stack.state.hosts if host.snapshot.url not in stack.look_only]
        urls = self._answering(snapshot.url for snapshot in acting)
        loaded = {each.url: [model.name for model in each.running] for each in acting if each.url in urls}
        if any(loaded.values()):
            self._start(tr("Unload all models"), partial(self._stop_all, stack, loaded))
        elif urls or not acting:
            self._shell.tell(tr("No model is in memory."))

    def copy_url(self, *keys: Key) -> None:
        """Copy the OpenAI address of the host of these models, else of the host under the cursor."""
        self._copy_url(keys, "OpenAI", "/v1")

    def copy_native_url(self, *keys: Key) -> None:
        """Copy the address for Ollama clients."""
        self._copy_url(keys, "Ollama", "")

    def _copy_url(self, keys: Sequence[Key], api: str, path: str) -> None:
        state = self._shell.view.state
        if state is None or not state.hosts:
            self._shell.tell(tr("There is no server yet."))
            return
        host = keys[0][0] if keys else self._shell.selected_host or state.hosts[0].snapshot.url
        if is_ssh(host):
            self._copy_forward(host, path)
            return
        url = f"{host}{path}"
        self._shell.copy(url)
        self._shell.tell(f"{url}\n{tr('Give it to a client of the {api} API.', api=api)}", title=tr("Copied"))

    def _copy_forward(self, host: str, path: str) -> None:
        """Copy the command that opens the server to other programs: what reaches it here is ours alone."""
        address = parse_ssh(host)
        there = urlsplit(address.server)
        command = address.command("-N", "-L", f"{there.port}:{there.netloc}")
        self._shell.copy(command)
        url = f"http://127.0.0.1:{there.port}{there.path}{path}"
        said = tr("While it runs, other programs reach the server at {url}.", url=url)
        self._shell.tell(f"{command}\n{said}", title=tr("Copied"))

    def _each(self, keys: Sequence[Key], act: Callable[[DashboardStack, ModelStatus], str]) -> None:
        """Do ``act`` for each model; one toast shows the reasons it returns why some need nothing."""
        stack = self._stack() if keys else None
        if stack is None:
            return
        if said := [text for status in self._models(keys) if (text := act(stack, status))]:
            self._shell.tell(lines_text(said))

    def _activate(self, stack: DashboardStack, status: ModelStatus) -> str:
        name = brief(status.name, 200)
        match status.state:
            case ModelState.CLOUD:
                return tr("{model} runs in the cloud: there is nothing to load here.", model=name)
            case ModelState.ACTIVE:
                if not status.shares:
                    return tr("{model} is active already.", model=name)
                others = _names(status.shares)
                return tr(
                    "{model} is active already: it shares one process with {others}.",
                    model=name,
                    others=others,
                )
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
        key, name = (status.host, status.name), brief(status.name, 200)
        match status.state:
            case ModelState.STOPPING:
                return tr("{model} is unloaded as soon as its running request has ended.", model=name)
            case ModelState.INACTIVE | ModelState.CLOUD:
                return tr("{model} is not in memory.", model=name)
            case ModelState.LOADING:
                self.cancel(key)
            case ModelState.ACTIVE:
                what = tr("Unload {model}", model=status.name)
                if self._unload(stack, keys, status, what, partial(unload, stack)):
                    unloading.append(key)
        return ""

    def _restart(self, keys: Sequence[Key], stack: DashboardStack, status: ModelStatus) -> str:
        if status.state is not ModelState.ACTIVE:
            name = brief(status.name, 200)
            return tr("{model} is not in memory: there is nothing to restart.", model=name)
        what = tr("Restart {model}", model=status.name)
        self._unload(stack, keys, status, what, stack.actions.restart)
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
        text = tr_n(
            "It shares one process with {others}: it is unloaded, too.",
            "It shares one process with {others}: they are unloaded, too.",
            len(hit),
            others=_names(hit),
        )
        if pinned:
            models = _names(pinned)
            text += f"\n{tr_n('{models} is pinned.', '{models} are pinned.', len(pinned), models=models)}"
        title = tr("Unload {model}?", model=brief(key[1], 50))
        if await self._confirm(title, text, tr("Keep them"), tr("Unload them")):
            await act(*key)

    async def _stop_all(self, stack: DashboardStack, by_host: Mapping[str, list[str]]) -> None:
        loaded = [name for names in by_host.values() for name in names]
        count = len(loaded)
        title = tr("Unload {model}?", model=brief(loaded[0], 50))
        text = tr("It is unloaded when its running request has ended.")
        if count > 1:
            title = tr("Unload all {count} models?", count=count)
            when = tr("They are unloaded when their running requests have ended.")
            text = f"{names_text(loaded)}\n\n{when}"
        keep, act = tr_n("Keep it", "Keep them", count), tr_n("Unload it", "Unload them", count)
        if await self._confirm(title, text, keep, act):
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

    def copy_to(self, key: Key) -> None:
        """Copy a model to another server."""
        if (stack := self._changeable()) is not None and self._models([key]):
            from llmstack_tui.tui.models.transfer import offer_copy

            self._start(tr("Copy {model}", model=key[1]), partial(offer_copy, self._shell, stack, key))

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
                said = tr("{old} is called {new} now.", old=brief(key[1], 60), new=brief(new[1], 60))
                self._shell.offer_undo(said, partial(self._rename_back, new, key[1]))

    def _rename_back(self, key: Key, name: str) -> bool:
        if (stack := self._undoing([key])) is None:
            return False
        if self._shell.view.model(key) is None:
            self._shell.tell(tr("{model} is not there any more.", model=brief(key[1], 200)))
        else:
            self._start(tr("Rename {model}", model=key[1]), partial(self._rename, stack, key, name))
        return True

    async def _rename(self, stack: DashboardStack, key: Key, name: str) -> None:
        await stack.actions.rename(*key, name)
        stack.refresh()
        self._shell.select(key[0], name)
        self._shell.tell(tr("{old} is called {new} again.", old=brief(key[1], 60), new=brief(name, 60)))

    async def _remove(self, stack: DashboardStack, keys: Sequence[Key]) -> None:
        removals = await stack.actions.plan_removal(keys)
        if not removals:
            said = tr("It is in memory, but installed under no name: it can only be unloaded.")
            self._shell.tell(said)
            return
        title = tr("Remove {models}?", models=models_text([each.name for each in removals]))
        text, count = removal_text(removals), len(removals)
        keep, act = tr_n("Keep it", "Keep them", count), tr_n("Remove it", "Remove them", count)
        if not await self._confirm(title, text, keep, act, dangerous=True):
            return
        for each in removals:
            # Separately: one that cannot be removed must not prevent the removal of the others.
            key = (each.host, each.name)
            self._start(tr("Remove {models}", models=each.name), partial(stack.actions.delete, *key), key)


def removal_text(removals: Sequence[Removal]) -> str:
    """The question before models are removed: which, and how much disk space that frees."""
    first, freed = removals[0], sum(each.freed or 0 for each in removals)
    if len(removals) > 1:
        names = names_text([each.name for each in removals])
        text = f"{names}\n\n{tr('This frees up to {size} of the disk.', size=bytes_text(freed))}"
        loaded = tr("Those in memory are unloaded first, when their running requests have ended.")
    else:
        loaded = tr("It is in memory: it is unloaded first, when its running request has ended.")
        if first.is_cloud:
            text = tr("It runs in the cloud: only its entry here goes, and no disk is freed.")
        elif first.keeps_blobs:
            text = tr("This frees nothing while another manifest cannot be read: see the disk (D).")
        elif first.sharers:
            others = _names(first.sharers)
            stay = tr_n(
                "Its weights stay: {others} has the same.",
                "Its weights stay: {others} have the same.",
                len(first.sharers),
                others=others,
            )
            frees = (
                tr("Next to no disk is freed.")
                if first.freed is None
                else tr("This frees {size}.", size=bytes_text(first.freed))
            )
            text = f"{stay} {frees}"
        else:
            size = bytes_text(first.freed)
            text = tr("This deletes it from the disk and frees up to {size}.", size=size)
    return f"{text}\n{loaded}" if any(each.is_loaded for each in removals) else text


def _unloading(keys: Sequence[Key]) -> str:
    return tr("Unloading {models}.", models=models_text([name for _, name in keys]))


def _names(names: Sequence[str]) -> str:
    """A few names, as in a sentence."""
    shown, more = [brief(name, 60) for name in names[:_MOST_SHARERS]], len(names) - _MOST_SHARERS
    return listed([*shown, *([tr("{count} more", count=more)] if more > 0 else [])])
