"""``llmstack guard``: keep the limit of loaded models without a dashboard, and say what is done and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.cli import output
from llmstack_tui.cli.options import Parser, add_global_options

if TYPE_CHECKING:
    from llmstack_tui.cli.options import Commands, Invocation, Run
    from llmstack_tui.guard.explaining import Explained
    from llmstack_tui.guard.situation import Decision, Limits
    from llmstack_tui.guard.state import GuardState
    from llmstack_tui.guard.watch import Rules
    from llmstack_tui.stack import Stack
    from llmstack_tui.store.events import Event

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
    _add(acts, "status", _run_status, "Show the limits, and whether some program guards.")
    _add(acts, "explain", _run_explain, "Show what would be done now and why. Nothing is done.")


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

    from llmstack_tui.cli.servers import find_urls, state_file
    from llmstack_tui.ollama.client import OllamaHost
    from llmstack_tui.stack import Stack

    urls = await find_urls(call)
    async with Stack(
        [OllamaHost(url) for url in urls],
        look_only={url for url in urls if not call.settings.may_act(url)},
        profile=call.settings.hardware.profile,
        state_file=state_file(),
        guard=call.settings.guard,
    ) as stack:
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
                    events = await stack.events(kinds=_FOLLOWED, after=newest or 0)
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
            stack.guarding.use(loaded.settings.guard)


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
    if guard.off:
        return f"{url} is not guarded. {guard.off}"
    if guard.leads is None:
        return ""
    if not guard.leads:
        return f"{url} is guarded by another program; this one takes over when that ends."
    return f"Guarding {url}: {_limits(guard.limits)}."


def _write_event(call: Invocation, event: Event) -> None:
    if not call.json:
        reason = f" {event.reason}" if event.reason else ""
        output.write(output.plain(f"{event.at.astimezone():%H:%M:%S}  {event.text}{reason}"))
        return
    import json

    output.write(
        json.dumps(
            {
                "at": output.iso(event.at),
                "kind": event.kind,
                "host": event.host,
                "model": event.model,
                "text": event.text,
                "reason": event.reason or None,
                "asked_by": event.details.get("asked_by"),
            }
        )
    )


# --- status ---


def _run_status(call: Invocation) -> int:
    import asyncio

    return asyncio.run(_status(call))


async def _status(call: Invocation) -> int:
    import asyncio

    from llmstack_tui.cli.guarding import is_guarded, machine_and_profile, off, remembered, rules_of
    from llmstack_tui.cli.servers import connect, read_all

    async with connect(call) as hosts:
        snapshots = await read_all(hosts)
        reading = asyncio.to_thread(machine_and_profile, call)
        (_, profile), known = await asyncio.gather(reading, remembered([each.url for each in hosts]))
        guarded = {each.url: await is_guarded(each.url) for each in snapshots}
    by_url = {host.url: host for host in hosts}
    documents = []
    for snapshot in snapshots:
        rules = rules_of(call.settings.guard, snapshot.url, profile, known)
        wishes = known.wishes.get(snapshot.url, {})
        documents.append(
            {
                "url": snapshot.url,
                "guarded": guarded[snapshot.url],
                "off": off(call, by_url[snapshot.url]) or None,
                **_rules_document(rules),
                "loaded": len(snapshot.running),
                "memory": sum(rules.size_of(each) or 0 for each in snapshot.running),
                "pinned": sorted(wish.model for wish in wishes.values() if wish.pinned),
            }
        )
        if not call.json:
            _write_status(snapshot.url, guarded[snapshot.url], off(call, by_url[snapshot.url]), rules)
            for wish in wishes.values():
                if wish.pinned:
                    output.write(output.plain(f"  pinned: {wish.model}"))
    if call.json:
        output.write_document({"hosts": documents})
    return 0


def _rules_document(rules: Rules) -> dict[str, object]:
    return {
        "held": rules.held,
        "limit": rules.limits.max_loaded,
        "memory_budget": rules.limits.memory_budget,
        "idle_stop": rules.idle_limit_s,
    }


def _write_status(url: str, guarded: bool, off: str, rules: Rules) -> None:
    now = off or ("It is guarded." if guarded else "No program guards it now: `llmstack guard run` does.")
    output.write(output.plain(f"{url}  {now}"))
    output.write(output.plain(f"  {_limits(rules.limits)}; {_idle(rules.idle_limit_s)}"))
    if rules.held:
        output.write("  Everything is held: nothing is stopped by itself.")


def _limits(limits: Limits) -> str:
    count = limits.max_loaded
    said = "no limit of models" if count is None else f"limit {count} {'model' if count == 1 else 'models'}"
    if limits.memory_budget is not None:
        said += f", {output.size(limits.memory_budget)} of {limits.memory_word}"
    return said


def _idle(seconds: float | None) -> str:
    from datetime import timedelta

    from llmstack_tui.config.durations import format_duration

    if seconds is None:
        return "a model may be idle for ever"
    return f"idle models are stopped after {format_duration(timedelta(seconds=seconds))}"


# --- explain ---


def _run_explain(call: Invocation) -> int:
    import asyncio

    return asyncio.run(_explain(call))


async def _explain(call: Invocation) -> int:
    import asyncio

    from llmstack_tui.cli.guarding import machine_and_profile, off, remembered, rules_of, situation
    from llmstack_tui.cli.servers import connect, read_all
    from llmstack_tui.cli.waiting import waiting
    from llmstack_tui.guard.explaining import explain

    documents = []
    async with connect(call) as hosts:
        snapshots = await read_all(hosts)
        reading_task = asyncio.to_thread(machine_and_profile, call)
        (reading, profile), known = await asyncio.gather(
            reading_task, remembered([each.url for each in hosts])
        )
        by_url = {host.url: host for host in hosts}
        rules = {each.url: rules_of(call.settings.guard, each.url, profile, known) for each in snapshots}
        async with waiting("looking", call.environ):
            found = await asyncio.gather(
                *(
                    situation(
                        by_url[each.url],
                        each,
                        rules=rules[each.url],
                        reading=reading,
                        active=known.active.get(each.url, ()),
                        limit=call.settings.guard.temperature_limit,
                    )
                    for each in snapshots
                )
            )
        for snapshot, now in zip(snapshots, found, strict=True):
            models, decisions = explain(now)
            why_off = off(call, by_url[snapshot.url])
            if call.json:
                documents.append(
                    {
                        "url": snapshot.url,
                        "off": why_off or None,
                        **_rules_document(rules[snapshot.url]),
                        "models": [_model(each) for each in models],
                        "decisions": [_decision(each) for each in decisions],
                    }
                )
            else:
                _write_explained(snapshot.url, why_off, rules[snapshot.url], models, decisions)
    if call.json:
        output.write_document({"hosts": documents})
    return 0


def _model(each: Explained) -> dict[str, object]:
    model = each.model
    return {
        "name": model.name,
        "digest": model.digest or None,
        "pinned": model.pinned,
        "busy": model.busy,
        "idle": None if model.busy else round(model.idle_s, 3),
        "memory": model.size,
        "stop": each.stop,
        "reason": each.reason,
    }


def _decision(decision: Decision) -> dict[str, object]:
    from llmstack_tui.guard.situation import Stop

    act = type(decision).__name__.lower()
    if isinstance(decision, Stop):
        return {"act": act, "model": decision.model, "cause": decision.cause, "reason": decision.reason}
    return {"act": act, "model": None, "cause": None, "reason": decision.reason}


def _write_explained(
    url: str,
    why_off: str,
    rules: Rules,
    models: tuple[Explained, ...],
    decisions: tuple[Decision, ...],
) -> None:
    from llmstack_tui.guard.explaining import general

    output.write(output.plain(f"{url}  {_limits(rules.limits)}; {_idle(rules.idle_limit_s)}"))
    if why_off:
        output.write(output.plain(f"  {why_off}"))
    for each in models:
        would = "would be stopped" if each.stop else "stays"
        output.write(output.plain(f"  {each.model.name} {would}. {each.reason}"))
    for reason in general(decisions):
        output.write(output.plain(f"  {reason}"))
