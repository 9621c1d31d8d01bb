"""From what the user said to the servers and models that are meant."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from llmstack_tui.base.address import InvalidAddress, default_host
from llmstack_tui.base.kinds import Actor
from llmstack_tui.base.names import same_model
from llmstack_tui.base.structs import replace
from llmstack_tui.cli.output import Failed, say
from llmstack_tui.core.wording import text, words
from llmstack_tui.lifecycle.states import ModelState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import timedelta

    from llmstack_tui.base.sentences import Sentences
    from llmstack_tui.core.open import Core
    from llmstack_tui.core.stack import Stack
    from llmstack_tui.core.state import HostState
    from llmstack_tui.hardware.profile import Profile
    from llmstack_tui.lifecycle.states import ModelStatus

# Long enough for memory to be given back, short enough for a person who waits while a long answer is written.
_PATIENCE_S = 4.0
# What moved in both of the last two looks is busy, and two looks over a limit are a reason to act.
_MORE_LOOKS, _APART_S = 2, 1.0


def refuse_read_only(core: Core) -> None:
    if core.settings.read_only:
        raise Failed("Nothing was changed: --read-only or read_only in the settings forbids it.")


@asynccontextmanager
async def opened(
    core: Core,
    urls: Sequence[str] | None = None,
    *,
    act: bool = False,
    processes: bool = False,
    follow: bool = False,
) -> AsyncIterator[Stack]:
    """A stack over the servers that are meant, which has not looked at them yet.

    Args:
        urls: of the servers, where they are known; none for what is about this machine alone.
        act: something is to be changed: without the servers that are only looked at, which are a note.
        processes: what the processes of models hold and compute is wanted, too.
        follow: for a command that goes on until it is stopped, with all services, as a dashboard.

    Raises:
        Failed: when no server can be found, or nothing may be changed, with what to do about it.
    """
    if act:
        refuse_read_only(core)
    if urls is None:
        urls = await find_urls(core)
    if act:
        urls = _where_allowed(core, urls)
    options = await core.options(urls, Actor.CLI)
    if not follow:
        options = replace(
            options,
            processes=processes,
            stop_patience_s=_PATIENCE_S,
            patient_pulls=False,
            only_own_pulls=True,
        )
    stack = await core.stack(urls, options)
    try:
        async with stack:
            if act:
                await stack.records.open()
            yield stack
    finally:
        for notice in stack.state.notices:
            say(text(notice))


async def find_urls(core: Core) -> tuple[str, ...]:
    """The base URLs of the servers that are meant, without a double.

    Raises:
        Failed: when none is named and none answers.
    """
    try:
        found = await core.find()
        from llmstack_tui.core.servers import Found, NothingToRun  # noqa: PLC0415  # by now it is imported

        if isinstance(found, Found):
            return tuple(dict.fromkeys(found.hosts))
        url = default_host(core.environ)
    except InvalidAddress as error:
        raise Failed(str(error)) from None
    builtin = core.settings.engine.choice == "builtin"
    if isinstance(found, NothingToRun):
        raise Failed(found.reason if builtin else f"No server answers at {url}. {found.reason}")
    if builtin:
        raise Failed("The built-in engine is not running: start it with `llmstack engine start`.")
    raise Failed(
        f"No server answers at {url}: start Ollama, or the built-in engine with `llmstack engine start`."
    )


def _where_allowed(core: Core, urls: Sequence[str]) -> tuple[str, ...]:
    """Those that may be acted on; the others are a note."""
    allowed = tuple(url for url in urls if core.settings.may_act(url))
    notes = [
        f'{url} is only looked at: to change something there, give it allow = "act" in the settings.'
        for url in urls
        if url not in allowed
    ]
    if not allowed:
        raise Failed(" ".join(notes))
    for note in notes:
        say(note)
    return allowed


async def read_profile(stack: Stack) -> Profile:
    """What this machine is, which is read now."""
    await stack.machine.read_once()
    assert stack.state.profile is not None  # noqa: S101  # It comes with the reading.
    return stack.state.profile


def first(stack: Stack) -> str:
    """The URL of the server that is meant where only one can be."""
    return next(iter(stack.monitors))


async def look(stack: Stack, url: str | None = None) -> None:
    """Ask all servers once, or one; one that does not answer is a warning.

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


async def look_on(stack: Stack) -> None:
    """Ask again a few times: one look does not tell what is busy."""
    for _ in range(_MORE_LOOKS):
        await asyncio.sleep(_APART_S)
        await stack.look()


def answering(stack: Stack) -> tuple[HostState, ...]:
    """The servers that answered the last time."""
    return tuple(host for host in stack.state.hosts if host.snapshot.error is None)


async def save_installed(stack: Stack) -> None:
    """Put on record what is installed: before it is replaced or removed, and before the record is read."""
    await stack.records.save([host.snapshot for host in answering(stack)])


def locate(stack: Stack, name: str) -> ModelStatus:
    """The model of that name, on the first server that has it.

    Raises:
        Failed: when none has it.
    """
    hosts = answering(stack)
    for status in (status for host in hosts for status in host.models):
        if same_model(status.name, name):
            return status
    places = " or ".join(host.snapshot.url for host in hosts)
    advice = "`llmstack ls` lists those that are there."
    if meant := _meant(name, [model.name for host in hosts for model in host.snapshot.installed]):
        advice = f"did you mean {meant}?"
    raise Failed(f"There is no model {name!r} at {places}: {advice}")


def _meant(name: str, names: Sequence[str]) -> str | None:
    """The name that somebody probably meant: one that lacks only its tag, else one that looks alike."""
    from difflib import get_close_matches  # noqa: PLC0415  # only for a name that is wrong

    tagged = [each for each in names if each.lower().startswith(f"{name.lower()}:")]
    return next(iter(tagged or get_close_matches(name, names, n=1, cutoff=0.75)), None)


def locate_local(stack: Stack, name: str) -> ModelStatus:
    """As `locate`, of what can be in memory. Raises `Failed`."""
    status = locate(stack, name)
    if status.state is ModelState.CLOUD:
        raise Failed(f"{status.name} runs in the cloud: there is nothing to load or unload here.")
    return status


async def prepare(stack: Stack) -> None:
    """Have the guard know the machine, what the user wants, and what is loaded. Raises as `look`."""
    await asyncio.gather(stack.machine.read_once(), stack.guard.prepare(from_record=True))
    await look(stack)


async def load(
    stack: Stack,
    status: ModelStatus,
    *,
    keep_alive: timedelta | None = None,
    context_length: int | None = None,
    reason: Sentences = (),
) -> None:
    """Load a model within the limits; after `prepare`.

    Over them the settings refuse it, or have others make room; where they say "ask" nobody can be asked, and
    it is loaded all the same.

    Raises:
        Refused: the machine is too hot, or the settings refuse one more.
        HostError: the server will not or cannot.
    """
    from llmstack_tui.core.wording import text  # noqa: PLC0415  # few commands load
    from llmstack_tui.guard.types import Ask  # noqa: PLC0415

    answer, settings = await stack.guard.admissions.admit(status.host, status.name), stack.guard.settings
    if isinstance(answer, Ask) and settings is not None:
        if settings.over_limit == "ask":
            say(f"{text(*answer.reason)} It is loaded all the same.")
        elif settings.over_limit == "stop":
            await look_on(stack)
    await stack.actions.activate(
        status.host, status.name, keep_alive=keep_alive, context_length=context_length, reason=reason
    )
