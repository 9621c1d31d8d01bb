"""Removing a model from the disk: the one way to do it, for the dashboard and the commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.names import model_key
from llmstack_tui.base.text import excerpt
from llmstack_tui.hosts.errors import HostError, Refused
from llmstack_tui.lifecycle.actions import REMOVAL, Departure
from llmstack_tui.lifecycle.states import Loaded

if TYPE_CHECKING:
    from llmstack_tui.hosts.host import Host
    from llmstack_tui.lifecycle.worker import Lifecycle


async def remove(lifecycle: Lifecycle, host: Host, model: str) -> None:
    """Remove a model. If nothing could stop it afterwards, it is stopped first.

    Raises:
        Refused: it still answers a request, and was not removed.
        HostError: the server will not or cannot.
    """
    if await _is_last_name(host, model) and await _stop(lifecycle, host, model) is not Departure.GONE:
        raise Refused(
            f"{excerpt(model)} still answers a request and was not removed.",
            host=host.url,
            hint="Remove it when the request has ended.",
        )
    await host.delete(model)


async def _stop(lifecycle: Lifecycle, host: Host, model: str) -> Departure:
    try:
        return await lifecycle.deactivate(host, model, reason=REMOVAL)
    except HostError as error:
        said = f"It could not be stopped first. {error.args[0]}"
        raise type(error)(said, host=error.host, detail=error.detail, hint=error.hint) from error


async def _is_last_name(host: Host, model: str) -> bool:
    """Whether it is in memory, and no other installed name could stop it there."""
    installed = await host.installed()
    loaded, key = Loaded(await host.running()), model_key(model)
    found = {model_key(each.name): loaded.find(each.name, each.digest) for each in installed}
    mine = found.pop(key, None)
    return mine is not None and not any(other is mine for other in found.values())
