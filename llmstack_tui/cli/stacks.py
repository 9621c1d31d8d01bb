"""Opens a stack for a command, and finds the servers and models that the user named."""

from __future__ import annotations

import asyncio
import sys
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import TYPE_CHECKING

from llmstack_tui.base.address import default_host
from llmstack_tui.base.kinds import Actor
from llmstack_tui.base.languages import later, tr
from llmstack_tui.base.names import same_model
from llmstack_tui.base.sentences import UserFacingError, listed
from llmstack_tui.base.structs import replace
from llmstack_tui.cli.output import Failed, is_terminal, say
from llmstack_tui.core.wording import text, words
from llmstack_tui.lifecycle.states import ModelState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence

    from llmstack_tui.base.kinds import EngineLife
    from llmstack_tui.core.open import Core
    from llmstack_tui.core.servers import Startup
    from llmstack_tui.core.stack import Stack
    from llmstack_tui.core.state import HostState
    from llmstack_tui.hardware.profile import Profile
    from llmstack_tui.lifecycle.states import ModelStatus

# How long to wait for a stop: memory is given back by then, and nobody waits for a long answer to end.
_PATIENCE_S = 4.0
# A model is seen to be busy after two more looks, and two looks over a limit are a reason to act.
_MORE_LOOKS = 2
LOOKS_APART_S = 1.0  # Tests have less.


_STARTED: Mapping[EngineLife, str] = {
    "owner": later("No server runs: the built-in engine is started for this command."),
    "loaded": later(
        "No server runs: the built-in engine is started, and ends when its last model is unloaded."
    ),
}


class NoRecord(Failed):
    """The state file cannot be used for what the command is about; the text says why."""


async def recorded(done: Awaitable[None], otherwise: str) -> None:
    """Await a question to `Records`. Raises `NoRecord` with ``otherwise`` and the reason."""
    from llmstack_tui.core.types import StoreError  # noqa: PLC0415  # few commands are about a record

    try:
        await done
    except StoreError as error:
        raise NoRecord(f"{otherwise}. {words(error)}") from None


async def template_notes(stack: Stack, url: str, name: str) -> str:
    """Why the model cannot be run, or which template of it does not answer; empty if the server says none."""
    with suppress(UserFacingError):
        return (await stack.actions.details(url, name)).template_notes
    return ""


def refuse_read_only(core: Core) -> None:
    if core.settings.read_only:
        raise Failed(tr("Nothing was changed: --read-only or read_only in the settings forbids it."))


@asynccontextmanager
async def opened(
    core: Core,
    urls: Sequence[str] | None = None,
    *,
    act: bool = False,
    processes: bool = False,
    follow: bool = False,
    start: EngineLife | None = None,
) -> AsyncIterator[Stack]:
    """A stack for the servers that the user named, or that are found. It has not asked them anything yet.

    Args:
        urls: the servers, if they are known already; empty for a command about this machine alone.
        act: the command changes something: servers that may only be looked at are left out, with a note.
        processes: also read what the processes of models hold and compute.
        follow: run all services, as a dashboard does, for a command that runs until it is stopped.
        start: where nothing runs and there is no Ollama, the built-in engine is started, and lives that long.

    Raises:
        Failed: when no server can be found, or nothing may be changed; says what to do.
    """
    if act:
        refuse_read_only(core)
    async with AsyncExitStack() as ending:
        if urls is None:
            urls = await (_find_or_start(core, start, ending) if start else find_urls(core))
        if act:
            urls = _where_allowed(core, urls)
        yield await ending.enter_async_context(
            _opened(core, urls, act=act, processes=processes, follow=follow)
        )


@asynccontextmanager
async def _opened(
    core: Core, urls: Sequence[str], *, act: bool, processes: bool, follow: bool
) -> AsyncIterator[Stack]:
    options = await core.options(urls, Actor.CLI)
    if follow:
        # To start a guard on purpose is to say yes.
        options = replace(options, guard_asks=False)
    else:
        options = replace(
            options,
            processes=processes,
            stop_patience_s=_PATIENCE_S,
            patient_pulls=False,
            only_own_pulls=True,
        )
    stack = await core.stack(urls, options)
    is_said = follow  # Such a command says each notice when it comes.
    try:
        async with stack:
            if act:
                await stack.records.open()
            yield stack
    except NoRecord:
        is_said = True
        raise
    finally:
        for notice in () if is_said else stack.state.notices:
            say(text(notice))


async def find_urls(core: Core) -> tuple[str, ...]:
    """The base URLs of the servers that the user named, or else of one that answers, without duplicates.

    Raises:
        Failed: when none is named and none answers.
        InvalidAddress: ``OLLAMA_HOST`` is none.
    """
    return _found_urls(core, await core.find())


async def running_urls(core: Core) -> tuple[str, ...] | None:
    """The base URLs of the servers that the user named, or of one that answers; None where nothing runs."""
    found = await core.find()
    from llmstack_tui.core.servers import Found  # noqa: PLC0415  # `find` has imported it

    return _found_urls(core, found) if isinstance(found, Found) else None


