"""What is known of newer versions, for commands: as it was learnt last, or asked for now."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from llmstack_tui.cli import output
from llmstack_tui.cli.servers import state_file

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

    from llmstack_tui.cli.options import Invocation
    from llmstack_tui.hosts.host import Host
    from llmstack_tui.hosts.types import Snapshot
    from llmstack_tui.store.store import Store
    from llmstack_tui.updates.checker import Checker
    from llmstack_tui.updates.rules import Update

_NONE: dict[str, object] = {"state": "unknown", "changed": [], "download": None, "checked_at": None}


@asynccontextmanager
async def checker(
    call: Invocation,
    hosts: Sequence[Host],
    snapshots: Sequence[Snapshot],
    also: Callable[[Store], Awaitable[None]] | None = None,
) -> AsyncIterator[Checker]:
    """One that has seen these lists, and knows what earlier sessions learnt.

    Args:
        also: what else to do with the store, which is opened for this.
    """
    import asyncio

    from llmstack_tui.library.folders import model_folders
    from llmstack_tui.store.errors import StoreError
    from llmstack_tui.store.store import Store
    from llmstack_tui.updates.checker import Checker

    by_url = {host.url: host for host in hosts}
    folders = await asyncio.to_thread(model_folders, call.environ)
    async with await Store.open(state_file(), on_notice=output.say) as store:
        found = Checker(
            show=lambda url, model: by_url[url].show(model), folders=folders, keep=lambda write: write(store)
        )
        try:
            try:
                await found.recall(store)
                if also is not None:
                    await also(store)
            except StoreError as error:
                output.say(str(error))
            for snapshot in snapshots:
                server = snapshot.server
                found.look(snapshot.url, snapshot.installed, server.kind if server else None)
            yield found
        finally:
            await found.aclose()


async def remembered(
    call: Invocation, hosts: Sequence[Host], snapshots: Sequence[Snapshot]
) -> tuple[Mapping[str, Mapping[str, Update]], Mapping[str, frozenset[str]]]:
    """The verdicts by host and name, without asking any registry; and by host the keys of pinned models.

    None where nothing was ever remembered.
    """
    path = state_file()
    if path is None or not path.exists():
        return {}, {}
    pins: dict[str, frozenset[str]] = {}

    async def read_pins(store: Store) -> None:
        for snapshot in snapshots:
            wishes = await store.preferences.of(snapshot.url)
            pins[snapshot.url] = frozenset(key for key, wish in wishes.items() if wish.pinned)

    async with checker(call, hosts, snapshots, read_pins) as known:
        await known.renew()
        return {snapshot.url: known.updates(snapshot.url) for snapshot in snapshots}, pins


def document(update: Update | None, *, is_cloud: bool = False) -> dict[str, object]:
    """A verdict as scripts get it; without one, what can be told all the same."""
    if update is None:
        return _NONE | ({"state": "cloud"} if is_cloud else {})
    from llmstack_tui.core.wording import text

    return {
        "state": update.state.value,
        "changed": [change.value for change in update.changed],
        "download": update.download,
        "checked_at": output.iso(update.checked_at),
        "at_most": update.at_most,
        "changed_here": update.changed_here,
        "left_alone": update.left_alone.value if update.left_alone else None,
        "digest": update.digest,
        "pushed_at": output.iso(update.pushed_at),
        "reason": text(*update.reason) or None,
        "problem": update.problem or None,
    }
