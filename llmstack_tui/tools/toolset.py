"""The tools that a talk may use, and one call from its check to its result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.text import clean_lines
from llmstack_tui.tools import schemas
from llmstack_tui.tools.types import CallResult, ToolFailed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from llmstack_tui.providers.types import Tool, ToolCall
    from llmstack_tui.tools.folder import OpenedFolder
    from llmstack_tui.tools.types import Proposal, RunnableTool

MOST_CHARACTERS = 30_000
"""Of a result, some 8,000 tokens: more would push the question out of the context of a small model."""


class ToolSet:
    """Tools by their names; the first of a name counts."""

    def __init__(self, tools: Iterable[RunnableTool]) -> None:
        self._tools: dict[str, RunnableTool] = {}
        for tool in tools:
            self._tools.setdefault(tool.spec.name, tool)

    def __iter__(self) -> Iterator[RunnableTool]:
        return iter(self._tools.values())

    @property
    def specs(self) -> tuple[Tool, ...]:
        """What a model is told of them."""
        return tuple(tool.spec for tool in self._tools.values())

    async def propose(self, call: ToolCall) -> Proposal:
        """What a call would do.

        Raises:
            ToolFailed: there is no such tool, its arguments are wrong, or it cannot be done.
        """
        tool = self._tools.get(call.name)
        if tool is None:
            raise ToolFailed("tools.unknown", tool=call.name, known=tuple(sorted(self._tools)))
        schemas.check(tool.spec, call)
        return await tool.propose(call)

    async def run(self, proposal: Proposal) -> CallResult:
        """Make a call. A result that is too long is cut in its middle, and says so. It never raises."""
        try:
            result = await self._tools[proposal.call.name].run(proposal)
        except ToolFailed as error:
            return failed(error)
        text = clean_lines(result.text, None)
        left_out = max(len(text) - MOST_CHARACTERS, 0)
        if left_out:
            half = MOST_CHARACTERS // 2
            text = f"{text[:half]}\n[… {left_out} characters left out …]\n{text[-half:]}"
        return CallResult(text=text, is_error=result.is_error, left_out=left_out)


def failed(error: ToolFailed) -> CallResult:
    """What a model is told of a call that failed: it may try another one."""
    return CallResult(text=str(error), is_error=True)


def built_in(folder: OpenedFolder | None, *, environ: Mapping[str, str], with_shell: bool = False) -> ToolSet:
    """The tools that ship with llmstack; those for files only where a folder was opened."""
    from llmstack_tui.tools.facts import ArithmeticTool, TimeTool  # noqa: PLC0415
    from llmstack_tui.tools.files import ListFolder, ReadFile, SearchFiles, WriteFile  # noqa: PLC0415
    from llmstack_tui.tools.shell import ShellTool  # noqa: PLC0415
    from llmstack_tui.tools.web import FetchPage  # noqa: PLC0415

    tools: list[RunnableTool] = [ArithmeticTool(), TimeTool(), FetchPage()]
    if folder is not None:
        tools += [ReadFile(folder), ListFolder(folder), SearchFiles(folder), WriteFile(folder)]
        if with_shell:
            tools.append(ShellTool(folder, environ))
    return ToolSet(tools)
