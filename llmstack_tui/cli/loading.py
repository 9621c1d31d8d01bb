"""Loads a model for a command: who is asked when it exceeds a limit, and what is shown meanwhile."""

from __future__ import annotations

import sys
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from llmstack_tui.base.durations import ENDLESS
from llmstack_tui.base.languages import tr
from llmstack_tui.base.sentences import listed
from llmstack_tui.base.units import duration_text
from llmstack_tui.cli import output
from llmstack_tui.cli.progress import waiting
from llmstack_tui.cli.stacks import look_again
from llmstack_tui.core.wording import text
from llmstack_tui.guard.types import Ask, LimitChoice

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import AsyncIterator, Mapping

    from llmstack_tui.cli.parser import Parser
    from llmstack_tui.core.stack import Stack
    from llmstack_tui.guard.types import Confirm
    from llmstack_tui.lifecycle.states import ModelStatus


def add_room_option(parser: Parser) -> None:
    parser.add_argument(
        "--make-room",
        action="store_true",
        help=tr("if it would exceed a limit, unload other models for it without asking"),
    )


@asynccontextmanager
async def loading(
    stack: Stack, status: ModelStatus, options: Namespace, environ: Mapping[str, str], doing: str = ""
) -> AsyncIterator[Confirm]:
    """While the block loads a model, show that; yields what asks about a limit. Use it after `prepare`.

    Args:
        doing: what is shown, by default that the model is loaded.

    The setting ``over_limit`` rules. With "ask", the user is asked on a terminal; where nobody can be asked,
    the model is not loaded, unless ``--make-room`` was given.

    Raises:
        Failed: the model is not loaded; names what would have to be unloaded.
    """
    doing = doing or tr("Loading {model}", model=status.name)
    async with AsyncExitStack() as line:

        async def confirm(asked: Ask) -> LimitChoice:
            await line.aclose()
            choice = _choose(asked, options)
            await line.enter_async_context(waiting(doing, environ))
            return choice

        await line.enter_async_context(waiting(doing, environ))
        if status.running is None and isinstance(
            await stack.guard.admissions.admit(status.host, status.name), Ask
        ):
            await look_again(stack)
        yield confirm


def _choose(asked: Ask, options: Namespace) -> LimitChoice:
    why = text(*asked.reason)
    if options.make_room and asked.enough:
        return LimitChoice.MAKE_ROOM
    names = listed([stop.model for stop in asked.stops]) if asked.stops else ""
    if options.make_room or options.json or not output.is_terminal(sys.stdin):
        if not asked.enough:
            raise output.Failed(f"{why} {tr('Nothing else can be unloaded, so it is not loaded.')}")
        advice = tr("To load it, {models} would be unloaded: --make-room does that.", models=names)
        raise output.Failed(f"{why} {advice}")
    if not asked.enough:
        why += " " + tr("Nothing else can be unloaded: there will be more than the limit.")
    stay = tr("If you load it all the same, all of them stay for five minutes at least.")
    output.say(f"{why} {stay}")
    if not asked.stops:
        choice = LimitChoice.ANYWAY if output.ask(tr("Load it all the same?")) else None
    else:
        said = output.ask_for(tr("Unload {models} first? [y/N, a: load it all the same]", models=names))[:1]
        choice = LimitChoice.MAKE_ROOM if output.is_yes(said) else LimitChoice.ANYWAY if said == "a" else None
    if choice is None:
        raise output.Failed(tr("Nothing was loaded."))
    return choice


def leaves(status: ModelStatus) -> str:
    """When a loaded model leaves: "leaves in 40 s", "never leaves by itself"."""
    expires_at = status.running.expires_at if status.running else None
    left = None if expires_at is None else expires_at - datetime.now(UTC)
    if left is None:
        return tr("leaves when its time is up")
    if left > ENDLESS:
        return tr("never leaves by itself")
    return tr("leaves in {time}", time=duration_text(left.total_seconds()))
