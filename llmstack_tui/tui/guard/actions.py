"""The actions on the guard: pins, the hold, and the question before a load that exceeds the limit."""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING

from llmstack_tui.base.kinds import Actor
from llmstack_tui.base.languages import tr, tr_n
from llmstack_tui.base.structs import replace
from llmstack_tui.base.text import brief
from llmstack_tui.base.units import duration_text
from llmstack_tui.core.wording import text
from llmstack_tui.guard.preferences import others_sentence
from llmstack_tui.guard.types import Consent, LimitChoice, PinEffect
from llmstack_tui.lifecycle.actions import ActKind, because
from llmstack_tui.lifecycle.states import ModelState
from llmstack_tui.tui.draw.servers import several_hosts
from llmstack_tui.tui.draw.text import lines_text
from llmstack_tui.tui.guard import texts
from llmstack_tui.tui.guard.texts import banner, choice_text, said_text, stop_text
from llmstack_tui.tui.shell import ACTIONS, AnswerChoice, Controller, work_name

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence

    from llmstack_tui.core.state import StackState
    from llmstack_tui.guard.types import Ask
    from llmstack_tui.lifecycle.actions import Act
    from llmstack_tui.tui.stack import DashboardStack
    from llmstack_tui.tui.view import Key, View

    Load = Callable[..., Awaitable[bool]]

_Said = defaultdict[tuple[str, str], list[str]]
_MOST_NAMED = 5
_PINNED = because("pinned")
_LOADED = frozenset({ModelState.ACTIVE, ModelState.LOADING})


