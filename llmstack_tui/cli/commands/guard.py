"""``llmstack guard``: keep the limit of loaded models without a dashboard, and say what is done and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.text import clean
from llmstack_tui.cli import guard_idle, output
from llmstack_tui.cli.guard_report import explain, limits_text, status
from llmstack_tui.cli.options import Parser, add_global_options

if TYPE_CHECKING:
    from llmstack_tui.cli.options import Commands, Invocation, Run
    from llmstack_tui.core.stack import Stack
    from llmstack_tui.guard.types import GuardState
    from llmstack_tui.store.tables.events import Event

_FOLLOWED = ("deactivate", "failed", "pin", "guard", "notice", "server")


def add_parser(commands: Commands) -> None:
    purpose = "Keep the limit of loaded models, and stop those that are idle. It cuts no request."
    parser = commands.add_parser("guard", help=purpose, description=purpose)
    add_global_options(parser, depth=1)
    acts = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add(
        acts,
        "run",
        _run,
        "Guard until Ctrl-C, without a dashboard. With --json each act is a document on a line of its own.",
    )
    _add(acts, "status", status, "Show the limits, and whether some program guards.")
    _add(acts, "explain", explain, "Show what would be done now and why. Nothing is done.")
    idle = _add(acts, "idle", guard_idle.run, "Set how long one model may be idle before it is stopped.")
    guard_idle.add_arguments(idle)


def _add(acts: Commands, name: str, run: Run, purpose: str) -> Parser:
    parser = acts.add_parser(name, help=purpose, description=purpose)
    parser.set_defaults(run=run)
    parser.add_argument("--json", action="store_true", help="write one JSON document")
    add_global_options(parser, depth=1)
    return parser


# --- run ---


def _run(call: Invocation) -> int:
    import asyncio

    from llmstack_tui.cli.servers import refuse_if_read_only

    refuse_if_read_only(call)
    if not call.settings.guard.enabled:
        raise output.Failed("The guard is switched off: set guard.enabled = true in the settings.")
    return asyncio.run(_guard(call))


async def _guard(call: Invocation) -> int:
    import asyncio
    import signal
    from contextlib import suppress

    from llmstack_tui.cli.guarding import off
    from llmstack_tui.cli.servers import find_urls, state_file
    from llmstack_tui.core.options import StackOptions
    from llmstack_tui.core.stack import Stack
    from llmstack_tui.core.wording import text
    from llmstack_tui.ollama.client import OllamaHost

    urls = await find_urls(call)
    hosts = [OllamaHost(url) for url in urls]
    reasons = {host.url: off(call, host) for host in hosts}
    if all(reasons.values()):
        for host in hosts:
            await host.aclose()
        raise output.Failed(" ".join(f"{url} is not guarded. {text(*why)}" for url, why in reasons.items()))
    options = StackOptions(
        look_only={url for url in urls if not call.settings.may_act(url)},
        profile=call.settings.hardware.profile,
        state_file=state_file(),
        guard=call.settings.guard,
    )
    async with Stack(hosts, options) as stack:
        stack.follow()
        work = asyncio.gather(_follow(call, stack), _follow_settings(call, stack), _tell_states(stack))
        with suppress(NotImplementedError):  # On Windows only Ctrl-C ends it.
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, work.cancel)
        with suppress(asyncio.CancelledError):
            await work
    return 0


async def _follow(call: Invocation, stack: Stack) -> None:
    """Write what the guard does, and what concerns it."""
    from contextlib import aclosing

    from llmstack_tui.store.errors import StoreError

    newest: int | None = None
    async with aclosing(stack.watch()) as states:
        async for state in states:
            if newest is None or state.last_event_id > newest:
                try:
                    events = await stack.records.events(kinds=_FOLLOWED, after=newest or 0)
                except StoreError as error:
                    output.say(str(error))
                    continue
                for event in reversed(events) if newest is not None else ():
                    _write_event(call, event)
                newest = max(state.last_event_id, events[0].id if events else 0)


async def _follow_settings(call: Invocation, stack: Stack) -> None:
    from contextlib import aclosing

    from llmstack_tui.config.watch import watch_settings

    file = getattr(call.options, "config", None)
    async with aclosing(watch_settings(file, call.environ)) as all_loaded:
        async for loaded in all_loaded:
            stack.guard.use(loaded.settings.guard)


async def _tell_states(stack: Stack) -> None:
    """Say which hosts are guarded, and which are not or by another program."""
    from contextlib import aclosing

    told: dict[str, str] = {}
    async with aclosing(stack.watch()) as states:
        async for state in states:
            for url, guard in state.guards.items():
                # What the limits are is known when the machine is.
                if state.profile is not None and (said := _said(url, guard)) != told.get(url, ""):
                    told[url] = said
                    output.say(said)


def _said(url: str, guard: GuardState) -> str:
    """Whether a host is guarded; empty where that is not known yet."""
    from llmstack_tui.core.wording import text

    if guard.off:
        return f"{url} is not guarded. {text(*guard.off)}"
    if guard.leads is None:
        return ""
    if not guard.leads:
        return f"{url} is guarded by another program; this one takes over when that ends."
    return f"Guarding {url}: {limits_text(guard.limits)}."


def _write_event(call: Invocation, event: Event) -> None:
    from llmstack_tui.core.wording import text

    if not call.json:
        said = text(event.sentence, *event.reason)
        output.write(clean(f"{event.at.astimezone():%H:%M:%S}  {said}"))
        return
    import json

    output.write(
        json.dumps(
            {
                "at": output.iso(event.at),
                "kind": event.kind,
                "host": event.host,
                "model": event.model,
                "text": text(event.sentence),
                "reason": text(*event.reason) or None,
                "asked_by": event.details.get("asked_by"),
            }
        )
    )
