"""Asks once a day whether there is a newer Ollama or llmstack, and stores the answer. Downloads nothing."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from llmstack_tui import __version__
from llmstack_tui.base.kinds import HostKind
from llmstack_tui.base.sentences import Failure, said
from llmstack_tui.base.structs import replace
from llmstack_tui.hosts.service import Service
from llmstack_tui.registry.http import HttpTimeouts, HttpTransport
from llmstack_tui.store.errors import StoreError
from llmstack_tui.updates.programs import Program, Release, is_newer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from llmstack_tui.hosts.types import Snapshot
    from llmstack_tui.store.session import StoreSession

_MOST_BYTES = 4 * 2**20
_KEY = "releases"
_EVERY = timedelta(days=1)
# After the first list and the first check for models, so as not to delay either.
_START_S = 5.0
_LOOK_S = 1800.0


class ReleaseChecker(Service):
    """Asks for the newest versions of the programs that are in use here.

    Args:
        addresses: where to ask, by program.
        held: the version of Ollama with which the user stays on this machine; "" for none. Blocking.
        on_change: called when `releases` or `held` has changed.

    Attributes:
        releases: what is known; at first from earlier sessions.
        held: as it was when it was last looked at.
    """

    def __init__(
        self,
        session: StoreSession,
        *,
        addresses: Mapping[Program, str],
        held: Callable[[], str],
        on_change: Callable[[], None],
    ) -> None:
        self.releases: tuple[Release, ...] = ()
        self.held = ""
        self._read_held = held
        self._session = session
        self._addresses = addresses
        self._on_change = on_change
        self._in_use = {Program.LLMSTACK}

    def on_snapshot(self, snapshot: Snapshot) -> None:
        if snapshot.server is not None and snapshot.server.kind is HostKind.OLLAMA:
            self._in_use.add(Program.OLLAMA)

    async def run(self) -> None:
        """Ask when due, until cancelled. Ends at once if the store cannot be read, which a notice reports."""
        await self.look_at_hold()
        try:
            store = await self._session.store()
            self._tell(await store.screen.recall(_KEY, (), tuple[Release, ...]))
        except StoreError:
            return
        await asyncio.sleep(_START_S)
        while True:
            await self._ask_where_due()
            await asyncio.sleep(_LOOK_S)
            await self.look_at_hold()

    async def look_at_hold(self) -> None:
        """Read anew which version is held."""
        self.held = await asyncio.to_thread(self._read_held)
        self._on_change()

    async def _ask_where_due(self) -> None:
        found = {each.program: each for each in self.releases}
        due = [each for each in self._addresses if each in self._in_use and _is_due(found.get(each))]
        for program in due:
            before = found.get(program) or Release(program=program)
            found[program] = await ask(self._addresses[program], before)
        if due:
            new = tuple(found.values())
            kept = [msgspec.to_builtins(each) for each in new]
            self._session.write(lambda store: store.screen.remember(_KEY, kept))
            self._tell(new)

    def _tell(self, releases: tuple[Release, ...]) -> None:
        self.releases = releases
        self._on_change()


def _is_due(release: Release | None) -> bool:
    """Whether to ask now; also if the clock was set back by a day since."""
    if release is None or release.asked_at is None:
        return True
    return abs(datetime.now(UTC) - release.asked_at) >= _EVERY


class _Published(msgspec.Struct):
    """A release as GitHub tells it."""

    tag_name: str = ""
    draft: bool = False
    prerelease: bool = False


class _About(msgspec.Struct):
    version: str = ""
    yanked: bool = False


class _Project(msgspec.Struct):
    """A project as the Python Package Index tells it."""

    info: _About = msgspec.field(default_factory=_About)


async def ask(address: str, before: Release) -> Release:
    """Ask for the newest release; if that fails, return ``before`` with the problem. Raises nothing."""
    now = datetime.now(UTC)
    try:
        version = await _ask(before.program, address)
    except Failure as error:
        return replace(before, asked_at=now, problems=said(error))
    return Release(program=before.program, asked_at=now, version=version)


async def _ask(program: Program, address: str) -> str:
    host = urlsplit(address).netloc
    http = HttpTransport(user_agent=f"llmstack/{__version__} ({os.name})", timeouts=HttpTimeouts(), at_once=1)
    try:
        headers = {"Accept": "application/json"}
        reply = await http.ask(address, host=host, headers=headers, max_bytes=_MOST_BYTES)
    finally:
        await http.aclose()
    if reply.status != 200:
        raise Failure("release.status", host=host, program=program, status=reply.status)
    try:
        version = _version(program, reply.content)
    except msgspec.MsgspecError:
        version = ""
    # The answer may contain anything: accept only what parses as a version.
    if not is_newer(version, "0.0.0.1"):
        raise Failure("release.none", host=host, program=program)
    return version.removeprefix("v")


def _version(program: Program, content: bytes) -> str:
    if program is Program.OLLAMA:
        release = msgspec.json.decode(content, type=_Published)
        return "" if release.draft or release.prerelease else release.tag_name.strip()
    about = msgspec.json.decode(content, type=_Project).info
    return "" if about.yanked else about.version.strip()
