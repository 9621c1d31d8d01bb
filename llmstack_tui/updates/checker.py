"""Asks registries for newer versions of the installed models, and keeps the answers."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from llmstack_tui.base import lazy
from llmstack_tui.base.address import is_loopback
from llmstack_tui.base.names import InvalidName, ModelName
from llmstack_tui.base.structs import replace
from llmstack_tui.hosts.errors import HostError
from llmstack_tui.library.folders import ManifestOnDisk, blobs_of_host, read_manifest
from llmstack_tui.updates.rules import (
    Change,
    Copy,
    Question,
    RegistryAnswer,
    Update,
    is_equal,
    is_newer_than,
    judge,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from llmstack_tui.base.kinds import HostKind
    from llmstack_tui.hosts.types import Model, ModelDetails
    from llmstack_tui.registry.client import Registry
    from llmstack_tui.store.store import Store

    Show = Callable[[str, str], Awaitable[ModelDetails]]


def shown_parts(details: ModelDetails) -> Mapping[Change, str]:
    """Digests by part, from what a server shows: that of the weights, and of each text, which is its layer.

    Parameters are shown in another form than in their layer, so their digest is not known.
    """
    texts = {
        Change.TEMPLATE: details.template,
        Change.SYSTEM: details.system,
        Change.LICENSE: details.license,
    }
    parts = {part: hashlib.sha256(text.encode()).hexdigest() for part, text in texts.items() if text}
    return parts | ({Change.WEIGHTS: details.weights_digest} if details.weights_digest else {})


# A model that is not in its registry was made locally: the registry is asked again only after this time.
MISSING_AGAIN_AFTER = timedelta(days=7)
_SHOWS_AT_ONCE = 4
_AT_ONE_GO = 100


class Checker:
    """The installed models of all hosts, the answers of registries, and the verdicts. For one event loop.

    Args:
        show: asks a host, by its URL, for the details of a model; may raise `HostError`.
        folders: of models on this machine, from `model_folders`.
        on_change: called when verdicts may have changed.
        keep: runs a function that writes to the store.
    """

    def __init__(
        self,
        *,
        show: Show,
        folders: Sequence[Path] = (),
        on_change: Callable[[], None] = lambda: None,
        keep: Callable[[Callable[[Store], None]], None] = lambda _: None,
        registry: Registry | None = None,
    ) -> None:
        self._show = show
        self._folders = tuple(folders)
        self._on_change = on_change
        self._keep = keep
        self._registry = registry
        self._installed: dict[str, tuple[Model, ...]] = {}
        self._kinds: dict[str, HostKind | None] = {}
        self._names: dict[str, ModelName | None] = {}
        self._copies: dict[tuple[str, str, str], Copy] = {}
        self._answers: dict[str, RegistryAnswer] = {}
        self._left_alone: dict[tuple[str, str], str] = {}
        self._verdicts: dict[str, Mapping[str, Update]] = {}
        self._one_at_a_time = asyncio.Lock()
        self._under_way: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def aclose(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._registry is not None:
            await self._registry.aclose()

    async def recall(self, store: Store) -> None:
        """Load the answers of earlier sessions. Raises `StoreError`."""
        self._answers = {**await store.updates.load(RegistryAnswer), **self._answers}
        self._left_alone |= await store.updates.left_alone()

    def updates(self, host: str) -> Mapping[str, Update]:
        """The verdicts on the models of a host, by their names as listed."""
        return self._verdicts.get(host, {})

    @property
    def is_checking(self) -> bool:
        return bool(self._tasks)

    def look(self, host: str, installed: tuple[Model, ...], kind: HostKind | None) -> None:
        """Take note of the kind of a host and the models it lists.

        Args:
            kind: None if not known yet.
        """
        self._installed[host], self._kinds[host] = installed, kind

    async def renew(self) -> None:
        """Judge the installed models by the answers that are known. Asks no registry."""
        async with self._one_at_a_time:
            await self._renew()

    def unasked(self) -> frozenset[str]:
        """The keys of the models to ask for: never asked for, or not since they were installed."""
        came = self._came_since()
        return frozenset(
            question.key
            for question in self._questions(None)
            if question.before is None
            or (question.before.digest is not None and self._is_uncompared(question))
            or question.key in came
        )

    async def check(self, keys: Collection[str] | None = None) -> None:
        """Ask for all models, or those with these keys (`model_key`).

        A second check of all models joins the one under way. A check goes on if its caller is cancelled.
        """
        task = self._under_way if keys is None else None
        if task is None:
            task = asyncio.create_task(self._check(keys), name="check for updates")
            self._tasks.add(task)
            task.add_done_callback(self._is_over)
            if keys is None:
                self._under_way = task
            self._on_change()
        await asyncio.shield(task)

    def leave_alone(self, host: str, model: str, *, for_good: bool = False) -> None:
        """Do not offer the registry's present version of this model or, with ``for_good``, any version."""
        key = self._key(model)
        answer = self._answers.get(key)
        digest = "" if for_good or answer is None or answer.digest is None else answer.digest
        self._left_alone[host, key] = digest
        self._keep(lambda store: store.updates.leave_alone(host, key, digest))
        self._judge()

    def offer_again(self, host: str, model: str) -> None:
        """Offer updates of this model again."""
        key = self._key(model)
        self._left_alone.pop((host, key), None)
        self._keep(lambda store: store.updates.offer_again(host, key))
        self._judge()

    # --- helpers ---

    def _is_over(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task is self._under_way:
            self._under_way = None
        self._on_change()

    async def _check(self, keys: Collection[str] | None) -> None:
        async with self._one_at_a_time:
            await self._read_disk()
            if self._registry is None:
                await lazy.load(".updates.round")
                from llmstack_tui.registry.client import Registry  # noqa: PLC0415

                self._registry = Registry()
            from llmstack_tui.updates.round import ask  # noqa: PLC0415

            await ask(self._registry, self._questions(keys), self._answered)
            await self._renew()

    def _answered(self, question: Question, answer: RegistryAnswer) -> None:
        self._answers[question.key] = answer
        if answer.checked_at is not None:
            at = datetime.now(UTC)
            self._keep(lambda store: store.updates.save(question.key, answer, at))

    def _questions(self, keys: Collection[str] | None) -> list[Question]:
        """One question for each name, over all hosts, that may be in a registry."""
        names: dict[str, ModelName] = {}
        copies: dict[str, list[Copy]] = {}
        for host, model in self._models():
            name, copy = self._name(model.name), self._copy(host, model)
            if name is None or copy.is_cloud or copy.made_here:
                continue
            key = name.full.lower()
            names.setdefault(key, name)
            copies.setdefault(key, []).append(copy)
        return [
            Question(key, name, frozenset(copy.digest for copy in copies[key]), self._answers.get(key))
            for key, name in names.items()
            if (keys is None or key in keys) and (keys is not None or not self._is_known_missing(copies[key]))
        ]

    def _is_known_missing(self, copies: Iterable[Copy]) -> bool:
        copies = tuple(copies)
        answer = self._answers.get(self._key(copies[0].name))
        if answer is None or not answer.missing or answer.was_there or answer.checked_at is None:
            return False
        if abs(datetime.now(UTC) - answer.checked_at) > MISSING_AGAIN_AFTER:
            return False
        asked_at = answer.checked_at
        return not any(copy.modified_at is not None and copy.modified_at > asked_at for copy in copies)

    def _came_since(self) -> frozenset[str]:
        """The keys of the copies that were installed after their registry was last asked."""
        now, found = datetime.now(UTC), set[str]()
        for host, model in self._models():
            answer, copy = self._answers.get(key := self._key(model.name)), self._copy(host, model)
            # With a clock that is ahead, a copy from the future would be asked for again and again.
            is_past = copy.modified_at is not None and copy.modified_at <= now
            if answer is not None and is_past and is_newer_than(copy, answer) and not is_equal(copy, answer):
                found.add(key)
        return frozenset(found)

    def _is_uncompared(self, question: Question) -> bool:
        before = question.before
        return (
            before is not None
            and not question.digests <= {before.digest}
            and (before.manifest is None or before.manifest.digest != before.digest)
        )

    async def _renew(self) -> None:
        await self._read_disk()
        await self._compare()
        self._judge()

    async def _read_disk(self) -> None:
        """Read the manifests of new copies, in a thread."""
        new = [
            (host, model)
            for host, model in self._models()
            if (host, model.name, model.digest) not in self._copies
        ]
        for at in range(0, len(new), _AT_ONE_GO):
            part = new[at : at + _AT_ONE_GO]
            for host, model in part:
                self._copies[host, model.name, model.digest] = Copy.of(host, model)
            wanted = [
                (host, model.name, model.digest, name)
                for host, model in part
                if is_loopback(host)
                and model.digest
                and not model.is_cloud
                and (name := self._name(model.name)) is not None
            ]
            if not wanted or not self._folders:
                continue
            found = await asyncio.to_thread(self._manifests, [(each[3], each[2]) for each in wanted])
            for (host, listed, digest, _), on_disk in zip(wanted, found, strict=True):
                if on_disk is not None:
                    place = host, listed, digest
                    self._copies[place] = replace(
                        self._copies[place], manifest=on_disk.manifest, made_here=on_disk.made_here
                    )

    def _manifests(self, wanted: Sequence[tuple[ModelName, str]]) -> list[ManifestOnDisk | None]:
        return [read_manifest(self._folders, name, digest) for name, digest in wanted]

    async def _compare(self) -> None:
        """Learn more, from disk or host, about the copies that differ from their registry's version."""
        slots = asyncio.Semaphore(_SHOWS_AT_ONCE)

        async def learn(copy: Copy, answer: RegistryAnswer) -> None:
            place = copy.host, copy.name, copy.digest
            name = self._name(copy.name)
            if copy.manifest is not None and name is not None and answer.manifest is not None:
                kind, blobs = self._kinds.get(copy.host), answer.manifest.blobs
                there = await asyncio.to_thread(blobs_of_host, self._folders, kind, name, copy.digest, blobs)
                self._copies[place] = replace(copy, there=there)
            elif copy.shown is None:
                async with slots:
                    try:
                        shown = shown_parts(await self._show(copy.host, copy.name))
                    except HostError:
                        return
                self._copies[place] = replace(copy, shown=shown)

        differing = []
        for host, model in self._models():
            copy = self._copy(host, model)
            answer = self._answers.get(self._key(model.name))
            if copy.is_cloud or answer is None or answer.manifest is None or not copy.digest:
                continue
            if not is_equal(copy, answer):
                differing.append(learn(copy, answer))
        await asyncio.gather(*differing)

    def _judge(self) -> None:
        for host, models in self._installed.items():
            self._verdicts[host] = {
                model.name: judge(
                    self._copy(host, model),
                    self._answers.get(key := self._key(model.name)),
                    self._left_alone.get((host, key)),
                )
                for model in models
            }
        self._on_change()

    def _models(self) -> Iterable[tuple[str, Model]]:
        return [(host, model) for host, models in self._installed.items() for model in models]

    def _copy(self, host: str, model: Model) -> Copy:
        known = self._copies.get((host, model.name, model.digest))
        if known is None:
            return Copy.of(host, model)
        # A pull of the same version writes its manifest again.
        return (
            known if known.modified_at == model.modified_at else replace(known, modified_at=model.modified_at)
        )

    def _name(self, text: str) -> ModelName | None:
        if text not in self._names:
            try:
                self._names[text] = ModelName.parse(text)
            except InvalidName:
                self._names[text] = None
        return self._names[text]

    def _key(self, text: str) -> str:
        name = self._name(text)
        return text if name is None else name.full.lower()
