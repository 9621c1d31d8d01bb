"""The only caller of load and unload."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import timedelta

    from llmstack_tui.hosts.host import Host
    from llmstack_tui.hosts.types import Snapshot
    from llmstack_tui.lifecycle.acts import Act, Departure


class Lifecycle:
    """Loads and unloads models: one act at a time per host and model, and nothing is forced.

    Args:
        on_change: called after every change of `acts`.
        settle: awaited when an act is done and before it leaves `acts`; here the owner reads the host again,
            so that no state between "loading" and "active" is shown.
    """

    def __init__(
        self,
        *,
        on_change: Callable[[], None] = lambda: None,
        settle: Callable[[Host], Awaitable[None]] | None = None,
    ) -> None:
        raise NotImplementedError

    @property
    def acts(self) -> tuple[Act, ...]:
        """The acts under way, oldest first; a stop stays until its model has left or is known to be kept."""
        raise NotImplementedError

    async def activate(
        self,
        host: Host,
        model: str,
        *,
        keep_alive: timedelta | None = None,
        context_length: int | None = None,
    ) -> None:
        """Load a model and return when it can answer.

        Cancelling this closes the request and asks the model to leave again.

        Raises:
            Interrupted: when a stop of the same model is asked for meanwhile.
            HostError: when the server will not or cannot.
        """
        raise NotImplementedError

    async def deactivate(self, host: Host, model: str) -> Departure:
        """Ask a model to leave, and wait a while until it has left. A running request is never cut."""
        raise NotImplementedError

    def observe(self, snapshot: Snapshot) -> None:
        """Take note of a host's newest snapshot: a stop ends when its model has left or is kept."""
        raise NotImplementedError

    async def aclose(self) -> None:
        """End what is under way in the background."""
        raise NotImplementedError
