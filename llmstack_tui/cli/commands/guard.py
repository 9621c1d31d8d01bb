"""``llmstack guard``: keep the limit of loaded models without a dashboard, and explain what is done."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from llmstack_tui.base.durations import format_duration
from llmstack_tui.base.languages import later, tr, tr_n
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
    from llmstack_tui.cli.parser import Parser
    from llmstack_tui.core.open import Core
    from llmstack_tui.core.stack import Stack
    from llmstack_tui.core.types import Event
    from llmstack_tui.guard.rules.explanation import Explained
    from llmstack_tui.guard.types import Decision, GuardState, Limits

_NOT_GUARDED = later("No program guards it now: start `llmstack guard run`.")
_FOLLOWED = ("deactivate", "failed", "pin", "guard", "notice", "server")


def add_options(parser: Parser) -> None:
    commands = Subcommands(parser, depth=1)
    commands.add(
        "run",
        _run,
        tr(
            "Guard until Ctrl-C, without a dashboard. With --json each act is a document on a line of its "
            "own."
        ),
    )
    commands.add("status", _status, tr("Show the limits, and whether a program keeps them."))
    commands.add("explain", _explain, tr("Show what would be done now and why. Does nothing."))
    idle = commands.add("idle", _idle, tr("Set how long one model may be idle before it is unloaded."))
    idle.add_argument("name", metavar=tr("NAME"), help=tr("a model, as `llmstack ls` lists it"))
    idle.add_argument(
        "length",
        metavar="D",
        type=lambda text: None if text == "auto" else duration(text),
        help=tr("how long it may be idle: 90s, 10m, 1h30m; 0: for ever; auto: as the settings say"),
    )
    others = commands.add(
        "others", _others, tr("Show or say whether models that other programs loaded are unloaded, too.")
    )
    others.add_argument(
        "answer",
        metavar=tr("ANSWER"),
        nargs="?",
        choices=("ask", "yes", "no"),
        help=tr(
            "yes: keep the limits, whoever loaded a model; no: leave models of other programs alone; ask: "
            "the dashboard asks before it unloads the first one"
        ),
    )


# --- run ---


async def _run(core: Core, options: Namespace) -> int:
    refuse_read_only(core)
    if not core.settings.guard.enabled:
        raise output.Failed(tr("The guard is switched off: set guard.enabled = true in the settings."))
    async with opened(core, follow=True) as stack:
        reasons = {url: stack.guard.off(url) for url in stack.monitors}
        if all(reasons.values()):
            said = (
                tr("{url} is not guarded. {why}", url=url, why=text(*why)) for url, why in reasons.items()
            )
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
    async with aclosing(core.watch_settings(with_keys=False)) as all_loaded:
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
        return tr("{url} is not guarded. {why}", url=url, why=text(*guard.off))
    if guard.leads is None:
        return ""
    if not guard.leads:
        return tr("{url} is guarded by another program; this one takes over when that ends.", url=url)
    return tr("Guarding {url}: {limits}.", url=url, limits=_limits(guard.limits))


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
                now = tr("It is guarded.") if is_guarded else tr(_NOT_GUARDED)
            except StoreError as error:
                now = tr("Whether a program guards it cannot be known. {why}", why=words(error))
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
        output.write("  " + tr("pinned: {model}", model=model))


def _rules(core: Core, guard: GuardState) -> str:
    idle, limits = core.settings.guard.idle_stop, _limits(guard.limits)
    if idle > timedelta(0):
        time = format_duration(idle)
        return tr("{limits}; idle models are unloaded after {time}", limits=limits, time=time)
    return tr("{limits}; a model may be idle for ever", limits=limits)


def _limits(limits: Limits) -> str:
    count = limits.max_loaded
    said = [tr("no limit of models")]
    if count is not None:
        said = [tr_n("limit 1 model", "limit {count} models", count)]
    if limits.memory_budget is not None:
        size, memory = bytes_text(limits.memory_budget), tr(limits.memory_word)
        said.append(tr("{size} of {memory}", size=size, memory=memory))
    return ", ".join(said)


async def _explain(core: Core, options: Namespace) -> int:
    documents: list[dict[str, object]] = []
    async with opened(core, processes=True) as stack:
        await prepare(stack)
        async with waiting(tr("Looking for activity"), core.environ):
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
                held = tr("Other servers of this machine hold {size}.", size=bytes_text(elsewhere))
                output.write(f"  {held}")
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
        values = {"model": each.model.name, "why": text(*each.reason)}
        if each.proposed:
            said = tr("{model} would be unloaded, if `llmstack guard others yes` allowed it. {why}", **values)
        elif each.stop:
            said = tr("{model} would be unloaded. {why}", **values)
        else:
            said = tr("{model} stays. {why}", **values)
        output.write(f"  {said}")
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
            await recorded(stack.records.kept(), tr("The answer is not kept"))
        await stack.guard.prepare()
        for url, guard in stack.guard.states.items():
            is_set = core.settings.guard.others is not None
            documents.append({"url": url, "others": guard.others, "set": is_set})
            by = [tr("The settings say so.")] if is_set else []
            said.append(" ".join([f"{url}  {text(others_sentence(guard.others))}", *by]))
    return output.answer(options, {"hosts": documents}, *said)


# --- idle ---


async def _idle(core: Core, options: Namespace) -> int:
    async with opened(core, act=True) as stack:
        await look(stack)
        status = locate_local(stack, options.name)
        limit = await stack.guard.set_idle_limit(status.host, status.name, options.length)
        await recorded(stack.records.kept(), tr("The limit of {model} stays as it was", model=status.name))
    length = limit if limit > timedelta(0) else None
    document = {"models": [{"host": status.host, "name": status.name, "idle_stop": length}]}
    said = text(idle_sentence(status.name, limit, is_default=options.length is None))
    return output.answer(options, document, said)
