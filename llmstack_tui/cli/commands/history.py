"""``llmstack history``: when a model was loaded, by whom and why, and how that ended."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from llmstack_tui.cli import output
from llmstack_tui.cli.options import add_command, count

if TYPE_CHECKING:
    from llmstack_tui.cli.options import Commands, Invocation
    from llmstack_tui.store.tables.activations import Activation

_WHO = {
    "user": "the dashboard",
    "cli": "the command line",
    "guard": "the guard",
    "client": "another program",
    "unknown": "?",
}
_ENDS = {
    "failed": "was not loaded",
    "cancelled": "was cancelled",
    "stopped": "was stopped",
    "left": "left",
    "unnoticed": "left unnoticed",
    "replaced": "was loaded anew",
    "unknown": "?",
}


def add_parser(commands: Commands) -> None:
    parser = add_command(commands, "history", run, "Show when a model was loaded, and how that ended.")
    parser.add_argument("name", metavar="NAME", help="a model, also one that was removed")
    parser.add_argument("--limit", metavar="N", type=count, default=20, help="the newest N (default: 20)")


def run(call: Invocation) -> int:
    import asyncio

    return asyncio.run(_history(call))


async def _history(call: Invocation) -> int:
    from llmstack_tui.cli.servers import find_urls, state_file
    from llmstack_tui.store.errors import StoreError
    from llmstack_tui.store.store import Store

    name, path = call.options.name, state_file()
    loads: list[Activation] = []
    if path is not None and path.exists():
        urls = await find_urls(call)
        try:
            async with await Store.open(path, on_notice=output.say) as store:
                for url in urls:
                    for each in _ways_to_write(name):
                        loads += await store.activations.history(url, each, call.options.limit)
        except StoreError as error:
            raise output.Failed(str(error)) from None
    loads = sorted(loads, key=lambda each: each.id, reverse=True)[: call.options.limit]
    if call.json:
        output.write_document({"loads": [_document(each) for each in loads]})
    elif loads:
        output.write_table(*_table(loads))
    else:
        output.say(f"Nothing is on record of {name}: it was not loaded while llmstack looked on.")
    return 0


def _ways_to_write(name: str) -> tuple[str, ...]:
    """As the record may have it: with its tag, and as somebody asked for it without."""
    from llmstack_tui.base.names import InvalidName, ModelName

    try:
        short = ModelName.parse(name).short
    except InvalidName:
        return (name,)
    return tuple(dict.fromkeys((short, short.removesuffix(":latest"), name)))


def _document(load: Activation) -> dict[str, object]:
    return {
        "host": load.host,
        "name": load.model,
        "digest": load.digest or None,
        "asked_by": load.asked_by.value,
        "reason": load.reason or None,
        "context_length": load.context_length,
        "keep_alive": None if load.keep_alive is None else load.keep_alive.total_seconds(),
        "started_at": output.iso(load.started_at),
        "loaded_at": output.iso(load.loaded_at),
        "ended_at": output.iso(load.ended_at),
        "outcome": load.outcome.value if load.outcome else None,
        "ended_by": load.ended_by.value if load.ended_by else None,
        "end_reason": load.end_reason or None,
    }


def _table(loads: list[Activation]) -> tuple[list[str], list[list[str]]]:
    several = len({each.host for each in loads}) > 1
    heads = ["STARTED", "ASKED BY", ">FOR", "END", "REASON", *(["HOST"] if several else [])]
    return heads, [
        [
            f"{each.started_at.astimezone():%Y-%m-%d %H:%M:%S}",
            _WHO[each.asked_by.value],
            _lasted(each),
            _end(each),
            each.end_reason or each.reason or "-",
            *([each.host] if several else []),
        ]
        for each in loads
    ]


def _lasted(load: Activation) -> str:
    if load.loaded_at is None:
        return "-"
    seconds = max(int(((load.ended_at or datetime.now(UTC)) - load.loaded_at).total_seconds()), 0)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def _end(load: Activation) -> str:
    if load.outcome is None:
        return "is loaded" if load.loaded_at else "is being loaded"
    by = f" by {_WHO[load.ended_by.value]}" if load.ended_by is not None else ""
    return f"{_ENDS[load.outcome.value]}{by}"
