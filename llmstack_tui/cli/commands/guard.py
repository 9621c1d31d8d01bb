"""``llmstack guard``: keep the limit of loaded models without a dashboard, and explain what is done."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from llmstack_tui.base.durations import format_duration
from llmstack_tui.base.units import bytes_text
from llmstack_tui.cli import output
from llmstack_tui.cli.options import Subcommands, duration
from llmstack_tui.cli.progress import waiting
from llmstack_tui.cli.stacks import (
    answering,
    locate_local,
    look,
    look_again,
    opened,
    prepare,
    recorded,
    refuse_read_only,
)
from llmstack_tui.core.types import StoreError
from llmstack_tui.core.wording import text, words
from llmstack_tui.guard.preferences import idle_sentence, others_sentence
from llmstack_tui.guard.rules.explanation import explain, general
from llmstack_tui.guard.rules.policy import HOLDING
from llmstack_tui.guard.types import Consent, Propose, Renew, Stop

if TYPE_CHECKING:
    from argparse import Namespace

    from llmstack_tui.base.sentences import Sentence, Sentences
    from llmstack_tui.cli.options import Parser
    from llmstack_tui.core.open import Core
    from llmstack_tui.core.stack import Stack
    from llmstack_tui.core.types import Event
    from llmstack_tui.guard.rules.explanation import Explained
    from llmstack_tui.guard.types import Decision, GuardState, Limits

_NOT_GUARDED = "No program guards it now: start `llmstack guard run`."
_FOLLOWED = ("deactivate", "failed", "pin", "guard", "notice", "server")


def add_options(parser: Parser) -> None:
    commands = Subcommands(parser, depth=1)
    commands.add(
        "run",
        _run,
        "Guard until Ctrl-C, without a dashboard. With --json each act is a document on a line of its own.",
    )
    commands.add("status", _status, "Show the limits, and whether a program keeps them.")
    commands.add("explain", _explain, "Show what would be done now and why. Does nothing.")
    idle = commands.add("idle", _idle, "Set how long one model may be idle before it is unloaded.")
    idle.add_argument("name", metavar="NAME", help="a model, as `llmstack ls` lists it")
    idle.add_argument(
        "length",
        metavar="D",
        type=lambda text: None if text == "auto" else duration(text),
        help="how long it may be idle: 90s, 10m, 1h30m; 0: for ever; auto: as the settings say",
    )
    others = commands.add(
        "others", _others, "Show or say whether models that other programs loaded are unloaded, too."
    )
    others.add_argument(
        "answer",
        metavar="ANSWER",
        nargs="?",
        choices=("ask", "yes", "no"),
        help="yes: keep the limits, whoever loaded a model; no: leave models of other programs alone; ask: "
        "the dashboard asks before it unloads the first one",
    )


# --- run ---


async def _run(core: Core, options: Namespace) -> int:
    refuse_read_only(core)
    if not core.settings.guard.enabled:
        raise output.Failed("The guard is switched off: set guard.enabled = true in the settings.")
    async with opened(core, follow=True) as stack:
        reasons = {url: stack.guard.off(url) for url in stack.monitors}
        if all(reasons.values()):
            said = (f"{url} is not guarded. {text(*why)}" for url, why in reasons.items())
            raise output.Failed(" ".join(said))
        stack.follow()
        work = asyncio.gather(_follow(options, stack), _follow_settings(core, stack), _report_guards(stack))
        with suppress(asyncio.CancelledError):
            await work
    return 0


async def _follow(options: Namespace, stack: Stack) -> None:
    """Write what the guard does, and other events that concern it."""
    newest: int | None = None
    async with aclosing(stack.watch()) as states:
        async for state in states:
            if newest is None or state.last_event_id > newest:
                try:
                    events = await stack.records.events(kinds=_FOLLOWED, after=newest or 0)
                except StoreError as error:
                    output.say(words(error))
                    continue
                for event in reversed(events) if newest is not None else ():
                    _write_event(options, event)
                newest = max(state.last_event_id, events[0].id if events else 0)


async def _follow_settings(core: Core, stack: Stack) -> None:
    async with aclosing(core.watch_settings()) as all_loaded:
        async for loaded in all_loaded:
            stack.guard.use(loaded.settings.guard)


async def _report_guards(stack: Stack) -> None:
    """Say whether each host is guarded, by this or another program, whenever that changes; and notices."""
    reported: dict[str, str] = {}
    noticed: set[Sentence] = set()
    async with aclosing(stack.watch()) as states:
        async for state in states:
            for notice in state.notices:
                if notice not in noticed:
                    noticed.add(notice)
                    output.say(text(notice))
            for url, guard in state.guards.items():
                # The limits are only known once the machine was read.
                said = _guard_sentence(url, guard)
                if state.profile is not None and said != reported.get(url, ""):
                    reported[url] = said
                    output.say(said)


def _guard_sentence(url: str, guard: GuardState) -> str:
    """A sentence that says whether a host is guarded; empty while that is not known."""
    if guard.off:
        return f"{url} is not guarded. {text(*guard.off)}"
    if guard.leads is None:
        return ""
    if not guard.leads:
        return f"{url} is guarded by another program; this one takes over when that ends."
    return f"Guarding {url}: {_limits(guard.limits)}."


def _write_event(options: Namespace, event: Event) -> None:
    if not options.json:
        said = text(event.sentence, *event.reason)
        output.write(f"{event.at.astimezone():%H:%M:%S}  {said}")
        return
    document = {
        "at": event.at,
        "kind": event.kind,
        "host": event.host,
        "model": event.model,
        "text": text(event.sentence),
        "reason": text(*event.reason) or None,
        "asked_by": event.details.get("asked_by"),
    }
    output.write_document(document, indent=None)


# --- status and explain ---


async def _status(core: Core, options: Namespace) -> int:
    documents: list[dict[str, object]] = []
    async with opened(core) as stack:
        await prepare(stack)
        for host in answering(stack):
            url, guard = host.snapshot.url, stack.guard.states[host.snapshot.url]
            is_guarded: bool | None = None
            try:
                is_guarded = await stack.guard.is_guarded(url)
                now = "It is guarded." if is_guarded else _NOT_GUARDED
            except StoreError as error:
                now = f"Whether a program guards it cannot be known. {words(error)}"
            documents.append(
                {
                    "url": url,
                    "guarded": is_guarded,
                    "off": text(*guard.off) or None,
                    **_rules_document(core, guard),
                    "loaded": len(host.snapshot.running),
                    "memory": sum(each.size or 0 for each in stack.guard.situation(url).loaded),
                    "pinned": sorted(guard.pinned),
                }
            )
            if not options.json:
                _write_status(core, url, guard, now)
    return output.answer(options, {"hosts": documents})


def _rules_document(core: Core, guard: GuardState) -> dict[str, object]:
    idle = core.settings.guard.idle_stop
    return {
        "held": guard.held,
        "limit": guard.limits.max_loaded,
        "memory_budget": guard.limits.memory_budget,
        "idle_stop": idle if idle > timedelta(0) else None,
        "others": guard.others,
    }


def _write_status(core: Core, url: str, guard: GuardState, now: str) -> None:
    output.write(f"{url}  {text(*guard.off) or now}")
    output.write(f"  {_rules(core, guard)}")
    output.write(f"  {text(others_sentence(guard.others))}")
    if guard.held:
        output.write(f"  {text(*HOLDING)}")
    for model in guard.pinned:
        output.write(f"  pinned: {model}")


def _rules(core: Core, guard: GuardState) -> str:
    idle = core.settings.guard.idle_stop
    if idle > timedelta(0):
        return f"{_limits(guard.limits)}; idle models are unloaded after {format_duration(idle)}"
    return f"{_limits(guard.limits)}; a model may be idle for ever"


def _limits(limits: Limits) -> str:
    count = limits.max_loaded
    said = "no limit of models" if count is None else f"limit {output.counted(count, 'model')}"
    if limits.memory_budget is not None:
        said += f", {bytes_text(limits.memory_budget)} of {limits.memory_word}"
    return said


async def _explain(core: Core, options: Namespace) -> int:
    documents: list[dict[str, object]] = []
    async with opened(core, processes=True) as stack:
        await prepare(stack)
        async with waiting("Looking for activity", core.environ):
            await look_again(stack)
        for host in answering(stack):
            url = host.snapshot.url
            situation, guard = stack.guard.situation(url), stack.guard.states[url]
            elsewhere = sum(each.size or 0 for each in situation.elsewhere)
            models, decisions = explain(situation)
            if options.json:
                documents.append(
                    {
                        "url": url,
                        "off": text(*guard.off) or None,
                        **_rules_document(core, guard),
                        "elsewhere": elsewhere,
                        "models": [_model(each) for each in models],
                        "decisions": [_decision(each) for each in decisions],
                    }
                )
                continue
            output.write(f"{url}  {_rules(core, guard)}")
            output.write(f"  {text(others_sentence(guard.others))}")
            _write_explained(guard.off, models, decisions)
            if elsewhere:
                output.write(f"  Other servers of this machine hold {bytes_text(elsewhere)}.")
    return output.answer(options, {"hosts": documents})


def _model(each: Explained) -> dict[str, object]:
    model = each.model
    return {
        "name": model.name,
        "digest": model.digest or None,
        "pinned": model.pinned,
        "ours": model.ours,
        "lasting": model.lasting,
        "busy": model.busy,
        "idle": None if model.busy else round(model.idle_s, 3),
        "memory": model.size,
        "stop": each.stop,
        "proposed": each.proposed,
        "reason": text(*each.reason),
    }


def _decision(decision: Decision) -> dict[str, object]:
    about = decision.stop if isinstance(decision, Propose) else decision
    return {
        "act": type(decision).__name__.lower(),
        "model": about.model if isinstance(about, Stop | Renew) else None,
        "cause": about.cause if isinstance(about, Stop) else None,
        "reason": text(*decision.reason),
    }


def _write_explained(off: Sentences, models: tuple[Explained, ...], decisions: tuple[Decision, ...]) -> None:
    if off:
        output.write(f"  {text(*off)}")
    for each in models:
        would = "would be unloaded" if each.stop else "stays"
        if each.proposed:
            would = "would be unloaded, if `llmstack guard others yes` allowed it"
        output.write(f"  {each.model.name} {would}. {text(*each.reason)}")
    for reason in general(decisions):
        output.write(f"  {text(*reason)}")


# --- others ---


async def _others(core: Core, options: Namespace) -> int:
    documents: list[dict[str, object]] = []
    said: list[str] = []
    async with opened(core, act=options.answer is not None) as stack:
        if options.answer is not None:
            for url in stack.monitors:
                await stack.guard.answer(url, Consent(options.answer))
            await recorded(stack.records.kept(), "The answer is not kept")
        await stack.guard.prepare()
        for url, guard in stack.guard.states.items():
            is_set = core.settings.guard.others is not None
            documents.append({"url": url, "others": guard.others, "set": is_set})
            by = " The settings say so." if is_set else ""
            said.append(f"{url}  {text(others_sentence(guard.others))}{by}")
    return output.answer(options, {"hosts": documents}, *said)


# --- idle ---


async def _idle(core: Core, options: Namespace) -> int:
    async with opened(core, act=True) as stack:
        await look(stack)
        status = locate_local(stack, options.name)
        limit = await stack.guard.set_idle_limit(status.host, status.name, options.length)
        await recorded(stack.records.kept(), f"The limit of {status.name} stays as it was")
    length = limit if limit > timedelta(0) else None
    document = {"models": [{"host": status.host, "name": status.name, "idle_stop": length}]}
    said = text(idle_sentence(status.name, limit, is_default=options.length is None))
    return output.answer(options, document, said)
