"""Progress on the terminal: a line with the seconds that have passed, and a line for each pull."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import aclosing, asynccontextmanager, suppress
from typing import TYPE_CHECKING

from llmstack_tui.base.kinds import HostKind
from llmstack_tui.base.languages import tr
from llmstack_tui.base.units import bytes_text
from llmstack_tui.cli import output, table
from llmstack_tui.core.wording import text
from llmstack_tui.downloads.types import DownloadState, Why

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import AsyncIterator, Collection, Mapping, Sequence

    from llmstack_tui.core.open import Core
    from llmstack_tui.core.stack import Stack
    from llmstack_tui.downloads.types import Download
    from llmstack_tui.hosts.types import Progress

_FRAMES = "|/-\\"
_STEP_S = 0.15
_BAR_CELLS, _LEAST_BAR, _LEAST_NAME = 16, 4, 12


@asynccontextmanager
async def waiting(text: str, environ: Mapping[str, str]) -> AsyncIterator[output.StatusLine]:
    """While the block runs, show ``text`` and the seconds that have passed; on a terminal only."""
    line = output.StatusLine(environ)
    task = asyncio.create_task(_turn(line, text)) if line.enabled else None
    try:
        yield line
    finally:
        if task:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        line.clear()


async def _turn(line: output.StatusLine, text: str) -> None:
    loop = asyncio.get_running_loop()
    start, step = loop.time(), 0
    while True:
        line.show(f"{_FRAMES[step % len(_FRAMES)]} {text} {loop.time() - start:.0f} s")
        step += 1
        await asyncio.sleep(_STEP_S)


async def pull_all(
    core: Core, options: Namespace, stack: Stack, asked: Collection[tuple[str, str]], why: Why
) -> int:
    """Pull models, given as pairs of server URL and name, and show the progress; returns the exit status.

    They are pulled here, or by a dashboard that runs the queue. Ctrl-C cancels them; downloaded parts stay.
    """
    stack.work(stack.downloads)
    if core.settings.updates.limit and any(_is_ollama(stack, url) for url, _ in asked):
        output.inform(
            tr("Ollama itself downloads, and cannot be limited: [updates] limit is for the built-in engine.")
        )
    numbers = [(await stack.downloads.ask(url, name, why))[0] for url, name in dict.fromkeys(asked)]
    show = _PullDocuments() if options.json else _PullLines(core.environ)
    try:
        return await _until_over(stack, numbers, show)
    except asyncio.CancelledError:
        for number in numbers:
            await stack.downloads.cancel(number, keep=True)
        await _until_over(stack, numbers, show)
        show.close()
        output.say(tr("The downloaded parts are kept: run the same command to continue."))
        raise
    finally:
        show.close()


def _is_ollama(stack: Stack, url: str) -> bool:
    server = stack.monitors[url].snapshot.server
    return server is not None and server.kind is HostKind.OLLAMA


async def _until_over(stack: Stack, numbers: Collection[int], show: _PullDocuments | _PullLines) -> int:
    async with aclosing(stack.watch()) as states:
        async for state in states:
            by_number = {each.id: each for each in state.downloads}
            ours = [by_number[number] for number in numbers if number in by_number]
            show.show(ours)
            if len(ours) == len(numbers) and all(each.state.is_over for each in ours):
                return int(any(each.state is not DownloadState.DONE for each in ours))
    return 1


def step_text(step: Progress) -> str:
    """A step of what a server does or is sent, with its share if that is known."""
    if not step.total or step.completed is None:
        return tr(step.status)
    share = 100 * min(step.completed, step.total) // step.total
    return f"{tr(step.status)} {tr('{percent} % of {size}', percent=share, size=bytes_text(step.total))}"


class _PullDocuments:
    """Writes a JSON document on a line of its own for each change."""

    def __init__(self) -> None:
        self._written: dict[int, Download] = {}

    def show(self, downloads: Sequence[Download]) -> None:
        for each in downloads:
            if self._written.get(each.id) != each:
                self._written[each.id] = each
                output.write_document(_document(each), indent=None)

    def close(self) -> None:
        """Do nothing: there are no lines to remove."""


def _document(download: Download) -> dict[str, object]:
    return {
        "host": download.host,
        "name": download.model,
        "state": download.state,
        "step": download.step or None,
        "completed": download.completed,
        "total": download.total,
        "speed": None if download.speed is None else round(download.speed),
        "left": None if download.left_s is None else round(download.left_s, 1),
        "reason": text(*download.reason) or None,
    }


class _PullLines:
    """Writes a line for each pull that has ended; on a terminal also one, in place, for each that runs."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._drawn = 0
        self._enabled = output.StatusLine(environ).enabled
        self._ended: set[int] = set()

    def show(self, downloads: Sequence[Download]) -> None:
        self.close()
        for each in downloads:
            if each.state.is_over and each.id not in self._ended:
                self._ended.add(each.id)
                _write_end(each)
        if self._enabled:
            size = os.get_terminal_size(sys.stderr.fileno())
            width = (size.columns or 80) - 1
            under_way = [pull_line(each, width) for each in downloads if not each.state.is_over]
            shown = under_way[: max(size.lines - 2, 1)]
            output.draw(shown, width)
            self._drawn = len(shown)

    def close(self) -> None:
        """Remove the lines of running pulls."""
        if self._drawn:
            output.undraw(self._drawn)
            self._drawn = 0


def _write_end(download: Download) -> None:
    match download.state:
        case DownloadState.DONE:
            values = {"model": download.model, "host": download.host}
            if download.why is Why.UPDATE:
                output.write(tr("{model} is up to date at {host}.", **values))
            else:
                output.write(tr("{model} is installed at {host}.", **values))
            if download.reason:
                output.say(f"{download.model}: {text(*download.reason)}")
        case DownloadState.FAILED:
            output.say(
                tr("{model} was not pulled: {reason}", model=download.model, reason=text(*download.reason))
            )
        case _:
            output.say(tr("The pull of {model} was cancelled.", model=download.model))


def pull_line(download: Download, width: int) -> str:
    """The line of a pull that is not over, in ``width`` cells.

    The figures stay whole: the bar gets shorter for them, then the name, and then the bar goes.
    """
    if download.state is not DownloadState.RUNNING:
        return f"{download.model}  {text(*download.reason) or tr(download.state.value)}"
    parts, done, total = list[str](), download.completed, download.total
    if download.layers:
        share = f"{100 * done // total} % " if total else ""
        parts.append(share + tr("{done} of {total}", done=bytes_text(done), total=bytes_text(total)))
    if download.speed is not None:
        parts.append(f"{bytes_text(round(download.speed))}/s")
    if download.left_s is not None:
        parts.append(tr("{time} left", time=output.clock(download.left_s)))
    if len(parts) < 2:
        parts.append(tr(download.step))
    figures = "  ".join(parts)
    room = max(width - table.cells(figures) - 2, _LEAST_NAME)
    bar = min(max(room - table.cells(download.model) - 1, _LEAST_BAR), _BAR_CELLS) if total else 0
    if room - bar - 1 < _LEAST_NAME:
        bar = 0
    dots = "…" if output.shows(sys.stderr, "…") else "..."
    name = table.shortened(download.model, room - (bar and bar + 1), dots)
    return f"{name}  {_bar(done / total, bar)} {figures}" if bar and total else f"{name}  {figures}"


def _bar(share: float, cells: int) -> str:
    full, rest = "█░" if output.shows(sys.stderr, "█░") else "#."
    done = round(cells * min(share, 1))
    return full * done + rest * (cells - done)
