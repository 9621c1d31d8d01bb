"""The actions on newer versions: check for them, fetch them, leave them alone."""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from operator import is_not
from typing import TYPE_CHECKING

from llmstack_tui.base.address import is_loopback
from llmstack_tui.base.kinds import Capability
from llmstack_tui.base.languages import tr, tr_n
from llmstack_tui.base.sentences import Sentence
from llmstack_tui.base.text import brief
from llmstack_tui.base.units import ago_text, bytes_text
from llmstack_tui.core.wording import text
from llmstack_tui.tui.draw.text import lines_text, models_text
from llmstack_tui.tui.draw.updates import changed_text, news_text, total_text, under_way, wanted
from llmstack_tui.tui.shell import Controller

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from llmstack_tui.core.state import StackState
    from llmstack_tui.downloads.types import Download
    from llmstack_tui.tui.shell import Shell
    from llmstack_tui.tui.stack import DashboardStack
    from llmstack_tui.tui.view import Key
    from llmstack_tui.updates.rules import Update


_REMEMBERED = "updates.told"
_MOST_TOLD, _MOST_ASKED = 3, 12


class UpdateController(Controller):
    """Carries out the actions on updates, and tells of each new version once across all sessions."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self._followed: DashboardStack | None = None
        self._judged: tuple[Mapping[str, Update], ...] = ()
        self._wanted: Mapping[Key, Update] = {}
        self._told: Mapping[str, str] | None = None
        self._is_untold = False

    # Keys

    def check(self) -> None:
        """Ask the registries now, and tell the result."""
        if (stack := self._stack()) is not None:
            self._start(tr("Check for updates"), partial(self._check, stack))

    def update(self, *keys: Key) -> None:
        """Fetch the newer versions of these models; one toast says why others need none."""
        keys = self._able(keys, Capability.PULL)
        stack = self._changeable() if keys else None
        if stack is None:
            return
        downloads = _under_way(stack)
        found: dict[Key, Update] = {}
        said = []
        urls = self._answering(url for url, _ in keys)
        for key in (key for key in keys if key[0] in urls):
            update = self._update(key)
            if key in downloads:
                said.append(tr("{model} is on its way already.", model=brief(key[1], 200)))
            elif update is not None and (update.state == "stale" or update.changed_here):
                found[key] = update
            else:
                check = self._shell.view.keys["models.check"]
                said.append(no_update_text(key[1], update, self._shell.view.moment.now, check))
        if said:
            self._shell.tell(lines_text(said))
        if found:
            what = tr("Update {models}", models=models_text([name for _, name in found]))
            self._start(what, partial(self._update_these, stack, found))

    def update_all(self) -> None:
        """Fetch all wanted newer versions; asks first."""
        if (stack := self._changeable()) is None:
            return
        downloads = _under_way(stack)
        found = {
            (url, name): update
            for host in stack.state.hosts
            if (url := host.snapshot.url) not in stack.look_only
            and Capability.PULL in host.snapshot.capabilities
            for name, update in host.updates.items()
            if update.is_for_all and (url, name) not in downloads
        }
        urls = self._answering(url for url, _ in found)
        if here := {key: update for key, update in found.items() if key[0] in urls}:
            self._start(tr("Update all"), partial(self._update_all, stack, here))
        elif not found:
            key = self._shell.view.keys["models.check"]
            self._shell.tell(tr("Nothing newer is known. {key} checks now.", key=key))

    def leave_alone(self, *keys: Key) -> None:
        """Do not offer these versions any more; offer them again if all are left alone already."""
        self._leave(keys, for_good=False)

    def leave_alone_for_good(self, *keys: Key) -> None:
        """Offer no version of these models any more; offer them again if all are left alone already."""
        self._leave(keys, for_good=True)

    def _leave(self, keys: Sequence[Key], *, for_good: bool) -> None:
        stack = self._stack() if keys else None
        if stack is None:
            return
        choice = "for good" if for_good else "version"
        updates = {key: update for key in keys if (update := self._update(key)) is not None}
        is_back = all(update.left_alone == choice for update in updates.values())
        for key in updates:
            leave = partial(stack.updates.leave_alone, *key, for_good=for_good)
            self._start(tr("Leave alone"), partial(stack.updates.offer_again, *key) if is_back else leave)

    async def _check(self, stack: DashboardStack) -> None:
        await stack.updates.check()
        # New versions have a toast of their own.
        is_new = bool(_new(wanted(stack.state), self._told or {}))
        if said := checked_text(stack.state, with_newer=not is_new):
            self._shell.tell(said, title=tr("Checked for updates"))

    async def _update_these(self, stack: DashboardStack, found: Mapping[Key, Update]) -> None:
        changed = {key: update for key, update in found.items() if update.changed_here}
        if changed:
            title = tr("Replace {models}?", models=models_text([name for _, name in changed]))
            text, keep = changed_here_text(changed), tr_n("Keep it", "Keep them", len(changed))
            if not await self._confirm(title, text, keep, tr("Replace and update"), dangerous=True):
                found = {key: update for key, update in found.items() if key not in changed}
        await self._queue(stack, found)

    async def _update_all(self, stack: DashboardStack, found: Mapping[Key, Update]) -> None:
        title = tr_n("Update 1 model?", "Update {count} models?", len(found))
        disk = stack.state.machine.disk if stack.state.machine else None
        are_here = all(is_loopback(url) for url, _ in found)
        text = all_text(found, disk.free if disk and are_here else None)
        if await self._confirm(title, text, tr("Not now"), tr("Update")):
            await self._queue(stack, found)

    async def _queue(self, stack: DashboardStack, found: Iterable[Key]) -> None:
        by_host = defaultdict[str, list[str]](list)
        for url, name in found:
            by_host[url].append(name)
        for url, names in by_host.items():
            await stack.downloads.update(url, names)

    def _update(self, key: Key) -> Update | None:
        host = self._shell.view.host(key[0])
        return host.updates.get(key[1]) if host else None

    # What is told

    def follow(self, state: StackState) -> None:
        stack = self._shell.stack
        if stack is not self._followed:
            self._followed, self._told, self._judged = stack, None, ()
        judged = tuple(host.updates for host in state.hosts)
        # Mostly they are identical objects.
        if len(judged) != len(self._judged) or any(map(is_not, judged, self._judged)):
            self._judged = judged
            self._wanted = wanted(state)
            self._is_untold = any(judged)
        if self._is_untold and not state.checking and stack is not None:
            self._is_untold = False
            work = partial(self._tell, stack, self._wanted, _judged(state))
            self._shell.start(tr("Newer versions"), work, group="updates", exclusive=True)

    async def _tell(self, stack: DashboardStack, found: Mapping[Key, Update], judged: frozenset[str]) -> None:
        """One toast for all versions not told before. What was told of a host that is away stays known."""
        if self._told is None:
            told = await stack.records.recall(_REMEMBERED, {}, dict[str, str])
            if stack is not self._followed:
                return
            self._told = told
        before = self._told
        new = sorted(_new(found, before), key=lambda key: key[1])
        self._told = {model: version for model, version in before.items() if model not in judged}
        self._told |= {_model(key): update.digest or "" for key, update in found.items()}
        if self._told != before:
            stack.records.remember(_REMEMBERED, self._told)
        if new:
            key = self._shell.view.keys["models.updates"]
            title = tr_n("1 newer version", "{count} newer versions", len(new))
            lines = [f"{brief(name, 80)}: {news_text(found[url, name])}" for url, name in new]
            hint = tr("{key} shows what changed.", key=key)
            self._shell.tell(f"{lines_text(lines, _MOST_TOLD)}\n{hint}", title=title)


def _model(key: Key) -> str:
    return "\n".join(key)


def _judged(state: StackState) -> frozenset[str]:
    """The models of which it is known whether they are up to date."""
    return frozenset(_model((host.snapshot.url, name)) for host in state.hosts for name in host.updates)


def _new(found: Mapping[Key, Update], told: Mapping[str, str]) -> list[Key]:
    """The models whose newer version was not told yet."""
    return [key for key, update in found.items() if told.get(_model(key)) != (update.digest or "")]


def checked_text(state: StackState, *, with_newer: bool = True) -> str:
    """The result of a check, in a sentence or two; ``with_newer`` includes the number of newer versions."""
    updates = [each for host in state.hosts for each in host.updates.values()]
    newer = sum(each.is_wanted for each in updates)
    problems = list(dict.fromkeys(text(*each.problems) for each in updates if each.problems))
    if newer and not with_newer:
        said = ""
    elif newer:
        said = tr_n("1 model has a newer version.", "{count} models have newer versions.", newer)
    elif any(each.state == "current" for each in updates):
        said = tr("Nothing newer.") if problems else tr("Everything is up to date.")
    else:
        said = "" if problems else tr("No model here is in a registry.")
    problem = brief(problems[0], 300) if problems else ""
    if (more := len(problems) - 1) > 0:
        problem = tr("{problem} (and {count} more)", problem=problem, count=more)
    return "\n".join(filter(None, (said, problem)))


def no_update_text(name: str, update: Update | None, now: datetime, check: str) -> str:
    """Why there is nothing to fetch for a model; ``check`` is the key that checks again."""
    name = brief(name, 120)
    if update is None or update.state == "unknown":
        reason = text(*(update.reason if update else (Sentence("version.not_checked"),)))
        return tr(
            "{model} was not checked for a newer version. {why} {key} checks now.",
            model=name,
            why=reason,
            key=check,
        )
    if update.state != "current":
        return tr("{model} has no newer version. {why}", model=name, why=text(*update.reason))
    if not update.checked_at:
        return tr("{model} is up to date.", model=name)
    return tr("{model} is up to date (checked {ago}).", model=name, ago=ago_text(update.checked_at, now))


def _under_way(stack: DashboardStack) -> Mapping[Key, Download]:
    """The pulls of all programs, and those that this one has begun since the last look."""
    return under_way((*stack.state.downloads, *stack.downloads.under_way))


def changed_here_text(changed: Mapping[Key, Update]) -> str:
    """What is lost if models that were changed on their machine are replaced."""
    lines = [
        f"{brief(name, 60)}: {changed_text(update) or tr('which part is unknown')}"
        for (_, name), update in changed.items()
    ]
    text = tr_n(
        "It seems to have been changed here. An update installs the registry's version instead of:",
        "They seem to have been changed here. An update installs the registry's version instead of:",
        len(changed),
    )
    last = tr("What was changed is lost. To keep it, copy the model under another name first.")
    return f"{text}\n{lines_text(lines, _MOST_ASKED)}\n\n{last}"


def all_text(found: Mapping[Key, Update], free: int | None) -> str:
    """The models to fetch, the total size, and the disk space left."""
    lines = [f"{brief(name, 60)}: {news_text(update)}" for (_, name), update in found.items()]
    needed = sum(each.download or 0 for each in found.values())
    sizes = {"size": total_text(found.values()), "free": bytes_text(free)}
    if free is None:
        total = tr("{size} to download.", **sizes)
    elif needed > free:
        total = tr("{size} to download. Only {free} are free on the disk: not all of it will fit.", **sizes)
    else:
        total = tr("{size} to download. {free} are free on the disk.", **sizes)
    busy = tr("A model in memory is unloaded when its request has ended, and loaded again afterwards.")
    return f"{lines_text(lines, _MOST_ASKED)}\n\n{total}\n{busy}"
