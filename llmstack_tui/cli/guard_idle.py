"""``llmstack guard idle``: how long one model may be idle before it is stopped."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from llmstack_tui.cli import output
from llmstack_tui.cli.options import duration

if TYPE_CHECKING:
    from llmstack_tui.base.sentences import Sentence
    from llmstack_tui.cli.options import Invocation, Parser


def add_arguments(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME", help="a model, as `llmstack ls` lists it")
    parser.add_argument(
        "length",
        metavar="D",
        type=_length,
        help="how long it may be idle: 90s, 10m, 1h30m; 0 for ever; auto as the settings say",
    )


def _length(text: str) -> timedelta | None:
    return None if text == "auto" else duration(text)


def run(call: Invocation) -> int:
    import asyncio

    return asyncio.run(_set(call))


async def _set(call: Invocation) -> int:
    from llmstack_tui.base.names import model_key
    from llmstack_tui.cli.servers import acting, connect, locate, refuse_if_cloud, refuse_if_read_only
    from llmstack_tui.core.wording import text
    from llmstack_tui.guard.rules.limits import idle_limit, times
    from llmstack_tui.lifecycle.changes import EventKind

    refuse_if_read_only(call)
    length: timedelta | None = call.options.length
    async with connect(call, act=True) as hosts, acting() as acts:
        located = await locate(hosts, call.options.name)
        refuse_if_cloud(located)
        url, name, key = located.host.url, located.name, model_key(located.name)
        acts.store.preferences.may_idle(url, key, name, length)
        wish = (await acts.store.preferences.of(url)).get(key)
        guard = call.settings.guard
        now = idle_limit(guard, key, wish, times(guard))
        sentence = _sentence(name, now, as_set=length is None)
        acts.journal.event(EventKind.GUARD, sentence, host=url, model=name)
    if call.json:
        seconds = now.total_seconds() if now > timedelta(0) else None
        output.write_document({"models": [{"host": url, "name": name, "idle_stop": seconds}]})
    else:
        output.write(text(sentence))
    return 0


def _sentence(model: str, length: timedelta, *, as_set: bool) -> Sentence:
    from llmstack_tui.base.sentences import Sentence

    seconds, by = length.total_seconds(), "_as_set" if as_set else ""
    if seconds <= 0:
        return Sentence(f"guard.may_idle_for_ever{by}", {"model": model})
    return Sentence(f"guard.may_idle{by}", {"model": model, "idle_s": seconds})
