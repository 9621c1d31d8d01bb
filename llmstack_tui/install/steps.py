"""Carries out the steps of a plan, each with what undoes it."""

from __future__ import annotations

import asyncio
import shutil
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from llmstack_tui.base.commands import NeedsRoot, RootCommand
from llmstack_tui.base.private_files import replace_private
from llmstack_tui.base.sentences import Failure
from llmstack_tui.install.commands import run
from llmstack_tui.install.download import download
from llmstack_tui.install.folders import processes
from llmstack_tui.install.types import (
    Fetch,
    InstallFailed,
    Link,
    Move,
    Remove,
    RunProgram,
    StartEngine,
    StartOllama,
    StopOllama,
    Told,
    Unpack,
    Wait,
    Write,
)
from llmstack_tui.install.unpack import UnpackCancelled, unpack
from llmstack_tui.library.errors import reason

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
    from contextlib import AsyncExitStack
    from pathlib import Path

    import psutil

    from llmstack_tui.base.sentences import Sentence
    from llmstack_tui.install.types import Act, Starter, ThisMachine

T = TypeVar("T")
# Ollama's own limit for a start, in `core.servers`.
UP_S = 30.0
_ASK_EVERY_S = 0.25
_GRACE_S = 10.0
_BACK_S = 30.0


class Steps:
    """The steps of one installation."""

    def __init__(
        self,
        machine: ThisMachine,
        environ: Mapping[str, str],
        hands: Starter,
        as_root: Callable[[RootCommand], Awaitable[None]] | None,
    ) -> None:
        self._machine = machine
        self._environ = environ
        self._hands = hands
        self._as_root = as_root

    async def do(self, act: Act, number: int, tell: Callable[[Told], None], undoing: AsyncExitStack) -> None:
        """Carry out one step, and leave with ``undoing`` what takes it back.

        Raises:
            Failure: it failed.
            OSError: a file could not be written.
        """
        match act:
            case Fetch():
                await download(act.asset, act.file, lambda done, total: tell(Told(number, "", done, total)))
            case Unpack():
                await self._unpack(act, number, tell)
                undoing.callback(shutil.rmtree, act.folder, ignore_errors=True)
            case Link():
                undoing.callback(_put_back_link, act.link, await asyncio.to_thread(_link, act))
            case Write():
                before = await asyncio.to_thread(_write, act)
                undoing.callback(_put_back_file, act.file, before)
            case Move():
                await asyncio.to_thread(_move, act.source, act.target)
                undoing.callback(_move, act.target, act.source)
            case Remove():
                await asyncio.to_thread(_remove, act.path)
            case RunProgram():
                await self._run(act, number, tell, undoing)
            case StopOllama():
                await asyncio.to_thread(_end, [*processes(self._machine.folder)])
                program = self._machine.folder / "current/bin/ollama"
                undoing.push_async_callback(self._try, self._hands.start, program, self._machine.url)
            case StartOllama():
                await self._hands.start(act.program, act.url)
                undoing.callback(lambda: _end([*processes(self._machine.folder)]))
            case Wait():
                await self._wait(act)
            case StartEngine():
                await self._hands.start_engine()

    async def _unpack(self, act: Unpack, number: int, tell: Callable[[Told], None]) -> None:
        cancelled, loop = threading.Event(), asyncio.get_running_loop()

        def work() -> None:
            unpack(
                act.archives,
                act.folder,
                zstd=shutil.which("zstd", path=self._environ.get("PATH", "")),
                tell=lambda done: _call(loop, tell, Told(number, "", done)),
                is_cancelled=cancelled.is_set,
            )

        future = asyncio.ensure_future(asyncio.to_thread(work))
        try:
            await asyncio.shield(future)
            for each in act.archives:
                each.unlink(missing_ok=True)
        except asyncio.CancelledError:
            # The thread removes what it has unpacked before it ends.
            cancelled.set()
            with suppress(UnpackCancelled, Failure, OSError):
                await future
            raise

    async def _run(
        self, act: RunProgram, number: int, tell: Callable[[Told], None], undoing: AsyncExitStack
    ) -> None:
        if act.back:
            # Also if it fails, or is cancelled: it may have done a part.
            undoing.push_async_callback(self._try, self._back, act.back)
        if not act.as_root:
            await run(act.argv, self._environ, lambda line: tell(Told(number, line)), silence_s=act.silence_s)
        elif self._as_root is None:
            raise NeedsRoot(RootCommand(act.argv))
        else:
            await self._as_root(RootCommand(act.argv))

    async def _back(self, argv: Sequence[str]) -> None:
        await run(argv, self._environ, lambda _: None, silence_s=_BACK_S)

    async def _wait(self, act: Wait) -> None:
        try:
            async with asyncio.timeout(UP_S):
                while not await self._hands.answers(act.url):  # noqa: ASYNC110 (only asking tells)
                    await asyncio.sleep(_ASK_EVERY_S)
        except TimeoutError:
            raise InstallFailed("install.not_up", url=act.url, seconds=UP_S) from None

    @staticmethod
    async def _try(back: Callable[..., Coroutine[object, object, T]], *about: object) -> None:
        """Take something back, as far as that is possible: the reason for it is what is told."""
        with suppress(Failure, OSError):
            await back(*about)


def reasons(error: OSError) -> tuple[Sentence]:
    """The cause of an operating system's error, as a parameter of a sentence."""
    return (reason(error),)


def _call(loop: asyncio.AbstractEventLoop, tell: Callable[[Told], None], told: Told) -> None:
    with suppress(RuntimeError):  # The loop has ended meanwhile.
        loop.call_soon_threadsafe(tell, told)


def _link(act: Link) -> Path | None:
    """Make the link in one step; returns where it led before."""
    before = act.link.readlink() if act.link.is_symlink() else None
    act.link.parent.mkdir(parents=True, exist_ok=True)
    new = act.link.with_name(f".{act.link.name}.new")
    new.unlink(missing_ok=True)
    new.symlink_to(act.target)
    new.replace(act.link)
    return before


def _put_back_link(link: Path, before: Path | None) -> None:
    if before is None:
        link.unlink(missing_ok=True)
    else:
        _link(Link(link, before))


def _write(act: Write) -> bytes | None:
    """Write the file in one step; returns what was in it before, None if there was none."""
    before = act.file.read_bytes() if act.file.exists() else None
    _put_back_file(act.file, act.text.encode())
    return before


def _put_back_file(file: Path, content: bytes | None) -> None:
    if content is None:
        file.unlink(missing_ok=True)
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    replace_private(file, content)


def _move(source: Path, target: Path) -> None:
    if target.exists():
        shutil.rmtree(target)
    shutil.move(source, target)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _end(running: list[psutil.Process]) -> None:
    """End processes of ours, with time for the requests that they answer."""
    import psutil  # noqa: PLC0415 (few installations stop a server)

    for each in running:
        with suppress(psutil.Error):
            each.terminate()
    for each in psutil.wait_procs(running, timeout=_GRACE_S)[1]:
        with suppress(psutil.Error):
            each.kill()
