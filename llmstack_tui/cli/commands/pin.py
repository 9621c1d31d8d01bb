"""``llmstack pin`` and ``unpin``: models that the guard never stops."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.text import clean
from llmstack_tui.cli import output
from llmstack_tui.cli.options import add_command

if TYPE_CHECKING:
    from llmstack_tui.cli.options import Commands, Invocation
    from llmstack_tui.cli.servers import Acting, Located


def add_parser(commands: Commands) -> None:
    for name, run, purpose in (
        ("pin", _run_pin, "Load a model for ever, and never stop it by the guard."),
        ("unpin", _run_unpin, "Let the guard stop a model again. It is not stopped by this."),
    ):
        parser = add_command(commands, name, run, purpose)
        parser.add_argument("name", metavar="NAME", help="a model, as `llmstack ls` lists it")


def _run_pin(call: Invocation) -> int:
    import asyncio

    return asyncio.run(_set(call, pinned=True))


def _run_unpin(call: Invocation) -> int:
    import asyncio

    return asyncio.run(_set(call, pinned=False))


async def _set(call: Invocation, *, pinned: bool) -> int:
    from llmstack_tui.base.names import model_key
    from llmstack_tui.base.sentences import Sentence
    from llmstack_tui.cli.servers import acting, connect, locate, refuse_if_cloud, refuse_if_read_only
    from llmstack_tui.cli.waiting import waiting
    from llmstack_tui.lifecycle.changes import EventKind
    from llmstack_tui.lifecycle.states import ModelState

    refuse_if_read_only(call)
    async with connect(call, act=True) as hosts, acting() as acts:
        located = await locate(hosts, call.options.name)
        refuse_if_cloud(located)
        url, name = located.host.url, located.name
        acts.store.preferences.pin(url, model_key(name), name, pinned=pinned)
        sentence = Sentence("guard.pinned" if pinned else "guard.unpinned", {"model": name})
        acts.journal.event(EventKind.PIN, sentence, host=url, model=name)
        is_loaded = located.status.running is not None
        async with waiting(f"Loading {name}", call.environ):
            if pinned and not is_loaded:
                await _load(call, acts, located, pinned=True, context_length=None)
            elif is_loaded and not await _renewed(call, acts, located, pinned=pinned) and pinned:
                output.say(
                    f"{name} was loaded by another program, or is in use: it leaves when that program says."
                )
    state = ModelState.ACTIVE if pinned or is_loaded else ModelState.INACTIVE
    if call.json:
        output.write_document(
            {"models": [{"host": url, "name": name, "pinned": pinned, "state": state.value}]}
        )
    else:
        output.write(clean(f"{name} is {'pinned' if pinned else 'not pinned any more'}."))
    return 0


async def _renewed(call: Invocation, acts: Acting, located: Located, *, pinned: bool) -> bool:
    """Tell the server how long the model stays from now on, where that cannot reload it."""
    from llmstack_tui.base.structs import replace
    from llmstack_tui.lifecycle.load_request import repeatable as load_of
    from llmstack_tui.store.errors import StoreError

    running = located.status.running
    status = replace(located.status, busy=running is not None and bool(running.requests))
    try:
        load = load_of(status, await acts.store.activations.active(located.host.url))
    except StoreError:
        return False
    if load is None:
        return False
    await _load(call, acts, located, pinned=pinned, context_length=load.context_length, again=True)
    return True


async def _load(
    call: Invocation,
    acts: Acting,
    located: Located,
    *,
    pinned: bool,
    context_length: int | None,
    again: bool = False,
) -> None:
    from llmstack_tui.guard.rules.limits import carried
    from llmstack_tui.lifecycle.actions import because

    wishes = await acts.store.preferences.of(located.host.url)
    await acts.lifecycle.activate(
        located.host,
        located.name,
        keep_alive=carried(call.settings.guard, located.name, wishes),
        context_length=context_length,
        reason=because("pinned" if pinned else "unpinned"),
        again=again,
    )
