"""What the keys do to models. Each act is a worker of its own; the stack puts on record what comes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.hosts.types import Capability
from llmstack_tui.lifecycle.states import ModelState, ModelStatus
from llmstack_tui.tui.figures import bytes_text
from llmstack_tui.tui.text import clean

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from llmstack_tui.stack import Stack
    from llmstack_tui.tui.dashboard import Dashboard
    from llmstack_tui.tui.rows import Key

ACTS = "acts"
_MOST_NAMED = 8


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
        others = shares[0] if len(shares) == 1 else f"{shares[0]} and {len(shares) - 1} more"
        text = f"Its files stay, because {others} uses the same weights: next to no disk is freed."
    else:
        text = f"This deletes it from the disk and frees up to {bytes_text(model.size)}."
    if status.running is not None:
        text += "\nIt is in memory: it is stopped first, when its running request has ended."
    return text


def removals_text(chosen: list[ModelStatus], models: list[ModelStatus]) -> str:
    """What is asked before several models are removed: which, and what disk that frees."""
    names = [clean(status.name, limit=60) for status in chosen[:_MOST_NAMED]]
    if len(chosen) > len(names):
        names.append(f"and {len(chosen) - len(names)} more")
    going = {(status.host, status.name) for status in chosen}
    kept = {files for each in models if (each.host, each.name) not in going for files in _files(each)}
    # Names that share their weights free them once.
    freed = {
        (_files(each) or ((each.host, each.name),))[0]: each.model.size or 0
        for each in chosen
        if each.model and each.state is not ModelState.CLOUD and not kept & {*_files(each)}
    }
    text = "\n".join(names) + f"\n\nThis frees up to {bytes_text(sum(freed.values()))} of the disk."
    if any(status.running for status in chosen):
        text += "\nThose in memory are stopped first, when their running requests have ended."
    return text


def _files(status: ModelStatus) -> tuple[tuple[str, str], ...]:
    """What a model has on the disk of its host: its weights where they are known, and its manifest."""
    model = status.model
    digests = (model.weights_digest, model.digest) if model else ()
    return tuple((status.host, digest) for digest in digests if digest)


def _worker_name(key: Key) -> str:
    return "\n".join(key)
