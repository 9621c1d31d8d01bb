"""The headless core: opens and closes the parts below in order, and says what is so and what is under way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from datetime import timedelta
    from pathlib import Path
    from types import TracebackType

    from llmstack_tui.hardware.memory import Memory
    from llmstack_tui.hosts.host import Host
    from llmstack_tui.hosts.types import Chunk, Message, ModelDetails, Progress, Snapshot
    from llmstack_tui.lifecycle.acts import Act, Departure
    from llmstack_tui.lifecycle.states import ModelStatus


@dataclass(frozen=True, slots=True)
class HostState:
    """One host: what it told last, and the state of each of its models."""

    snapshot: Snapshot
    models: tuple[ModelStatus, ...]


@dataclass(frozen=True, slots=True)
class StackState:
    """All that a screen shows, at one moment. ``memory`` is None until it was first read."""

    hosts: tuple[HostState, ...]
    memory: Memory | None = None
    acts: tuple[Act, ...] = ()


class Stack:
    """Watches hosts and acts on them, within ``async with``. It closes the hosts that it is given.

    Every act raises `HostError`, and `Refused` where the stack is read-only or the host cannot do it.

    Args:
        running_every_s: seconds between looks at what is loaded; ``installed_every_s`` at what is installed.
        memory_every_s: seconds between two readings of the machine's memory.
    """

    def __init__(
        self,
        hosts: Sequence[Host],
        *,
        read_only: bool = False,
        running_every_s: float = 2.0,
        installed_every_s: float = 30.0,
        memory_every_s: float = 1.0,
    ) -> None:
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        raise NotImplementedError

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        raise NotImplementedError

    @property
    def read_only(self) -> bool:
        raise NotImplementedError

    @property
    def state(self) -> StackState:
        raise NotImplementedError

    def watch(self) -> AsyncIterator[StackState]:
        """The state now, and then each new one until the stack closes. A slow reader gets only the newest."""
        raise NotImplementedError

    def refresh(self) -> None:
        """Look at every host again, now."""
        raise NotImplementedError

    def set_visible(self, visible: bool) -> None:
        """Nobody looks: look less often; somebody looks again: look at once."""
        raise NotImplementedError

    async def activate(
        self,
        host_url: str,
        model: str,
        *,
        keep_alive: timedelta | None = None,
        context_length: int | None = None,
    ) -> None:
        raise NotImplementedError

    async def deactivate(self, host_url: str, model: str) -> Departure:
        raise NotImplementedError

    async def details(self, host_url: str, model: str) -> ModelDetails:
        raise NotImplementedError

    async def delete(self, host_url: str, model: str) -> None:
        """Remove a model; one that is active is stopped first."""
        raise NotImplementedError

    def import_gguf(self, host_url: str, path: Path, name: str) -> AsyncIterator[Progress]:
        raise NotImplementedError

    def chat(
        self,
        host_url: str,
        model: str,
        messages: Sequence[Message],
        *,
        options: Mapping[str, object] | None = None,
        keep_alive: timedelta | None = None,
    ) -> AsyncIterator[Chunk]:
        raise NotImplementedError
