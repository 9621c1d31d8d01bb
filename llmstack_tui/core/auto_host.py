"""A host whose program shows when it answers.

The order of asking: ``/api/version``, which Ollama and the built-in engine answer; then ``/v1/models``, whose
form tells the others. So a server that is away at the start, or that was replaced by another program while it
was away, is what it is once it answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base import lazy
from llmstack_tui.hosts.errors import BadStream, HostError, NotFound, Unreachable
from llmstack_tui.ollama.client import OllamaHost

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence
    from datetime import timedelta
    from pathlib import Path

    from llmstack_tui.base.kinds import Capability, ServerKind
    from llmstack_tui.base.secret import Secret
    from llmstack_tui.hosts.host import Host
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


class AutoHost:
    """The server at ``url``. Until it has answered `version`, it counts as an Ollama.

    Args:
        key: the key that the server asks for.
    """

    def __init__(self, url: str, *, key: Secret | None = None) -> None:
        self._key = key
        self._is_known = False
        self._host: Host = OllamaHost(url, key=key)

    async def version(self) -> ServerVersion:
        """The version; first of all, or after a failure, this finds out which program it is."""
        try:
            return await (self._host.version() if self._is_known else self._recognized())
        except HostError:
            self._is_known = False
            raise

    async def _recognized(self) -> ServerVersion:
        """Find out which program it is. The client of the same one stays: its requests under way go on."""
        host: Host = self._host if isinstance(self._host, OllamaHost) else OllamaHost(self.url, key=self._key)
        clients: list[Host] = [self._host, host]
        try:
            try:
                version = await host.version()
            except Unreachable:
                raise
            except HostError as not_ollama:
                host = await self._other(not_ollama)
                clients.append(host)
                if type(host) is type(self._host):
                    host = self._host
                version = await host.version()
            self._host, self._is_known = host, True
        finally:
            for each in clients:
                if each is not self._host:
                    await each.aclose()
        return version

    async def _other(self, not_ollama: HostError) -> Host:
        await lazy.load(".openai.servers")
        from llmstack_tui.openai.servers import recognized  # noqa: PLC0415 (only if there is one)

        try:
            return await recognized(self.url, key=self._key)
        except NotFound:
            raise BadStream("host.is_none", host=self.url, detail=not_ollama.detail) from None

    # --- what the program does ---

    @property
    def url(self) -> str:
        return self._host.url

    @property
    def capabilities(self) -> Capability:
        return self._host.capabilities

    @property
    def server(self) -> ServerKind:
        return self._host.server

    @property
    def transport(self) -> Transport:
        return self._host.transport

    @property
    def left_out(self) -> int:
        return self._host.left_out

    async def installed(self) -> tuple[Model, ...]:
        return await self._host.installed()

    async def running(self) -> tuple[RunningModel, ...]:
        return await self._host.running()

    async def show(self, name: str) -> ModelDetails:
        return await self._host.show(name)

    async def load(
        self, name: str, *, keep_alive: timedelta | None = None, context_length: int | None = None
    ) -> None:
        await self._host.load(name, keep_alive=keep_alive, context_length=context_length)

    async def unload(self, name: str) -> None:
        await self._host.unload(name)

    def chat(
        self,
        name: str,
        messages: Sequence[Message],
        *,
        options: Mapping[str, object] | None = None,
        keep_alive: timedelta | None = None,
    ) -> AsyncGenerator[Chunk, None]:
        return self._host.chat(name, messages, options=options, keep_alive=keep_alive)

    def generate(
        self,
        name: str,
        prompt: str,
        *,
        options: Mapping[str, object] | None = None,
        keep_alive: timedelta | None = None,
    ) -> AsyncGenerator[Chunk, None]:
        return self._host.generate(name, prompt, options=options, keep_alive=keep_alive)

    async def embed(self, name: str, texts: Sequence[str]) -> tuple[tuple[float, ...], ...]:
        return await self._host.embed(name, texts)

    def pull(self, name: str) -> AsyncGenerator[Progress, None]:
        return self._host.pull(name)

    async def discard(self, digests: Sequence[str]) -> bool:
        return await self._host.discard(digests)

    def create(
        self,
        name: str,
        *,
        base: str,
        system: str | None = None,
        parameters: Mapping[str, object] | None = None,
    ) -> AsyncGenerator[Progress, None]:
        return self._host.create(name, base=base, system=system, parameters=parameters)

    def import_gguf(self, path: Path, name: str) -> AsyncGenerator[Progress, None]:
        return self._host.import_gguf(path, name)

    def receive(self, name: str, parts: ModelParts) -> AsyncGenerator[Progress, None]:
        return self._host.receive(name, parts)

    async def copy(self, source: str, destination: str) -> None:
        await self._host.copy(source, destination)

    async def delete(self, name: str) -> None:
        await self._host.delete(name)

    async def aclose(self) -> None:
        await self._host.aclose()
