"""``llmstack guard status`` and ``explain``: the limits of each host, and what would be done now and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.text import clean
from llmstack_tui.base.units import bytes_text
from llmstack_tui.cli import output

if TYPE_CHECKING:
    from llmstack_tui.base.sentences import Sentences
    from llmstack_tui.cli.options import Invocation
    from llmstack_tui.guard.rules.policy import Explained
    from llmstack_tui.guard.rules.watch import Rules
    from llmstack_tui.guard.types import Decision, Limits


def status(call: Invocation) -> int:
    import asyncio

    return asyncio.run(_status(call))


async def _status(call: Invocation) -> int:
    import asyncio

    from llmstack_tui.cli.guarding import is_guarded, off, remembered, rules_of
    from llmstack_tui.cli.machine import this_machine
    from llmstack_tui.cli.servers import connect, read_all
    from llmstack_tui.core.wording import text

    async with connect(call) as hosts:
        snapshots = await read_all(hosts)
        reading = asyncio.to_thread(this_machine, call)
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
                "off": text(*off(call, by_url[snapshot.url])) or None,
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
                    output.write(clean(f"  pinned: {wish.model}"))
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


def _write_status(url: str, guarded: bool, off: Sentences, rules: Rules) -> None:
    from llmstack_tui.core.wording import text
    from llmstack_tui.guard.rules.reasons import HOLDING

    now = text(*off) or (
        "It is guarded." if guarded else "No program guards it now: `llmstack guard run` does."
    )
    output.write(clean(f"{url}  {now}"))
    output.write(clean(f"  {limits_text(rules.limits)}; {_idle(rules.idle_limit_s)}"))
    if rules.held:
        output.write(f"  {text(*HOLDING)}")


def limits_text(limits: Limits) -> str:
    count = limits.max_loaded
    said = "no limit of models" if count is None else f"limit {count} {'model' if count == 1 else 'models'}"
    if limits.memory_budget is not None:
        said += f", {bytes_text(limits.memory_budget)} of {limits.memory_word}"
    return said


def _idle(seconds: float | None) -> str:
    from datetime import timedelta

    from llmstack_tui.base.durations import format_duration

    if seconds is None:
        return "a model may be idle for ever"
    return f"idle models are stopped after {format_duration(timedelta(seconds=seconds))}"


def explain(call: Invocation) -> int:
    import asyncio

    return asyncio.run(_explain(call))


async def _explain(call: Invocation) -> int:
    import asyncio

    from llmstack_tui.cli.guarding import off, remembered, rules_of, situations
    from llmstack_tui.cli.machine import this_machine
    from llmstack_tui.cli.servers import connect, read_all
    from llmstack_tui.cli.waiting import waiting
    from llmstack_tui.core.wording import text
    from llmstack_tui.guard.rules.policy import explain as explained

    documents = []
    async with connect(call) as hosts:
        snapshots = await read_all(hosts)
        reading_task = asyncio.to_thread(this_machine, call)
        (reading, profile), known = await asyncio.gather(
            reading_task, remembered([each.url for each in hosts])
        )
        by_url = {host.url: host for host in hosts}
        rules = {each.url: rules_of(call.settings.guard, each.url, profile, known) for each in snapshots}
        async with waiting("looking", call.environ):
            found = await situations(call, hosts, snapshots, rules=rules, reading=reading, known=known)
        for snapshot in snapshots:
            now = found[snapshot.url]
            elsewhere = sum(each.size or 0 for each in now.elsewhere)
            models, decisions = explained(now)
            why_off = off(call, by_url[snapshot.url])
            if call.json:
                documents.append(
                    {
                        "url": snapshot.url,
                        "off": text(*why_off) or None,
                        **_rules_document(rules[snapshot.url]),
                        "elsewhere": elsewhere,
                        "models": [_model(each) for each in models],
                        "decisions": [_decision(each) for each in decisions],
                    }
                )
            else:
                _write_explained(snapshot.url, why_off, rules[snapshot.url], models, decisions)
                if elsewhere:
                    output.write(f"  Other servers of this machine hold {bytes_text(elsewhere)}.")
    if call.json:
        output.write_document({"hosts": documents})
    return 0


def _model(each: Explained) -> dict[str, object]:
    from llmstack_tui.core.wording import text

    model = each.model
    return {
        "name": model.name,
        "digest": model.digest or None,
        "pinned": model.pinned,
        "busy": model.busy,
        "idle": None if model.busy else round(model.idle_s, 3),
        "memory": model.size,
        "stop": each.stop,
        "reason": text(*each.reason),
    }


def _decision(decision: Decision) -> dict[str, object]:
    from llmstack_tui.core.wording import text
    from llmstack_tui.guard.types import Renew, Stop

    act = type(decision).__name__.lower()
    if isinstance(decision, Renew):
        return {"act": act, "model": decision.model, "cause": None, "reason": text(*decision.reason)}
    if isinstance(decision, Stop):
        return {
            "act": act,
            "model": decision.model,
            "cause": decision.cause,
            "reason": text(*decision.reason),
        }
    return {"act": act, "model": None, "cause": None, "reason": text(*decision.reason)}


def _write_explained(
    url: str,
    why_off: Sentences,
    rules: Rules,
    models: tuple[Explained, ...],
    decisions: tuple[Decision, ...],
) -> None:
    from llmstack_tui.core.wording import text
    from llmstack_tui.guard.rules.policy import general

    output.write(clean(f"{url}  {limits_text(rules.limits)}; {_idle(rules.idle_limit_s)}"))
    if why_off:
        output.write(clean(f"  {text(*why_off)}"))
    for each in models:
        would = "would be stopped" if each.stop else "stays"
        output.write(clean(f"  {each.model.name} {would}. {text(*each.reason)}"))
    for reason in general(decisions):
        output.write(clean(f"  {text(*reason)}"))
