"""How a model was activated, so that it can be started again in the same way."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Self

import msgspec

from llmstack_tui.base.durations import ENDLESS, FOREVER
from llmstack_tui.base.kinds import Actor
from llmstack_tui.lifecycle.actions import because
from llmstack_tui.store.errors import StoreError

if TYPE_CHECKING:
    from llmstack_tui.hosts.types import RunningModel
    from llmstack_tui.store.store import Store


class AsItWas(msgspec.Struct, frozen=True):
    """``None`` leaves it to the server, as whoever activated it did."""

    keep_alive_s: float | None = None
    context_length: int | None = None

    @property
    def keep_alive(self) -> timedelta | None:
        return None if self.keep_alive_s is None else timedelta(seconds=self.keep_alive_s)

    def encode(self) -> str:
        return msgspec.json.encode(self).decode()

    @classmethod
    def decode(cls, text: str | None) -> Self | None:
        """None, too, where it is not understood."""
        with suppress(msgspec.MsgspecError):
            return None if text is None else msgspec.json.decode(text, type=cls)
        return None


async def how_it_was(store: Store, host: str, model: str, running: RunningModel) -> AsItWas:
    """What was asked for when it was loaded, as far as anybody knows.

    The context that a server tells is not that which was asked for, so it is never sent back: it would load
    the model anew for every other client.
    """
    keep_alive, context_length = None, None
    with suppress(StoreError):
        for load in await store.activations.history(host, model, 1):
            if load.ended_at is None and load.asked_by is not Actor.CLIENT and load.reason != because("chat"):
                keep_alive, context_length = load.keep_alive, load.context_length
    if running.expires_at is not None and running.expires_at - datetime.now(UTC) > ENDLESS:
        keep_alive = FOREVER
    return AsItWas(None if keep_alive is None else keep_alive.total_seconds(), context_length)
