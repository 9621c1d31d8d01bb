"""Tools without an effect: arithmetic and the time."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from llmstack_tui.providers.types import Tool
from llmstack_tui.tools.rules.calculation import NoNumber, calculated
from llmstack_tui.tools.schemas import arguments, text
from llmstack_tui.tools.types import CallResult, Effect, Proposal, ToolFailed

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

    from llmstack_tui.providers.types import ToolCall


class ArithmeticTool:
    spec = Tool(
        name="calculate",
        purpose="Calculate an arithmetic expression: + - * / // % ** ( ), sqrt, log, sin, pi and such.",
        schema=arguments({"expression": text("Such as 2 * (3 + sqrt(16)) ** 2.")}),
    )

    async def propose(self, call: ToolCall) -> Proposal:
        return Proposal(call=call, effect=Effect.NONE, subject=str((call.arguments or {})["expression"]))

    async def run(self, proposal: Proposal) -> CallResult:
        try:
            return CallResult(text=str(calculated(proposal.subject)))
        except NoNumber as error:
            raise ToolFailed("tools.no_number", why=str(error)) from None


class TimeTool:
    """The time. ``now`` gives it in a time zone, None for that of this machine."""

    spec = Tool(
        name="current_time",
        purpose="The date and time now, with the day of the week.",
        schema=arguments(
            {}, {"timezone": text("Such as Europe/Madrid; that of the user if it is left out.")}
        ),
    )

    def __init__(self, now: Callable[[tzinfo | None], datetime] | None = None) -> None:
        self._now = now or (lambda zone: datetime.now(zone).astimezone(zone))

    async def propose(self, call: ToolCall) -> Proposal:
        return Proposal(
            call=call, effect=Effect.NONE, subject=str((call.arguments or {}).get("timezone") or "")
        )

    async def run(self, proposal: Proposal) -> CallResult:
        try:
            zone = ZoneInfo(proposal.subject) if proposal.subject else None
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ToolFailed("tools.no_timezone", name=proposal.subject) from None
        now = self._now(zone)
        return CallResult(text=f"{now.isoformat(timespec='seconds')} {now:%A}")
