"""What the keys do to models. Each act is a worker of its own; the stack puts on record what comes of it."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from llmstack_tui.hosts.types import Capability
from llmstack_tui.lifecycle.states import ModelState, ModelStatus
from llmstack_tui.tui.removals import names_text, removal_text, removals_text
from llmstack_tui.tui.text import clean

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from llmstack_tui.stack import Stack
    from llmstack_tui.tui.dashboard import Dashboard
    from llmstack_tui.tui.rows import Key
    from llmstack_tui.tui.screens.derive import Derivation

ACTS = "acts"


class Acts:
    """Intents of the user, carried out on the stack."""

    def __init__(self, app: Dashboard) -> None:
        self._app = app

    def activate(self, key: Key) -> None:
        status, stack = self._found(key)
        if status is None or stack is None:
            return
        match status.state:
            case ModelState.CLOUD:
                self._app.tell(f"{clean(status.name)} runs elsewhere: there is nothing to load here.")
            case ModelState.ACTIVE:
                self._app.tell(f"{clean(status.name)} is active already.")
            case ModelState.LOADING:
                pass
            case ModelState.INACTIVE | ModelState.STOPPING:
                self._run(key, f"Activate {key[1]}", self._activate(stack, key))

    def deactivate(self, key: Key) -> None:
        status, stack = self._found(key)
        if status is None or stack is None:
            return
        match status.state:
            case ModelState.LOADING:
                self.cancel(key)
            case ModelState.ACTIVE:
                self._run(key, f"Deactivate {key[1]}", self._deactivate(stack, key))
            case ModelState.STOPPING:
                self._app.tell(f"{clean(status.name)} leaves as soon as its running request has ended.")
            case ModelState.INACTIVE | ModelState.CLOUD:
                self._app.tell(f"{clean(status.name)} is not in memory.")

    def cancel(self, key: Key) -> None:
        """Give up the load of a model that is under way."""
        status, _ = self._found(key)
        if status is not None and status.state is ModelState.LOADING:
            for worker in self._app.workers:
                if worker.group == ACTS and worker.name == _worker_name(key):
                    worker.cancel()

    def remove(self, *keys: Key) -> None:
        stack = self._stack() if keys else None
        found = [status for key in keys if (status := self._app.view.model(key)) is not None]
        if not found or stack is None or self._refused(stack):
            return
        key = keys[0] if len(keys) == 1 else ("", "")
        what = f"Remove {key[1]}" if len(keys) == 1 else f"Remove {len(keys)} models"
        self._run(key, what, self._remove(stack, found))

    def add_file(self) -> None:
        stack = self._stack()
        if stack is None or self._refused(stack):
            return
        selected = self._app.models.selected_host
        for host in stack.state.hosts:
            url = host.snapshot.url
            if selected in {None, url} and Capability.IMPORT in host.snapshot.capabilities:
                self._app.run_worker(
                    self._add_file(stack, url), group=ACTS, description="Add a model", exit_on_error=False
                )
                return
        self._app.tell("This server takes no GGUF files.")

    def copy(self, key: Key) -> None:
        self._derive(key, "Copy", "copy", _as_copied, suggested=f"{_stem(key[1])}-copy:latest")

    def rename(self, key: Key) -> None:
        self._derive(key, "Rename", "rename", _as_renamed, suggested=key[1])

    def create(self, key: Key) -> None:
        """A new model from this one."""
        self._derive(
            key,
            "New model from",
            "create",
            _as_created,
            suggested=f"{_stem(key[1])}-mine:latest",
            is_new=True,
        )

    def restart(self, key: Key) -> None:
        status, stack = self._found(key)
        if status is None or stack is None:
            return
        if status.state is ModelState.ACTIVE:
            self._run(key, f"Restart {key[1]}", stack.restart(*key))
        else:
            self._app.tell(f"{clean(status.name)} is not in memory: there is nothing to restart.")

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
            self._run(("", "stop all"), "Stop all models", self._stop_all(stack, loaded))
        else:
            self._app.tell("No model is in memory.")

    async def _stop_all(self, stack: Stack, loaded: list[str]) -> None:
        from llmstack_tui.tui.screens.ask import Answer, AskScreen

        title = "Stop the one model in memory?" if len(loaded) == 1 else f"Stop all {len(loaded)} models?"
        text = f"{names_text(loaded)}\n\nThey leave memory when their running requests have ended."
        answers = (Answer("keep", "Keep them"), Answer("stop", "Stop them"))
        if await self._app.push_screen_wait(AskScreen(title, text, answers, escape="keep")) == "stop":
            await stack.stop_all()

    def _derive(
        self,
        key: Key,
        title: str,
        verb: str,
        make: Callable[[Stack, Key, Derivation], AsyncIterator[str]],
        *,
        suggested: str,
        is_new: bool = False,
    ) -> None:
        status, stack = self._found(key)
        if status is None or stack is None or self._refused(stack):
            return
        if status.model is None:
            self._app.tell(f"{clean(status.name)} is in memory, but installed under no name.")
            return
        work = self._ask_derivation(stack, key, title, verb, make, suggested=suggested, is_new=is_new)
        self._app.run_worker(
            work, group=ACTS, description=clean(f"{title} {key[1]}", limit=200), exit_on_error=False
        )

    async def _ask_derivation(
        self,
        stack: Stack,
        key: Key,
        title: str,
        verb: str,
        make: Callable[[Stack, Key, Derivation], AsyncIterator[str]],
        *,
        suggested: str,
        is_new: bool,
    ) -> None:
        from llmstack_tui.tui.screens.derive import DeriveScreen

        host = self._app.view.host(key[0])
        made = await self._app.push_screen_wait(
            DeriveScreen(
                f"{title} {clean(key[1], limit=60)}",
                verb,
                lambda wanted: make(stack, key, wanted),
                suggested=suggested,
                names=[model.name for model in host.models if model.model] if host else [],
                is_new=is_new,
            )
        )
        if made is not None:
            stack.refresh()
            self._app.select_when_listed(key[0], made)

    async def _activate(self, stack: Stack, key: Key) -> None:
        await stack.activate(*key)

    async def _deactivate(self, stack: Stack, key: Key) -> None:
        await stack.deactivate(*key)

    async def _remove(self, stack: Stack, chosen: list[ModelStatus]) -> None:
        from llmstack_tui.tui.screens.ask import Answer, AskScreen

        models = [model for host in stack.state.hosts for model in host.models]
        if len(chosen) == 1:
            title, text, them = (
                f"Remove {clean(chosen[0].name, limit=50)}?",
                removal_text(chosen[0], models),
                "it",
            )
        else:
            title, text, them = f"Remove {len(chosen)} models?", removals_text(chosen, models), "them"
        answers = (Answer("keep", f"Keep {them}"), Answer("remove", f"Remove {them}", dangerous=True))
        if await self._app.push_screen_wait(AskScreen(title, text, answers, escape="keep")) != "remove":
            return
        for status in chosen:
            # Each for itself: one that cannot be removed keeps none of the others.
            key = (status.host, status.name)
            self._run(key, f"Remove {status.name}", self._delete(stack, key))

    async def _delete(self, stack: Stack, key: Key) -> None:
        await stack.delete(*key)

    async def _add_file(self, stack: Stack, url: str) -> None:
        from llmstack_tui.tui.screens.import_file import ImportScreen

        names = {
            model.name for host in stack.state.hosts if host.snapshot.url == url for model in host.models
        }
        added = await self._app.push_screen_wait(
            ImportScreen(lambda path, name: stack.import_gguf(url, path, name), names, self._app.marks)
        )
        if added is not None:
            stack.refresh()
            self._app.select_when_listed(url, added)

    def _run(self, key: Key, description: str, work: Coroutine[None, None, None]) -> None:
        self._app.run_worker(
            work,
            name=_worker_name(key),
            group=ACTS,
            description=clean(description, limit=200),
            exit_on_error=False,
        )

    def _stack(self) -> Stack | None:
        stack = self._app.connection.stack
        if stack is None:
            self._app.tell("There is no server yet.")
        return stack

    def _refused(self, stack: Stack) -> bool:
        if stack.read_only:
            self._app.tell("Nothing can be changed: llmstack is read-only.")
        return stack.read_only

    def _found(self, key: Key) -> tuple[ModelStatus | None, Stack | None]:
        stack = self._stack()
        return (self._app.view.model(key), stack) if stack else (None, None)


def _worker_name(key: Key) -> str:
    return "\n".join(key)


def _stem(name: str) -> str:
    """A name without its tag."""
    head, slash, last = name.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"


async def _as_copied(stack: Stack, key: Key, wanted: Derivation) -> AsyncIterator[str]:
    yield "Copying"
    await stack.copy(*key, wanted.name)


async def _as_renamed(stack: Stack, key: Key, wanted: Derivation) -> AsyncIterator[str]:
    yield "Renaming"
    await stack.rename(*key, wanted.name)


async def _as_created(stack: Stack, key: Key, wanted: Derivation) -> AsyncIterator[str]:
    steps = stack.create(
        key[0],
        wanted.name,
        base=key[1],
        system=wanted.system or None,
        parameters=wanted.parameters or None,
    )
    async with aclosing(steps):
        async for step in steps:
            yield step.status
