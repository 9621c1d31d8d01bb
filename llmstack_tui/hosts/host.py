"""The interface of every kind of server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence
    from datetime import timedelta
    from pathlib import Path

    from llmstack_tui.base.kinds import Capability, ServerKind
    from llmstack_tui.hosts.transport import Transport
    from llmstack_tui.hosts.types import (
        Chunk,
        Message,
        Model,
        ModelDetails,
        ModelParts,
        Progress,
        RunningModel,
        ServerVersion,
    )


class Host(Protocol):
    """A server of models. Every call raises `HostError` and nothing else; cancelling closes its connection.

    ``keep_alive`` is how long a model stays loaded after its last request; a negative one is for ever, None
    leaves it to the server. A call for which ``capabilities`` has no flag raises `Refused`.
    """

    @property
    def url(self) -> str: ...

    @property
    def capabilities(self) -> Capability: ...

    @property
    def server(self) -> ServerKind:
        """The program, as far as its protocol tells: our own engine counts as Ollama."""

    @property
    def transport(self) -> Transport:
        """The connections to it, for what else speaks its protocol."""

    @property
    def left_out(self) -> int:
        """How many more models the server listed than `installed` returned last."""

    async def version(self) -> ServerVersion: ...

    async def installed(self) -> tuple[Model, ...]: ...

    async def running(self) -> tuple[RunningModel, ...]: ...

    async def show(self, name: str) -> ModelDetails: ...

    async def load(
        self, name: str, *, keep_alive: timedelta | None = None, context_length: int | None = None
    ) -> None:
        """Load a model of any capability, and return when it is ready to answer."""

    async def unload(self, name: str) -> None:
        """Ask a model to leave. Returns at once; a running request is never cut off.

        A server that would cut it off is not asked while it is seen to run: `Refused`.
        """

    def chat(
        self,
        name: str,
        messages: Sequence[Message],
        *,
        options: Mapping[str, object] | None = None,
        keep_alive: timedelta | None = None,
    ) -> AsyncGenerator[Chunk, None]: ...

    def generate(
        self,
        name: str,
        prompt: str,
        *,
        options: Mapping[str, object] | None = None,
        keep_alive: timedelta | None = None,
    ) -> AsyncGenerator[Chunk, None]: ...

    async def embed(self, name: str, texts: Sequence[str]) -> tuple[tuple[float, ...], ...]: ...

    def pull(self, name: str) -> AsyncGenerator[Progress, None]: ...

    async def discard(self, digests: Sequence[str]) -> bool:
        """Delete the unfinished downloads of these blobs; False if the server cannot do it."""

    def create(
        self,
        name: str,
        *,
        base: str,
        system: str | None = None,
        parameters: Mapping[str, object] | None = None,
    ) -> AsyncGenerator[Progress, None]:
        """Make a model from an installed one."""

    def import_gguf(self, path: Path, name: str) -> AsyncGenerator[Progress, None]:
        """Make a model from a GGUF file of this machine. The file itself is never moved or changed."""

    def receive(self, name: str, parts: ModelParts) -> AsyncGenerator[Progress, None]:
        """Make a model from files of this machine. Those that the server has already are not sent."""

    async def copy(self, source: str, destination: str) -> None: ...

    async def delete(self, name: str) -> None: ...

    async def aclose(self) -> None: ...
