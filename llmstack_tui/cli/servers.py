"""From what the user said to the servers and models that are meant."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct

from llmstack_tui.base import paths
from llmstack_tui.base.names import same_model
from llmstack_tui.cli.output import Failed, say
from llmstack_tui.hosts.errors import HostError
from llmstack_tui.hosts.types import Snapshot
from llmstack_tui.lifecycle.states import ModelState, ModelStatus, statuses

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from llmstack_tui.cli.options import Invocation
    from llmstack_tui.hosts.host import Host
    from llmstack_tui.lifecycle.journal import Journal
    from llmstack_tui.lifecycle.worker import Lifecycle
    from llmstack_tui.store.session import StoreSession
    from llmstack_tui.store.store import Store

T = TypeVar("T")

# Long enough for memory to be given back, short enough for a person who waits while a long answer is written.
_PATIENCE_S = 4.0


class Located(Struct, frozen=True):
    """A model and the host that has it."""

    host: Host
    status: ModelStatus
    snapshot: Snapshot

    @property
    def name(self) -> str:
        return self.status.name


def refuse_if_read_only(call: Invocation) -> None:
    if call.settings.read_only:
        raise Failed("Nothing was changed: --read-only or read_only in the settings forbids it.")


@asynccontextmanager
async def connect(call: Invocation, *, act: bool = False) -> AsyncIterator[tuple[Host, ...]]:
    """The hosts that are meant; to ``act``, without those that are only looked at.

    Raises:
        Failed: when no server can be found, with what to do about it.
    """
    from llmstack_tui.ollama.client import OllamaHost

    async with AsyncExitStack() as stack:
        urls = await find_urls(call)
        hosts: list[Host] = [OllamaHost(url) for url in (_where_allowed(call, urls) if act else urls)]
        for host in hosts:
            stack.push_async_callback(host.aclose)
        yield tuple(hosts)


def _where_allowed(call: Invocation, urls: tuple[str, ...]) -> tuple[str, ...]:
    """Those that may be acted on; the others are a note."""
    allowed = tuple(url for url in urls if call.settings.may_act(url))
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


async def find_urls(call: Invocation) -> tuple[str, ...]:
    """The base URLs of the servers that are meant, without a double.

    Raises:
        Failed: when none is named and none answers.
    """
    from llmstack_tui.base.address import InvalidAddress, default_host
    from llmstack_tui.core.servers import Found, NothingToRun, find_servers

    try:
        found = await find_servers(call.settings, call.environ)
        if isinstance(found, Found):
            return tuple(dict.fromkeys(found.hosts))
        url = default_host(call.environ)
    except InvalidAddress as error:
        raise Failed(str(error)) from None
    builtin = call.settings.engine.choice == "builtin"
    if isinstance(found, NothingToRun):
        raise Failed(found.reason if builtin else f"No server answers at {url}. {found.reason}")
    if builtin:
        raise Failed("The built-in engine is not running: start it with `llmstack engine start`.")
    raise Failed(
        f"No server answers at {url}: start Ollama, or the built-in engine with `llmstack engine start`."
    )


@asynccontextmanager
async def closing(stream: AsyncIterator[T]) -> AsyncIterator[AsyncIterator[T]]:
    """A stream of a host, whose request ends with the block."""
    try:
        yield stream
    finally:
        if isinstance(stream, AsyncGenerator):
            await stream.aclose()


async def read(host: Host) -> Snapshot:
    """A host as it is now; if it does not answer, ``error`` says why."""
    try:
        # What is loaded comes after what is installed: the one tells under which names the other answers.
        server, installed = await asyncio.gather(host.version(), host.installed())
        running = await host.running()
    except HostError as error:
        return Snapshot(url=host.url, capabilities=host.capabilities, error=error)
    return Snapshot(
        url=host.url,
        capabilities=host.capabilities,
        server=server,
        installed=installed,
        running=running,
        read_at=asyncio.get_running_loop().time(),
    )


async def read_all(hosts: Sequence[Host]) -> tuple[Snapshot, ...]:
    """The hosts that answer; the others are a warning.

    Raises:
        HostError: when none answers.
    """
    snapshots = await asyncio.gather(*map(read, hosts))
    errors = [snapshot.error for snapshot in snapshots if snapshot.error]
    if len(errors) == len(snapshots):
        raise errors[0]
    for error in errors:
        say(str(error))
    return tuple(snapshot for snapshot in snapshots if snapshot.error is None)


async def locate(hosts: Sequence[Host], name: str) -> Located:
    """The model of that name, on the first host that has it.

    Raises:
        Failed: when no host has it.
        HostError: when no host answers.
    """
    snapshots = await read_all(hosts)
    by_url = {host.url: host for host in hosts}
    for snapshot in snapshots:
        for status in statuses(snapshot):
            if same_model(status.name, name):
                return Located(by_url[snapshot.url], status, snapshot)
    places = " or ".join(snapshot.url for snapshot in snapshots)
    advice = "`llmstack ls` lists those that are there."
    if meant := _meant(name, [model.name for snapshot in snapshots for model in snapshot.installed]):
        advice = f"did you mean {meant}?"
    raise Failed(f"There is no model {name!r} at {places}: {advice}")


def _meant(name: str, names: Sequence[str]) -> str | None:
    """The name that somebody probably meant: one that lacks only its tag, else one that looks alike."""
    from difflib import get_close_matches

    tagged = [each for each in names if each.lower().startswith(f"{name.lower()}:")]
    return next(iter(tagged or get_close_matches(name, names, n=1, cutoff=0.75)), None)


def refuse_if_cloud(located: Located) -> None:
    if located.status.state is ModelState.CLOUD:
        raise Failed(f"{located.name} runs in the cloud: there is nothing to load or unload here.")


class Acting(Struct, frozen=True):
    """The one that may load and unload, what puts all else that is done on record, and where it stands."""

    lifecycle: Lifecycle
    journal: Journal
    store: Store
    session: StoreSession


@asynccontextmanager
async def acting() -> AsyncIterator[Acting]:
    """What a command needs to act, for as long as it runs. What it does is put on record as its doing."""
    from llmstack_tui.base.kinds import Actor
    from llmstack_tui.lifecycle.journal import Journal
    from llmstack_tui.lifecycle.worker import Lifecycle
    from llmstack_tui.store.session import StoreSession

    session = StoreSession(state_file(), on_notice=say)
    journal = Journal(session.write, asked_by=Actor.CLI)
    lifecycle = Lifecycle(patience_s=_PATIENCE_S, journal=journal, asked_by=Actor.CLI)
    try:
        yield Acting(lifecycle, journal, await session.store(), session)
    finally:
        await lifecycle.aclose()
        await session.aclose()


def state_file() -> Path | None:
    """What is remembered between sessions; None where no home is known."""
    try:
        return paths.state_file()
    except paths.NoHome:
        return None
