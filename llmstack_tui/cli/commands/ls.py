"""``llmstack ls``: the models of the servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.languages import tr
from llmstack_tui.base.names import model_key
from llmstack_tui.base.units import bytes_text
from llmstack_tui.cli import output
from llmstack_tui.cli.stacks import answering, look, opened, running_urls
from llmstack_tui.core.types import StoreError
from llmstack_tui.core.wording import text, words

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence

    from llmstack_tui.cli.parser import Parser
    from llmstack_tui.core.open import Core
    from llmstack_tui.core.stack import Stack
    from llmstack_tui.core.state import HostState
    from llmstack_tui.fit.verdict import Fitted
    from llmstack_tui.lifecycle.states import ModelStatus
    from llmstack_tui.updates.rules import Update

_UNKNOWN: dict[str, object] = {"state": "unknown", "changed": [], "download": None, "checked_at": None}


def add_options(_: Parser) -> None:
    """``ls`` has no options of its own."""


async def run(core: Core, options: Namespace) -> int:
    pins: dict[str, frozenset[str]] = {}
    if (urls := await running_urls(core)) is None:
        hosts: tuple[HostState, ...] = (await core.on_disk(),)
        output.say(tr("No server runs: these are the models on the disk."))
        return output.answer(options, document(hosts, pins), lambda: _write(hosts))
    async with opened(core, urls) as stack:
        await look(stack)
        if options.json:
            pins = await _read_record(stack)
            await _estimate(stack)
        hosts = answering(stack)
    return output.answer(options, document(hosts, pins), lambda: _write(hosts))


async def _read_record(stack: Stack) -> dict[str, frozenset[str]]:
    """Fill the state with the known updates; returns the `model_key` of each pinned model, by host."""
    if stack.records.is_empty:
        return {}
    await stack.updates.recall()
    try:
        return {host.snapshot.url: await stack.records.pins(host.snapshot.url) for host in answering(stack)}
    except StoreError as error:
        output.say(words(error))
        return {}


async def _estimate(stack: Stack) -> None:
    """Fill the state with an estimate of each model's memory."""
    if any(not model.is_cloud for host in answering(stack) for model in host.snapshot.installed):
        await stack.machine.read_once()
        await stack.fit.look_at_all()


def document(hosts: Sequence[HostState], pins: Mapping[str, frozenset[str]]) -> dict[str, object]:
    left_out = sum(host.snapshot.left_out for host in hosts)
    return {
        "models": [
            _model(
                status,
                host.updates.get(status.name),
                host.fits.get(status.name),
                pinned=model_key(status.name) in pins.get(status.host, ()),
            )
            for host in hosts
            for status in host.models
        ],
    } | ({"left_out": left_out} if left_out else {})


def _model(
    status: ModelStatus, update: Update | None, fit: Fitted | None, *, pinned: bool
) -> dict[str, object]:
    model = status.model
    verdict = fit.verdict if fit else None
    return {
        "host": status.host or None,
        "name": status.name,
        "digest": (model.digest if model else status.running.digest if status.running else None) or None,
        "size": model.size if model else None,
        "parameters": model.parameters if model else None,
        "quantization": model.quantization if model else None,
        "state": status.state,
        "unusable": text(model.unusable) if model and model.unusable else None,
        "pinned": pinned,
        "update": update_document(update, is_cloud=bool(model and model.is_cloud)),
        "fit": {
            "state": verdict.fit if verdict else None,
            "estimate": fit.estimate.total if fit else None,
            "basis": fit.estimate.basis if fit else None,
        },
        "modified_at": model.modified_at if model else None,
        "shares": status.shares,
    }


def update_document(update: Update | None, *, is_cloud: bool = False) -> dict[str, object]:
    """Whether there is a newer version; "unknown" or "cloud" for a model that was never checked."""
    if update is None:
        return _UNKNOWN | ({"state": "cloud"} if is_cloud else {})
    return {
        "state": update.state,
        "changed": update.changed,
        "download": update.download,
        "checked_at": update.checked_at,
        "at_most": update.at_most,
        "changed_here": update.changed_here,
        "left_alone": update.left_alone,
        "digest": update.digest,
        "pushed_at": update.pushed_at,
        "reason": text(*update.reason) or None,
        "problem": text(*update.problems) or None,
    }


def _state(status: ModelStatus) -> str:
    if status.model and status.model.unusable:
        return tr("unusable")
    state = tr(status.state)
    return (
        tr("{state}, with {model}", state=state, model=status.counted_with) if status.counted_with else state
    )


def _write(hosts: Sequence[HostState]) -> None:
    models = [status for host in hosts for status in host.models]
    if not models:
        output.inform(tr("No model is installed: add one with `llmstack import FILE.gguf`."))
        return
    rows = [
        [
            output.mark(status.state),
            status.name,
            bytes_text(status.model.size) if status.model and not status.model.is_cloud else "-",
            (status.model and status.model.quantization) or "-",
            (status.model and status.model.parameters) or "-",
            _state(status),
        ]
        for status in models
    ]
    heads = ["", tr("NAME"), tr(">SIZE"), tr("QUANTIZATION?"), tr(">PARAMETERS?"), tr("STATE")]
    output.write_table(heads, rows, [status.host for status in models])
    for snapshot in (host.snapshot for host in hosts if host.snapshot.left_out):
        count = len(snapshot.installed)
        output.say(
            tr(
                "{host} lists {count:,} models: the first {shown:,} are shown.",
                host=snapshot.url,
                count=count + snapshot.left_out,
                shown=count,
            )
        )
    for status in models:
        if status.model and status.model.unusable:
            values = {"model": status.name, "why": text(status.model.unusable)}
            output.say(tr("{model} cannot be used. {why} `llmstack rm {model}` removes it.", **values))
