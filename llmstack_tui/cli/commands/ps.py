"""``llmstack ps``: the models that are loaded."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from llmstack_tui.base.address import is_loopback
from llmstack_tui.base.durations import ENDLESS
from llmstack_tui.base.languages import tr
from llmstack_tui.base.names import same_model
from llmstack_tui.base.units import bytes_text
from llmstack_tui.cli import output
from llmstack_tui.cli.stacks import answering, locate, look, opened
from llmstack_tui.core.types import StoreError
from llmstack_tui.core.wording import words
from llmstack_tui.lifecycle.activity import idle_time
from llmstack_tui.lifecycle.placement import device_bytes

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence

    from llmstack_tui.cli.parser import Parser
    from llmstack_tui.core.open import Core
    from llmstack_tui.core.stack import Stack
    from llmstack_tui.core.types import Activation
    from llmstack_tui.hosts.types import RunningModel
    from llmstack_tui.lifecycle.states import ModelStatus

    _Loaded = tuple[str, RunningModel, ModelStatus | None]

# A model without a request is unloaded some milliseconds after its time.
_SECOND_LOOK_S = 0.15


def add_options(parser: Parser) -> None:
    parser.add_argument("name", metavar=tr("NAME"), nargs="?", help=tr("only this model"))


async def run(core: Core, options: Namespace) -> int:
    async with opened(core, processes=options.json) as stack:
        await look(stack)
        only = locate(stack, options.name, short=True).name if options.name else None
        if options.json:
            output.write_document({"models": await _documents(stack, only)})
        elif loaded := _loaded(stack, only):
            _write(loaded)
        else:
            output.inform(tr("{model} is not loaded.", model=only) if only else tr("No model is loaded."))
    return 0


async def _documents(stack: Stack, only: str | None) -> list[dict[str, object]]:
    if any(_is_overdue(running) for _, running, _ in _loaded(stack, only)):
        # A model that should have left, and is still there at a second look, is held by a request.
        await asyncio.sleep(_SECOND_LOOK_S)
        await stack.look()
    loaded = _loaded(stack, only)
    if loaded:
        await stack.machine.read_once()
    loads = await _loads(stack, loaded)
    return [
        document(
            url,
            running,
            busy=status is not None and status.busy,
            load=loads.get((url, running.name)),
            shares=_others(running, status),
            device=_device_bytes(stack, url, running),
            estimate=None
            if status is None or status.model is None
            else await stack.fit.predicted(url, status.model, running),
        )
        for url, running, status in loaded
    ]


def _loaded(stack: Stack, only: str | None) -> list[_Loaded]:
    """The loaded models, or the one named, each with its host and its status if it is installed."""
    return [
        (host.snapshot.url, running, next((each for each in host.models if each.running is running), None))
        for host in answering(stack)
        for running in host.snapshot.running
        if only is None or same_model(running.name, only)
    ]


def _is_overdue(running: RunningModel) -> bool:
    return (
        running.requests is None and running.expires_at is not None and running.expires_at < datetime.now(UTC)
    )


async def _loads(stack: Stack, loaded: Sequence[_Loaded]) -> Mapping[tuple[str, str], Activation]:
    """The recorded loads by host and name, on servers that do not report when a model was last used."""
    found: dict[tuple[str, str], Activation] = {}
    try:
        for url in {url for url, running, _ in loaded if running.used_at is None}:
            if not stack.records.is_empty:
                loads = await stack.records.loaded(url)
                found |= {(url, each.model): each for each in loads if each.loaded_at is not None}
    except StoreError as error:
        output.say(words(error))
    return found


def _device_bytes(stack: Stack, url: str, running: RunningModel) -> int | None:
    """The model's memory as the devices of this machine report it; None if they do not."""
    machine = stack.state.machine
    return device_bytes(running, machine) if machine is not None and is_loopback(url) else None


def document(
    host: str,
    running: RunningModel,
    *,
    busy: bool = False,
    load: Activation | None = None,
    device: int | None = None,
    estimate: int | None = None,
    shares: Sequence[str] = (),
) -> dict[str, object]:
    """A loaded model as `ps` and `start` write it. Without a sign of activity, ``busy`` is unknown."""
    idle = idle_time(
        running,
        datetime.now(UTC),
        keep_alive=load.keep_alive if load else None,
        loaded_at=load.loaded_at if load else None,
    )
    return {
        "host": host,
        "name": running.name,
        "digest": running.digest or None,
        "state": "active",
        "busy": busy or None if running.requests is None else running.requests > 0,
        "memory": {"server": running.size, "device": device, "estimate": estimate},
        "context_length": running.context_length,
        "expires_at": running.expires_at,
        "idle": None if idle is None or busy else round(idle.total_seconds(), 3),
        "requests": running.requests,
        "size_vram": running.size_vram,
        "shares": shares,
    }


def _others(running: RunningModel, status: ModelStatus | None) -> list[str]:
    """The other installed names that a process answers to."""
    names = (status.name, *status.shares) if status is not None else ()
    return [name for name in names if name != running.name]


def _write(loaded: Sequence[_Loaded]) -> None:
    now = datetime.now(UTC)
    rows = [
        [
            output.mark("active"),
            " = ".join([running.name, *_others(running, status)]),
            bytes_text(running.size),
            _place(running),
            str(running.context_length or "?"),
            until(running.expires_at, now),
        ]
        for _, running, status in loaded
    ]
    heads = ["", tr("NAME"), tr(">MEMORY"), tr("ON"), tr(">CONTEXT?"), tr("UNTIL")]
    output.write_table(heads, rows, [host for host, _, _ in loaded])


def _place(running: RunningModel) -> str:
    if running.size_vram is None or not running.size:
        return "?"
    share = round(100 * min(running.size_vram, running.size) / running.size)
    return "CPU" if share == 0 else "GPU" if share == 100 else tr("{share} % GPU, rest CPU", share=share)


def until(expires_at: datetime | None, now: datetime) -> str:
    """When the server will unload a model. A past time means that a request runs; its end sets a new one."""
    if expires_at is None:
        return "?"
    left = expires_at - now
    if left < timedelta(0):
        return tr("in use")
    if left > ENDLESS:
        return tr("for ever")
    return tr("{time} from now", time=output.clock(int(left.total_seconds())))
