"""The actions on the guard: pins, the hold, and the question before a load that exceeds the limit."""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING

from llmstack_tui.base.kinds import Actor
from llmstack_tui.base.structs import replace
from llmstack_tui.base.text import brief
from llmstack_tui.base.units import duration_text
from llmstack_tui.core.wording import text
from llmstack_tui.guard.preferences import others_sentence
from llmstack_tui.guard.types import Consent, LimitChoice, PinEffect
from llmstack_tui.lifecycle.actions import ActKind, because
from llmstack_tui.lifecycle.states import ModelState
from llmstack_tui.tui.draw.servers import several_hosts
from llmstack_tui.tui.draw.text import lines_text, said_text
from llmstack_tui.tui.guard.texts import banner, choice_text, stop_text
from llmstack_tui.tui.shell import ACTIONS, Answer, Controller, work_name

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from llmstack_tui.core.state import StackState
    from llmstack_tui.guard.types import Ask
    from llmstack_tui.lifecycle.actions import Act
    from llmstack_tui.tui.shell import Key, View
    from llmstack_tui.tui.stack import DashboardStack

    Load = Callable[..., Awaitable[bool]]

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
            said = [f"{brief(name, 200)} runs in the cloud: there is nothing to pin." for name in clouds]
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
                self._start(f"Unpin {status.name}", partial(stack.guard.pin, *key, pinned=False))
            else:
                self._start(f"Pin {status.name}", partial(self._pin, stack, key), key)
        if changed:
            text = said_text({"unpinned" if unpin else "pinned": [name for _, name in changed]})
            self._shell.offer_undo(text, partial(self._pin_again if unpin else self._unpin_again, changed))

    def _pin_again(self, was_loaded: Mapping[Key, bool]) -> bool:
        """Take an unpin back. What was in memory then is loaded again, if it is not any more."""
        if (stack := self._undoing(was_loaded)) is None:
            return False
        said = defaultdict[str, list[str]](list)
        for key, was in was_loaded.items():
            status = self._shell.view.model(key)
            if status is None:
                said["not there any more"].append(key[1])
            elif stack.guard.is_pinned(*key):
                said["pinned already"].append(key[1])
            else:
                load = was and status.state in {ModelState.INACTIVE, ModelState.STOPPING}
                self._start(f"Pin {key[1]}", partial(self._pin_only, stack, key, load=load), key)
                said["pinned again"].append(key[1])
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
        said = defaultdict[str, list[str]](list)
        for key, was in was_loaded.items():
            status = self._shell.view.model(key)
            if not stack.guard.is_pinned(*key):
                said["not pinned any more"].append(key[1])
            elif not was and any(
                (act.host, act.model, act.reason) == (*key, _PINNED) for act in stack.state.acts
            ):
                # The pin is still loading it, and ends with that load.
                self._shell.cancel(ACTIONS, work_name(key))
                said["unpinned again"].append(key[1])
            else:
                unload = not was and status is not None and status.state is ModelState.ACTIVE
                self._start(f"Unpin {key[1]}", partial(self._unpin, stack, key, unload=unload))
                said["unpinned and unloaded again" if unload else "unpinned again"].append(key[1])
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
            self._shell.tell(f"Idle models stay loaded. {key} ends the hold.", title="Hold is on")
        else:
            self._shell.tell("Idle models are unloaded again.", title="Hold is off")

    def choose_others(self) -> None:
        """Ask whether the guard may unload models that other programs loaded, and keep the answer."""
        if (stack := self._changeable()) is not None:
            self._start("The guard", partial(self._choose_others, stack))

    async def _choose_others(self, stack: DashboardStack) -> None:
        guards = stack.state.guards
        url = next((url for url, guard in guards.items() if guard.proposed), self._shell.selected_host)
        guard = guards.get(url or "")
        if url is None or guard is None or guard.off:
            self._shell.tell(text(*guard.off) if guard else "No server is guarded.")
            return
        hosts, hold = several_hosts(stack.state, self._shell.host_names), self._shell.view.keys["models.hold"]
        said = choice_text(guard.proposed, guard.others, hosts, hold)
        title = f"Models of other programs{f' at {brief(hosts[url], 40)}' if url in hosts else ''}"
        answers = (Answer("no", "Leave them alone"), Answer("yes", "Keep the limit"))
        answer = await self._shell.ask(title, said, answers, escape="")
        if answer:
            await stack.guard.answer(url, Consent(answer))
            self._shell.tell(text(others_sentence(Consent(answer))), title="The guard")

    def undo(self, *keys: Key) -> None:
        """Load models again that were unloaded, as they were loaded."""
        if (stack := self._undoing(keys)) is not None:
            self._start("Undo", partial(self._undo, stack, keys))

    async def _undo(self, stack: DashboardStack, keys: Sequence[Key]) -> None:
        # The newest state, which is drawn a moment later: the unload may have just begun.
        view = replace(self._shell.view, state=stack.state)
        said = defaultdict[str, list[str]](list)
        for key in keys:
            status = view.model(key)
            if status is None:
                said["not there any more"].append(key[1])
            elif status.state in _LOADED:
                said[f"{status.state} already"].append(key[1])
            else:
                is_leaving = status.state is ModelState.STOPPING
                self._start(f"Load {key[1]}", partial(self._load, stack.actions.activate_again, key), key)
                said["kept in memory" if is_leaving else "loaded again"].append(key[1])
        self._shell.tell(said_text(said))

    async def _pin(self, stack: DashboardStack, key: Key) -> None:
        name = brief(key[1], 60)
        match await stack.actions.pin(*key, confirm=partial(self._confirm_load, key)):
            case PinEffect.IN_USE:
                self._shell.tell(
                    f"{name} is in use. It is kept for ever as soon as its request has ended.", title="Pinned"
                )
            case PinEffect.THEIRS if await self._may_reload(key):
                await stack.actions.keep(*key, confirm=partial(self._confirm_load, key))
            case PinEffect.THEIRS:
                self._shell.tell(
                    f"The guard will not unload {name}. It leaves {self._leaves(key)}, as its program asked.",
                    title="Pinned",
                )

    async def _may_reload(self, key: Key) -> bool:
        text = (
            f"Another program loaded it, and it leaves {self._leaves(key)}, as that program asked.\n\n"
            "To keep it, it is loaded again with the server's defaults: its program's context is lost. A "
            "running request ends first."
        )
        return await self._confirm(f"Keep {brief(key[1], 50)}?", text, "Leave it as it is", "Load it again")

    def _leaves(self, key: Key) -> str:
        """When a model leaves: "in 40 s"."""
        status, now_s = self._shell.view.model(key), self._shell.view.moment.monotonic_s
        if status is None or status.due_at_s is None:
            return "when its time is up"
        return f"in {duration_text(status.due_at_s - now_s)}"

    # --- one more than the limit ---

    def load(self, key: Key) -> None:
        """Load a model. Asks first if it would exceed the limit, unless the settings say otherwise."""
        if (stack := self._stack()) is not None:
            self._start(f"Load {key[1]}", partial(self._load, stack.actions.activate, key), key)

    async def _load(self, load: Load, key: Key) -> None:
        await load(*key, confirm=partial(self._confirm_load, key))

    async def _confirm_load(self, key: Key, asked: Ask) -> LimitChoice:
        answers = [Answer(LimitChoice.LEAVE, "Do not load it")]
        if asked.stops:
            answers.append(Answer(LimitChoice.MAKE_ROOM, _room_text(asked)))
        answers.append(Answer(LimitChoice.ANYWAY, "Load all the same"))
        title, text = f"Load {brief(key[1], 60)}?", question_text(asked, self._others(key[0]))
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
            self._shell.tell(f"{said}\n{key} loads a model again.", title="Unloaded by the guard")
        if any(guard.leads for guard in state.guards.values()):
            self._warn(state)

    def _warn(self, state: StackState) -> None:
        warnings: dict[tuple[str, ...], str] = {}
        for url, guard in state.guards.items():
            for decision in guard.decisions:
                if (about := getattr(decision, "about", None)) is not None:
                    warnings[(url, *about)] = text(*decision.reason)
        for about in warnings.keys() - self._warnings:
            self._shell.warn(warnings[about], title="The guard")
        self._warnings = frozenset(warnings)


def question_text(answer: Ask, others: Mapping[str, str]) -> str:
    """Why the question is asked, and which models would be unloaded.

    Args:
        others: the names, by URL, of the hosts on which the model is not to be loaded.
    """
    lines = [text(*answer.reason)]
    if answer.stops:
        lines += ["", *(stop_text(stop, others) for stop in answer.stops)]
        lines += ["", "A model is unloaded when its running request has ended."]
    if not answer.enough:
        lines += ["", "Nothing else can be unloaded: there will be more than the limit."]
    lines += ["", "If you load it all the same, all of them stay for five minutes at least."]
    return "\n".join(lines)


def _room_text(asked: Ask) -> str:
    """The label of the button: ``Unload big3 first``."""
    if len(asked.stops) > 1:
        return f"Unload {len(asked.stops)} models first"
    return f"Unload {brief(asked.stops[0].model, 28)} first"
