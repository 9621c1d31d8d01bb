"""Tools that read, list, search and write in the opened folder."""

from __future__ import annotations

import asyncio
import difflib
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from llmstack_tui.base import text_files
from llmstack_tui.base.secret import Secret
from llmstack_tui.providers.types import Tool
from llmstack_tui.tools.schemas import arguments, integer, text
from llmstack_tui.tools.types import CallResult, Effect, Proposal, ToolFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from llmstack_tui.providers.types import ToolCall
    from llmstack_tui.tools.folder import OpenedFolder

Value = TypeVar("Value")

_LINES = 400
_PATH = text("A path in the folder, such as src/main.py.")


class ReadFile:
    spec = Tool(
        name="read_file",
        purpose=f"Read a text file of the opened folder: {_LINES} lines from the given one on.",
        schema=arguments({"path": _PATH}, {"line": integer("The first line, from 1.")}),
    )

    def __init__(self, folder: OpenedFolder) -> None:
        self._folder = folder

    async def propose(self, call: ToolCall) -> Proposal:
        return _reading(call, self._folder)

    async def run(self, proposal: Proposal) -> CallResult:
        found = await asyncio.to_thread(self._folder.read, proposal.subject)
        lines = found.splitlines(keepends=True)
        start = _number(proposal.arguments.get("line"), 1)
        if start > max(len(lines), 1):
            raise ToolFailed("tools.no_line", path=proposal.subject, line=start, count=len(lines))
        shown = "".join(lines[start - 1 : start - 1 + _LINES])
        end = min(start - 1 + _LINES, len(lines))
        more = f"\n[lines {start} to {end} of {len(lines)}]" if len(lines) > _LINES else ""
        return CallResult(text=shown + more)


class ListFolder:
    spec = Tool(
        name="list_folder",
        purpose="List the files and folders in a folder of the opened folder.",
        schema=arguments({}, {"path": _PATH}),
    )

    def __init__(self, folder: OpenedFolder) -> None:
        self._folder = folder

    async def propose(self, call: ToolCall) -> Proposal:
        return _reading(call, self._folder)

    async def run(self, proposal: Proposal) -> CallResult:
        names, left_out = await asyncio.to_thread(self._folder.listed, proposal.subject)
        more = [f"[{left_out} more]"] if left_out else []
        return CallResult(text="\n".join([*names, *more]) or "[empty]")


class SearchFiles:
    spec = Tool(
        name="search",
        purpose="Find the lines that contain a text, in any case, in the files of the opened folder.",
        schema=arguments(
            {"text": text("What to find: a plain text, no pattern.")},
            {"path": _PATH, "files": text("Only files whose names fit this, such as *.py.")},
        ),
    )

    def __init__(self, folder: OpenedFolder) -> None:
        self._folder = folder

    async def propose(self, call: ToolCall) -> Proposal:
        return _reading(call, self._folder)

    async def run(self, proposal: Proposal) -> CallResult:
        given = proposal.arguments
        wanted, pattern = str(given["text"]), str(given.get("files") or "*")
        if not wanted.strip():
            raise ToolFailed("tools.nothing_to_find")
        try:
            found, is_whole = await asyncio.to_thread(self._folder.search, wanted, proposal.subject, pattern)
        except ValueError:
            raise ToolFailed("tools.no_pattern", pattern=pattern) from None
        lines = [f"{each.path}:{each.number}: {each.line}" for each in found]
        if not is_whole:
            lines.append("[not everything was searched: ask for less]")
        return CallResult(text="\n".join(lines) or "[nothing found]")


class WriteFile:
    """Writes a whole file. A person sees the difference before."""

    spec = Tool(
        name="write_file",
        purpose="Write a text file of the opened folder: its whole new text. The user is asked before.",
        schema=arguments({"path": _PATH, "text": text("The whole new text of the file.")}),
    )

    def __init__(self, folder: OpenedFolder) -> None:
        self._folder = folder

    async def propose(self, call: ToolCall) -> Proposal:
        path = str((call.arguments or {})["path"])
        file = self._folder.inside(path)
        if file == self._folder.path:
            raise ToolFailed("tools.no_file", path=path)
        shown = self._folder.shown(file)
        before = await _in_thread(partial(text_files.read, file))
        after = str((call.arguments or {})["text"])
        if after == before:
            raise ToolFailed("tools.same_text", path=shown)
        lines = difflib.unified_diff(
            (before or "").splitlines(), after.splitlines(), shown, shown, lineterm="", n=3
        )
        return Proposal(
            call=call, effect=Effect.WRITES, subject=shown, scope="*", preview="\n".join(lines), before=before
        )

    async def run(self, proposal: Proposal) -> CallResult:
        file = self._folder.inside(proposal.subject)
        before = None if proposal.before is None else Secret(proposal.before)
        after = str(proposal.arguments["text"])
        await _in_thread(partial(text_files.write, file, Secret(after), before, copy=False))
        return CallResult(text=f"{proposal.subject} is written: {len(after.splitlines())} lines.")


async def _in_thread(act: Callable[[], Value]) -> Value:
    try:
        return await asyncio.to_thread(act)
    except text_files.NotWritten as error:
        raise ToolFailed(error.kind, hint=error.hint, **error.params) from None


def _reading(call: ToolCall, folder: OpenedFolder) -> Proposal:
    path = str((call.arguments or {}).get("path") or ".")
    return Proposal(call=call, effect=Effect.READS, subject=folder.shown(folder.inside(path)))


def _number(value: object, default: int) -> int:
    return value if isinstance(value, int) else default
