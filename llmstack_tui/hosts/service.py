"""The base class of the core's services, which run and hear of snapshots, readings and events."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmstack_tui.hardware.profile import Profile
    from llmstack_tui.hardware.readings import MachineReading
    from llmstack_tui.hosts.types import Snapshot


class Service:
    """A part of the core. Each hook is called on the event loop, and must return at once."""

    async def run(self) -> None:
        """Work until cancelled. A service that ends by itself has nothing more to do."""

    def on_snapshot(self, snapshot: Snapshot) -> None:
        """A host was polled, or a poll failed."""

    def on_reading(self, reading: MachineReading, profile: Profile) -> None:
        """The machine was read; ``profile`` is worked out from the first reading."""

    def on_event(self, event_id: int) -> None:
        """The store has events up to this id, from this program or from others."""

    async def aclose(self) -> None:
        """Close what is open. Called once, after `run` was cancelled or instead of it."""