def _found_urls(core: Core, found: Startup) -> tuple[str, ...]:
    from llmstack_tui.core.servers import Found, NothingToRun  # noqa: PLC0415  # `find` has imported it

    if isinstance(found, Found):
        return tuple(dict.fromkeys(found.hosts))
    url = default_host(core.environ)
    builtin = core.settings.engine.choice == "builtin"
    if isinstance(found, NothingToRun):
        reason = text(found.reason)
        raise Failed(reason if builtin else f"{tr('No server answers at {url}.', url=url)} {reason}")
    if builtin:
        raise Failed(tr("The built-in engine is not running: start it with `llmstack engine start`."))
    raise Failed(
        tr(
            "No server answers at {url}: start Ollama, or the built-in engine with `llmstack engine start`.",
            url=url,
        )
    )


async def _find_or_start(core: Core, life: EngineLife, ending: AsyncExitStack) -> tuple[str, ...]:
    """As `find_urls`; where there is only the built-in engine, and it does not run, it is started."""
    found = await core.find()
    from llmstack_tui.core.servers import BuiltinStopped  # noqa: PLC0415  # `find` has imported it

    if not isinstance(found, BuiltinStopped) or core.settings.read_only:
        return _found_urls(core, found)
    from llmstack_tui.cli.progress import waiting  # noqa: PLC0415  # not for the quickest command, ls

    say(tr(_STARTED[life]))
    async with waiting(tr("Starting the engine"), core.environ):
        handle = await core.start_engine(life)
    ending.callback(handle.release)
    return (handle.process.url,)


def _where_allowed(core: Core, urls: Sequence[str]) -> tuple[str, ...]:
    """The servers that may be acted on; writes a note about each other one."""
    allowed = tuple(url for url in urls if core.settings.may_act(url))
    notes = [
        tr(
            '{url} is only looked at: to change something there, give it allow = "act" in the settings.',
            url=url,
        )
        for url in urls
        if url not in allowed
    ]
    if not allowed:
        raise Failed(" ".join(notes))
    for note in notes:
        say(note)
    return allowed


async def read_profile(stack: Stack) -> Profile:
    """The profile of this machine, from a reading now."""
    await stack.machine.read_once()
    assert stack.state.profile is not None  # noqa: S101  # It comes with the reading.
    return stack.state.profile


def first_url(stack: Stack) -> str:
    """The URL of the first server, for a command that uses only one."""
    return next(iter(stack.monitors))


async def look(stack: Stack, url: str | None = None) -> None:
    """Ask all servers once, or the one at ``url``; warns about those that do not answer.

    Raises:
        HostError: when none answers.
    """
    await stack.look(url)
    snapshots = [host.snapshot for host in stack.state.hosts if url in (None, host.snapshot.url)]
    errors = [snapshot.error for snapshot in snapshots if snapshot.error]
    if len(errors) == len(snapshots):
        raise errors[0]
    for error in errors:
        say(words(error))


async def look_again(stack: Stack) -> None:
    """Ask a few more times, because a single look does not show which models are busy."""
    for _ in range(_MORE_LOOKS):
        await asyncio.sleep(LOOKS_APART_S)
        await stack.look()


def answering(stack: Stack) -> tuple[HostState, ...]:
    """The servers that answered the last question."""
    return tuple(host for host in stack.state.hosts if host.snapshot.error is None)


async def save_installed(stack: Stack) -> None:
    """Record the installed versions. Call it before one is replaced or removed, or the record is read."""
    await stack.records.save([host.snapshot for host in answering(stack)])


def locate(stack: Stack, name: str, *, short: bool = False) -> ModelStatus:
    """The model of that name on the first server that has it.

    Args:
        short: on a terminal, the beginning of a name is enough, if only one model has it. Never for what
            removes, replaces or keeps a model, nor in scripts, where another model may come to have it.

    Raises:
        Failed: when no server has it, or several models are meant.
    """
    hosts = answering(stack)
    statuses = [status for host in hosts for status in host.models]
    for status in statuses:
        if same_model(status.name, name):
            return status
    if short and is_terminal(sys.stdin) and is_terminal(sys.stdout):
        begun = {each.name: each for each in reversed(statuses) if each.name.lower().startswith(name.lower())}
        if len(begun) > 1:
            names = listed(sorted(begun))
            raise Failed(tr("{name!r} is the beginning of {names}: which one?", name=name, names=names))
        for status in begun.values():
            return status
    places = tr(" or ").join(host.snapshot.url for host in hosts)
    if meant := _similar_name(name, [model.name for host in hosts for model in host.snapshot.installed]):
        known = {"name": name, "places": places, "meant": meant}
        raise Failed(tr("There is no model {name!r} at {places}: did you mean {meant}?", **known))
    raise Failed(
        tr(
            "There is no model {name!r} at {places}: `llmstack ls` lists the installed ones.",
            name=name,
            places=places,
        )
    )


def _similar_name(name: str, names: Sequence[str]) -> str | None:
    """The name that the user probably meant: ``name`` with a tag, or else the most similar name."""
    from difflib import get_close_matches  # noqa: PLC0415  # only for a name that is wrong

    tagged = [each for each in names if each.lower().startswith(f"{name.lower()}:")]
    return next(iter(tagged or get_close_matches(name, names, n=1, cutoff=0.75)), None)


def locate_local(stack: Stack, name: str, *, short: bool = False) -> ModelStatus:
    """As `locate`, but also fails for a model that runs in the cloud."""
    status = locate(stack, name, short=short)
    if status.state is ModelState.CLOUD:
        raise Failed(
            tr("{model} runs in the cloud: there is nothing to load or unload here.", model=status.name)
        )
    return status


async def prepare(stack: Stack) -> None:
    """Tell the guard about the machine, the user's preferences and the loaded models. Raises as `look`."""
    await stack.prepare()
    await look(stack)
