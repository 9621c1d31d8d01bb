"""The parameters a model was loaded with, so that it can be loaded again in the same way. Pure."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self

import msgspec

from llmstack_tui.base.durations import ENDLESS, FOREVER
from llmstack_tui.base.kinds import Actor
from llmstack_tui.base.names import model_key
from llmstack_tui.lifecycle.actions import because
from llmstack_tui.lifecycle.states import ModelState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llmstack_tui.hosts.types import RunningModel
    from llmstack_tui.lifecycle.states import ModelStatus
    from llmstack_tui.store.tables.activations import Activation

OURS = frozenset({Actor.USER, Actor.CLI, Actor.GUARD})


class LoadRequest(msgspec.Struct, frozen=True):
    """The parameters of a load. None leaves one to the server."""

    keep_alive_s: float | None = None
    context_length: int | None = None

    @property
    def keep_alive(self) -> timedelta | None:
        return None if self.keep_alive_s is None else timedelta(seconds=self.keep_alive_s)

    def encode(self) -> str:
        return msgspec.json.encode(self).decode()

    @classmethod
    def decode(cls, text: str | None) -> Self | None:
        """Parse the JSON of `encode`; None if ``text`` is None or malformed."""
        with suppress(msgspec.MsgspecError):
            return None if text is None else msgspec.json.decode(text, type=cls)
        return None


def load_request(running: RunningModel, loads: Iterable[Activation], now: datetime) -> LoadRequest:
    """The parameters with which a model was loaded, as far as they are recorded.

    The context length that the server reports may differ from the requested one. It is never sent back, as
    that would reload the model for every other client.

    Args:
        loads: the recorded loads of this model, the newest first.
    """
    last = next(iter(loads), None)
    request = LoadRequest()
    if (
        last is not None
        and last.ended_at is None
        and last.asked_by in OURS
        and last.reason != because("chat")
    ):
        keep_alive_s = None if last.keep_alive is None else last.keep_alive.total_seconds()
        request = LoadRequest(keep_alive_s, last.context_length)
    if running.expires_at is not None and running.expires_at - now > ENDLESS:
        return LoadRequest(FOREVER.total_seconds(), request.context_length)
    return request


def repeatable(status: ModelStatus, loads: Iterable[Activation]) -> Activation | None:
    """Our load of an idle model, if repeating it would change nothing but the keep-alive.

    None if the model is not loaded, is busy, was loaded by another program, or was reloaded with another
    context length.
    """
    return None if status.busy else own_load(status, loads)


def own_load(status: ModelStatus, loads: Iterable[Activation]) -> Activation | None:
    """Our load of a model as it is loaded now; None if another program loaded it, or loaded it anew."""
    running = status.running
    if running is None or status.state is not ModelState.ACTIVE:
        return None
    keys = {model_key(status.name), model_key(running.name)}
    load = next((each for each in loads if model_key(each.model) in keys), None)
    if load is None or load.asked_by not in OURS:
        return None
    return load if load.context_length in (None, running.context_length) else None
