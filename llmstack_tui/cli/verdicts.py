"""What is known of newer versions, for commands: as it was learnt last, or asked for now."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from llmstack_tui.cli import output
from llmstack_tui.cli.servers import state_file

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from llmstack_tui.cli.options import Invocation
    from llmstack_tui.hosts.host import Host
    from llmstack_tui.hosts.types import Snapshot
    from llmstack_tui.updates.check import Update
    from llmstack_tui.updates.checker import Checker

_NONE: dict[str, object] = {"state": "unknown", "changed": [], "download": None, "checked_at": None}


@asynccontextmanager
async def checker(
    call: Invocation, hosts: Sequence[Host], snapshots: Sequence[Snapshot]
) -> AsyncIterator[Checker]:
    """One that has seen these lists, and knows what earlier sessions learnt."""
    import asyncio

    from llmstack_tui.store.errors import StoreError
    from llmstack_tui.store.store import Store
    from llmstack_tui.updates.checker import Checker
    from llmstack_tui.updates.disk import model_folders

    by_url = {host.url: host for host in hosts}
    folders = await asyncio.to_thread(model_folders, call.environ)
    async with await Store.open(state_file(), on_notice=output.say) as store:
        found = Checker(
            show=lambda url, model: by_url[url].show(model), folders=folders, keep=lambda write: write(store)
        )
        try:
            try:
                await found.recall(store)
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
) -> Mapping[str, Mapping[str, Update]]:
    """The verdicts by host and name, without asking any registry; none where nothing was ever learnt."""
    path = state_file()
    if path is None or not path.exists():
        return {}
    async with checker(call, hosts, snapshots) as known:
        await known.renew()
        return {snapshot.url: known.updates(snapshot.url) for snapshot in snapshots}


def document(update: Update | None, *, is_cloud: bool = False) -> dict[str, object]:
    """A verdict as scripts get it; without one, what can be told all the same."""
    if update is None:
        return _NONE | ({"state": "cloud"} if is_cloud else {})
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
        "reason": update.reason or None,
        "problem": update.problem or None,
    }
