"""What is drawn: the state of everything at one moment, and what the keys are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from llmstack_tui.base.kinds import Capability
    from llmstack_tui.core.state import HostState, StackState
    from llmstack_tui.lifecycle.states import ModelStatus

Key = tuple[str, str]
"""A model on the screen: the URL of its host, and its name there. An empty name means the host itself."""


class Moment(Struct, frozen=True):
    """The moment of drawing: the user's clock for times from a server, monotonic seconds for our own."""

    now: datetime
    monotonic_s: float


class View(Struct, frozen=True):
    """All there is to draw: the state (None until a server is found), and the moment of drawing.

    ``keys`` maps the id of each binding to its key, or to the first one of several.
    """

    state: StackState | None
    moment: Moment
    keys: Mapping[str, str]

    def models(self) -> Iterator[ModelStatus]:
        for host in self.state.hosts if self.state else ():
            yield from host.models

    def host(self, url: str) -> HostState | None:
        hosts = self.state.hosts if self.state else ()
        return next((host for host in hosts if host.snapshot.url == url), None)

    def model(self, key: Key) -> ModelStatus | None:
        url, name = key
        host = self.host(url)
        return next((model for model in host.models if model.name == name), None) if host else None

    def unable(self, url: str, act: Capability) -> str:
        """Why a host cannot do this, in a sentence; "" if it can, or has not answered yet."""
        from llmstack_tui.core.wording import words
        from llmstack_tui.hosts.errors import cannot

        snapshot = host.snapshot if (host := self.host(url)) else None
        if snapshot is None or snapshot.server is None or act in snapshot.capabilities:
            return ""
        return words(cannot(act, host=url, server=snapshot.server.server))