class GuardController(Controller):
    """Pins, holds and asks; and shows what the guard does by itself."""

    # Acts and warnings that still stand and were shown already.
    _acts: frozenset[Act] = frozenset()
    _warnings: frozenset[tuple[str, ...]] = frozenset()

    # --- keys ---

    def pin(self, *keys: Key) -> None:
        """Pin and load these models; unpin them if all are pinned."""
        stack = self._changeable() if keys else None
        if stack is None:
            return
        found = self._models(keys)
        chosen = [status for status in found if status.state is not ModelState.CLOUD]
        clouds = [status.name for status in found if status.state is ModelState.CLOUD]
        if clouds:
            names = [brief(name, 200) for name in clouds]
            said = [tr("{model} runs in the cloud: there is nothing to pin.", model=name) for name in names]
            self._shell.tell(lines_text(said))
        unpin = all(stack.guard.is_pinned(status.host, status.name) for status in chosen)
        # What changes, and whether it is in memory.
        changed = {
            (status.host, status.name): status.state in _LOADED
            for status in chosen
            if stack.guard.is_pinned(status.host, status.name) is unpin
        }
        for status in chosen:
            key = (status.host, status.name)
            if unpin:
                self._start(tr("Unpin {model}", model=key[1]), partial(stack.guard.pin, *key, pinned=False))
            else:
                self._start(tr("Pin {model}", model=key[1]), partial(self._pin, stack, key), key)
        if changed:
            text = said_text({texts.UNPINNED if unpin else texts.PINNED: [name for _, name in changed]})
            self._shell.offer_undo(text, partial(self._pin_again if unpin else self._unpin_again, changed))

    def _pin_again(self, was_loaded: Mapping[Key, bool]) -> bool:
        """Take an unpin back. What was in memory then is loaded again, if it is not any more."""
        if (stack := self._undoing(was_loaded)) is None:
            return False
        said = _Said(list)
        for key, was in was_loaded.items():
            status = self._shell.view.model(key)
            if status is None:
                said[texts.GONE].append(key[1])
            elif stack.guard.is_pinned(*key):
                said[texts.PINNED_ALREADY].append(key[1])
            else:
                load = was and status.state in {ModelState.INACTIVE, ModelState.STOPPING}
                again = partial(self._pin_only, stack, key, load=load)
                self._start(tr("Pin {model}", model=key[1]), again, key)
                said[texts.PINNED_AGAIN].append(key[1])
        self._shell.tell(said_text(said))
        return True

    async def _pin_only(self, stack: DashboardStack, key: Key, *, load: bool) -> None:
        await stack.guard.pin(*key)
        if load:
            await self._load(stack.actions.activate_again, key)

    def _unpin_again(self, was_loaded: Mapping[Key, bool]) -> bool:
        """Take a pin back. What was not in memory then is unloaded again."""
        if (stack := self._undoing(was_loaded)) is None:
            return False
        said = _Said(list)
        for key, was in was_loaded.items():
            status = self._shell.view.model(key)
            if not stack.guard.is_pinned(*key):
                said[texts.NOT_PINNED].append(key[1])
            elif not was and any(
                (act.host, act.model, act.reason) == (*key, _PINNED) for act in stack.state.acts
            ):
                # The pin is still loading it, and ends with that load.
                self._shell.cancel(ACTIONS, work_name(key))
                said[texts.UNPINNED_AGAIN].append(key[1])
            else:
                unload = not was and status is not None and status.state is ModelState.ACTIVE
                unpin = partial(self._unpin, stack, key, unload=unload)
                self._start(tr("Unpin {model}", model=key[1]), unpin)
                said[texts.UNLOADED_AGAIN if unload else texts.UNPINNED_AGAIN].append(key[1])
        self._shell.tell(said_text(said))
        return True

    async def _unpin(self, stack: DashboardStack, key: Key, *, unload: bool) -> None:
        await stack.guard.pin(*key, pinned=False)
        if unload:
            await stack.actions.deactivate(*key)

    def hold(self) -> None:
        """Hold: have the guard unload nothing; or end the hold."""
        if (stack := self._changeable()) is None:
            return
        held = not stack.guard.is_held
        stack.guard.hold(held)
        key = self._shell.view.keys["models.hold"]
        if held:
            said = tr("Idle models stay loaded. {key} ends the hold.", key=key)
            self._shell.tell(said, title=tr("Hold is on"))
        else:
            self._shell.tell(tr("Idle models are unloaded again."), title=tr("Hold is off"))

    def choose_others(self) -> None:
        """Ask whether the guard may unload models that other programs loaded, and keep the answer."""
        if (stack := self._changeable()) is not None:
            self._start(tr("The guard"), partial(self._choose_others, stack))

    async def _choose_others(self, stack: DashboardStack) -> None:
        guards = stack.state.guards
        url = next((url for url, guard in guards.items() if guard.proposed), self._shell.selected_host)
        guard = guards.get(url or "")
        if url is None or guard is None or guard.off:
            self._shell.tell(text(*guard.off) if guard else tr("No server is guarded."))
            return
        hosts, hold = several_hosts(stack.state, self._shell.host_names), self._shell.view.keys["models.hold"]
        said = choice_text(guard.proposed, guard.others, hosts, hold)
        title = tr("Models of other programs")
        if url in hosts:
            title = tr("Models of other programs at {host}", host=brief(hosts[url], 40))
        answers = (AnswerChoice("no", tr("Leave them alone")), AnswerChoice("yes", tr("Keep the limit")))
        answer = await self._shell.ask(title, said, answers, escape="")
        if answer:
            await stack.guard.answer(url, Consent(answer))
            self._shell.tell(text(others_sentence(Consent(answer))), title=tr("The guard"))

    def undo(self, *keys: Key) -> None:
        """Load models again that were unloaded, as they were loaded."""
        if (stack := self._undoing(keys)) is not None:
            self._start(tr("Undo"), partial(self._undo, stack, keys))

    async def _undo(self, stack: DashboardStack, keys: Sequence[Key]) -> None:
        # The newest state, which is drawn a moment later: the unload may have just begun.
        view = replace(self._shell.view, state=stack.state)
        said = _Said(list)
        for key in keys:
            status = view.model(key)
            if status is None:
                said[texts.GONE].append(key[1])
            elif status.state in _LOADED:
                is_active = status.state is ModelState.ACTIVE
                said[texts.ACTIVE_ALREADY if is_active else texts.LOADING_ALREADY].append(key[1])
            else:
                is_leaving = status.state is ModelState.STOPPING
                load = partial(self._load, stack.actions.activate_again, key)
                self._start(tr("Load {model}", model=key[1]), load, key)
                said[texts.KEPT if is_leaving else texts.LOADED_AGAIN].append(key[1])
        self._shell.tell(said_text(said))

    async def _pin(self, stack: DashboardStack, key: Key) -> None:
        name = brief(key[1], 60)
        match await stack.actions.pin(*key, confirm=partial(self._confirm_load, key)):
            case PinEffect.IN_USE:
                said = tr(
                    "{model} is in use. It is kept for ever as soon as its request has ended.", model=name
                )
                self._shell.tell(said, title=tr("Pinned"))
            case PinEffect.THEIRS if await self._may_reload(key):
                await stack.actions.keep(*key, confirm=partial(self._confirm_load, key))
            case PinEffect.THEIRS:
                self._shell.tell(_theirs_text(name, self._left(key)), title=tr("Pinned"))

    async def _may_reload(self, key: Key) -> bool:
        left, name = self._left(key), brief(key[1], 50)
        first = tr("Another program loaded it, and it leaves when its time is up, as that program asked.")
        if left:
            first = tr(
                "Another program loaded it, and it leaves in {time}, as that program asked.", time=left
            )
        rest = tr(
            "To keep it, it is loaded again with the server's defaults: its program's context is lost. A "
            "running request ends first."
        )
        title, answers = tr("Keep {model}?", model=name), (tr("Leave it as it is"), tr("Load it again"))
        return await self._confirm(title, f"{first}\n\n{rest}", *answers)

    def _left(self, key: Key) -> str:
        """The time until a model leaves, such as "40 s"; "" if that is not known."""
        status, now_s = self._shell.view.model(key), self._shell.view.moment.monotonic_s
        if status is None or status.due_at_s is None:
            return ""
        return duration_text(status.due_at_s - now_s)

    # --- one more than the limit ---

    def load(self, key: Key) -> None:
        """Load a model. Asks first if it would exceed the limit, unless the settings say otherwise."""
        if (stack := self._stack()) is not None:
            load = partial(self._load, stack.actions.activate, key)
            self._start(tr("Load {model}", model=key[1]), load, key)

    def with_question(
        self, key: Key, description: str, work: Callable[..., Coroutine[object, object, object]]
    ) -> None:
        """Begin work that may load the model; ``work`` gets what asks as `load` does."""
        self._start(description, partial(work, confirm=partial(self._confirm_load, key)), key)

    async def _load(self, load: Load, key: Key) -> None:
        await load(*key, confirm=partial(self._confirm_load, key))

    async def _confirm_load(self, key: Key, asked: Ask) -> LimitChoice:
        answers = [AnswerChoice(LimitChoice.LEAVE, tr("Do not load it"))]
        if asked.stops:
            answers.append(AnswerChoice(LimitChoice.MAKE_ROOM, _room_text(asked)))
        answers.append(AnswerChoice(LimitChoice.ANYWAY, tr("Load all the same")))
        title = tr("Load {model}?", model=brief(key[1], 60))
        text = question_text(asked, self._others(key[0]))
        return LimitChoice(await self._shell.ask(title, text, answers, escape=LimitChoice.LEAVE))

    def _others(self, host_url: str) -> dict[str, str]:
        """The names of the other hosts by URL; empty if there is only one host."""
        hosts = several_hosts(self._shell.view.state, self._shell.host_names)
        return {url: name for url, name in hosts.items() if url != host_url}

    # --- what it does by itself ---

    def asks(self, view: View) -> str:
        return banner(view)

    def follow(self, state: StackState) -> None:
        """Show a toast for new acts of the guard, and one for new warnings."""
        acts = [act for act in state.acts if act.asked_by is Actor.GUARD and act.kind is ActKind.DEACTIVATE]
        new = [act for act in acts if act not in self._acts]
        self._acts = frozenset(acts)
        if new:
            key, others = self._shell.view.keys["models.activate"], self._others("")
            said = lines_text([stop_text(act, others) for act in new], _MOST_NAMED)
            hint = tr("{key} loads a model again.", key=key)
            self._shell.tell(f"{said}\n{hint}", title=tr("Unloaded by the guard"))
        if any(guard.leads for guard in state.guards.values()):
            self._warn(state)

    def _warn(self, state: StackState) -> None:
        warnings: dict[tuple[str, ...], str] = {}
        for url, guard in state.guards.items():
            for decision in guard.decisions:
                if (about := getattr(decision, "about", None)) is not None:
                    warnings[(url, *about)] = text(*decision.reason)
        for about in warnings.keys() - self._warnings:
            self._shell.warn(warnings[about], title=tr("The guard"))
        self._warnings = frozenset(warnings)


def _theirs_text(model: str, left: str) -> str:
    """What is said of a pinned model that leaves when its own program has said."""
    if not left:
        return tr(
            "The guard will not unload {model}. It leaves when its time is up, as its program asked.",
            model=model,
        )
    return tr(
        "The guard will not unload {model}. It leaves in {time}, as its program asked.",
        model=model,
        time=left,
    )


def question_text(answer: Ask, others: Mapping[str, str]) -> str:
    """Why the question is asked, and which models would be unloaded.

    Args:
        others: the names, by URL, of the hosts on which the model is not to be loaded.
    """
    lines = [text(*answer.reason)]
    if answer.stops:
        lines += ["", *(stop_text(stop, others) for stop in answer.stops)]
        lines += ["", tr("A model is unloaded when its running request has ended.")]
    if not answer.enough:
        lines += ["", tr("Nothing else can be unloaded: there will be more than the limit.")]
    lines += ["", tr("If you load it all the same, all of them stay for five minutes at least.")]
    return "\n".join(lines)


def _room_text(asked: Ask) -> str:
    """The label of the button: ``Unload big3 first``."""
    model = brief(asked.stops[0].model, 28)
    return tr_n("Unload {model} first", "Unload {count} models first", len(asked.stops), model=model)
