"""Pulls that a command asked for: done here, or by a dashboard that has the queue; shown until they end."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from llmstack_tui.base.text import clean
from llmstack_tui.base.units import bytes_text
from llmstack_tui.cli import output
from llmstack_tui.cli.servers import acting, state_file
from llmstack_tui.core.wording import text
from llmstack_tui.downloads.queue import DownloadQueue
from llmstack_tui.downloads.types import DownloadState, Why
from llmstack_tui.library.folders import model_folders

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Sequence

    from llmstack_tui.cli.options import Invocation
    from llmstack_tui.downloads.types import Download
    from llmstack_tui.hosts.host import Host

Asked = tuple[str, str]


async def pull_all(call: Invocation, hosts: Sequence[Host], asked: Collection[Asked], why: Why) -> int:
    """Pull models, each a host's URL and a name, and show how far they are; the exit status.

    Ctrl-C ends them; what came is kept.
    """
    news = asyncio.Event()
    seen: dict[int, Download] = {}

    def changed(downloads: tuple[Download, ...]) -> None:
        seen.update({each.id: each for each in downloads})
        news.set()

    async with _queue(call, hosts, changed) as (queue, running):
        running.add_done_callback(lambda _: news.set())
        numbers = [(await queue.ask(url, name, why))[0] for url, name in dict.fromkeys(asked)]
        show = _Lines(call) if not call.json else _Documents()

        def ours() -> list[Download]:
            return [seen[number] for number in numbers if number in seen]

        async def until_over() -> None:
            while True:
                news.clear()
                show.show(now := ours())
                if running.done() or (len(now) == len(numbers) and all(each.state.is_over for each in now)):
                    return
                await news.wait()

        try:
            await until_over()
        except asyncio.CancelledError:
            for number in numbers:
                await queue.cancel(number, keep=True)
            await until_over()
            show.close()
            output.say("What came is kept: the same command goes on from there.")
            raise
        finally:
            show.close()
    return int(any(each.state is not DownloadState.DONE for each in ours()))


@asynccontextmanager
async def _queue(
    call: Invocation, hosts: Sequence[Host], changed: Callable[[tuple[Download, ...]], None]
) -> AsyncIterator[tuple[DownloadQueue, asyncio.Task[None]]]:
    by_url = {host.url: host for host in hosts}

    async def settle(_: Host) -> None:
        """Nothing here shows what is installed."""

    async with acting() as acts:
        queue = DownloadQueue(
            by_url,
            acts.session,
            acts.lifecycle,
            acts.journal,
            allowed=by_url.__getitem__,
            settle=settle,
            on_change=lambda: changed(queue.downloads),
            parallel=call.settings.updates.parallel,
            lock=state_file(),
            folders=partial(model_folders, call.environ),
            patient=False,
            only_own=True,
        )
        running = asyncio.create_task(queue.run(), name="pull")
        try:
            yield queue, running
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        if not running.cancelled():
            # What ended it by itself is a defect.
            running.result()


class _Documents:
    """A JSON document in a line for each change."""

    def __init__(self) -> None:
        self._told: dict[int, Download] = {}

    def show(self, downloads: Sequence[Download]) -> None:
        for each in downloads:
            if self._told.get(each.id) != each:
                self._told[each.id] = each
                output.write(json.dumps(_document(each)))

    def close(self) -> None:
        """Nothing is left standing."""


def _document(download: Download) -> dict[str, object]:
    return {
        "host": download.host,
        "name": download.model,
        "state": download.state.value,
        "step": download.step or None,
        "completed": download.completed,
        "total": download.total,
        "speed": None if download.speed is None else round(download.speed),
        "left": None if download.left_s is None else round(download.left_s, 1),
        "reason": text(*download.reason) or None,
    }


class _Lines:
    """On a terminal a line for each pull that is under way, written over and over; one when it has ended."""

    def __init__(self, call: Invocation) -> None:
        line = output.StatusLine(call.environ)
        self._drawn = 0
        self._enabled = line.enabled
        self._ended: set[int] = set()

    def show(self, downloads: Sequence[Download]) -> None:
        self.close()
        for each in downloads:
            if each.state.is_over and each.id not in self._ended:
                self._ended.add(each.id)
                _write_end(each)
        if self._enabled:
            size = os.get_terminal_size(sys.stderr.fileno())
            under_way = [_line(each) for each in downloads if not each.state.is_over]
            shown = under_way[: max(size.lines - 2, 1)]
            output.draw([output.clipped(clean(line), (size.columns or 80) - 1) for line in shown])
            self._drawn = len(shown)

    def close(self) -> None:
        """Take away what was drawn."""
        if self._drawn:
            output.undraw(self._drawn)
            self._drawn = 0


def _write_end(download: Download) -> None:
    match download.state:
        case DownloadState.DONE:
            what = "up to date" if download.why is Why.UPDATE else "installed"
            output.write(clean(f"{download.model} is {what} at {download.host}."))
            if download.reason:
                output.say(f"{download.model}: {text(*download.reason)}")
        case DownloadState.FAILED:
            output.say(f"{download.model} was not pulled: {text(*download.reason)}")
        case _:
            output.say(f"The pull of {download.model} was cancelled.")


def _line(download: Download) -> str:
    if download.state is not DownloadState.RUNNING:
        return f"{download.model}  {text(*download.reason) or download.state.value}"
    parts = [download.model]
    if download.layers:
        done, total = download.completed, download.total
        share = f"{100 * done // total} %" if total else ""
        parts.append(f"{share} {bytes_text(done)} of {bytes_text(total)}".strip())
    if download.speed is not None:
        parts.append(f"{bytes_text(round(download.speed))}/s")
    if download.left_s is not None:
        parts.append(f"{_clock(download.left_s)} left")
    if len(parts) < 3:
        parts.append(download.step)
    return "  ".join(parts)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
