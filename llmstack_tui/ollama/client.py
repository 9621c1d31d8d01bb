"""A host that speaks Ollama's protocol: a real Ollama, or the built-in engine."""

from __future__ import annotations

import asyncio
import re
from contextlib import aclosing
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from llmstack_tui.base.address import is_loopback
from llmstack_tui.base.durations import format_go_duration
from llmstack_tui.base.kinds import Capability, HostKind, ServerKind
from llmstack_tui.base.names import InvalidName, ModelName, is_plain_http
from llmstack_tui.base.sentences import QUOTED, said
from llmstack_tui.gguf.source import InvalidGGUF
from llmstack_tui.hosts.decoding import Wire
from llmstack_tui.hosts.errors import BadStream, HostError, Refused, Unreachable
from llmstack_tui.hosts.transport import Timeouts, Transport, own_agent
from llmstack_tui.ollama import answers, wire
from llmstack_tui.ollama.sharing import SharedProcesses

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
    from pathlib import Path

    import httpx

    from llmstack_tui.base.secret import Secret
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

Answer = TypeVar("Answer", bound=Wire)
Value = TypeVar("Value")

# Ollama wants a name for each file of a model, and forgets it.
# An idle server answers in a millisecond; one that loads a model on a busy machine may take a while.
_PATIENCE = Timeouts(connect_s=2.0, short_s=3.0)
_FILE_NAME = "model.gguf"
_SUCCESS = "success"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class OllamaHost:
    """The server at ``url``, a base URL as `parse_host` makes it.

    A stream that is not read to its end has to be closed (`contextlib.aclosing`).

    Args:
        key: the key that the server asks for.
        transport: replaces the network.
    """

    def __init__(
        self,
        url: str,
        *,
        user_agent: str | None = None,
        timeouts: Timeouts | None = None,
        key: Secret | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._timeouts = timeouts or Timeouts()
        self._http = Transport(
            url,
            user_agent=user_agent or own_agent(),
            timeouts=self._timeouts,
            key=key,
            not_it="host.is_it_ollama",
            transport=transport,
        )
        self._kind: HostKind | None = None
        self.left_out = 0
        self._sharing = SharedProcesses(self.show)

    @property
    def url(self) -> str:
        return self._http.url

    @property
    def transport(self) -> Transport:
        return self._http

    @property
    def capabilities(self) -> Capability:
        """The capabilities of Ollama's protocol, all of which the built-in engine has, too."""
        return ~Capability(0)

    @property
    def server(self) -> ServerKind:
        return ServerKind.OLLAMA

    async def aclose(self) -> None:
        await self._http.aclose()

    # --- queries ---

    async def version(self) -> ServerVersion:
        version = await self._ask("/api/version", wire.VersionResponse, answers.server_version)
        self._kind = version.kind
        return version

    async def installed(self) -> tuple[Model, ...]:
        models, self.left_out = await self._ask("/api/tags", wire.ListResponse, answers.installed)
        self._sharing.installed = models
        return models

    async def running(self) -> tuple[RunningModel, ...]:
        running = await self._ask("/api/ps", wire.ProcessResponse, answers.running)
        return await self._sharing.with_shared(running)

    async def show(self, name: str) -> ModelDetails:
        request = wire.ShowRequest(model=name)
        read = partial(answers.details, name)
        details = await self._post("/api/show", request, wire.ShowResponse, read, about=name)
        self._sharing.learn(details)
        return details

    # --- loading and unloading ---

    async def load(
        self, name: str, *, keep_alive: timedelta | None = None, context_length: int | None = None
    ) -> None:
        capabilities = (await self.show(name)).capabilities or frozenset()
        # Options other than those of a loaded model reload it: send only one that was asked for.
        options: dict[str, object] | None = {"num_ctx": context_length} if context_length else None
        keep, limit_s = _keep_alive(keep_alive), self._timeouts.load_s
        if "embedding" in capabilities and "completion" not in capabilities:
            embed = wire.WireEmbedRequest(model=name, keep_alive=keep, options=options)
            kind, read = wire.EmbedResponse, answers.embedded
            await self._post("/api/embed", embed, kind, read, about=name, limit_s=limit_s)
        else:
            await self._generate_empty(name, keep, options, limit_s)

    async def unload(self, name: str) -> None:
        await self._generate_empty(name, 0, None, self._timeouts.call_s)

    # --- inference ---

    def chat(
        self,
        name: str,
        messages: Sequence[Message],
        *,
        options: Mapping[str, object] | None = None,
        keep_alive: timedelta | None = None,
    ) -> AsyncGenerator[Chunk, None]:
        request = wire.WireChatRequest(
            model=name,
            messages=[wire.WireMessage(role=message.role, content=message.content) for message in messages],
            options=dict(options) if options else None,
            keep_alive=_keep_alive(keep_alive),
        )
        lines = self._http.lines("/api/chat", request, wire.ChatResponse, answers.chatted, missing=name)
        return self._until(lines, lambda chunk: chunk.done)

    def generate(
        self,
        name: str,
        prompt: str,
        *,
        options: Mapping[str, object] | None = None,
        keep_alive: timedelta | None = None,
    ) -> AsyncGenerator[Chunk, None]:
        request = wire.GenerateRequest(
            model=name,
            prompt=prompt,
            options=dict(options) if options else None,
            keep_alive=_keep_alive(keep_alive),
        )
        kind, read = wire.GenerateResponse, answers.generated
        lines = self._http.lines("/api/generate", request, kind, read, missing=name)
        return self._until(lines, lambda chunk: chunk.done)

    async def embed(self, name: str, texts: Sequence[str]) -> tuple[tuple[float, ...], ...]:
        request = wire.WireEmbedRequest(model=name, input=list(texts))
        kind, limit_s = wire.EmbedResponse, self._timeouts.load_s
        return await self._post("/api/embed", request, kind, answers.embedded, about=name, limit_s=limit_s)

    # --- changes of what is installed ---

    def pull(self, name: str) -> AsyncGenerator[Progress, None]:
        request = wire.PullRequest(model=name, insecure=True if _is_plain_http(name) else None)
        return self._progress("/api/pull", request, name)

    async def discard(self, digests: Sequence[str]) -> bool:
        kind = self._kind or (await self.version()).kind
        if kind is not HostKind.BUILTIN:
            return False
        for digest in filter(_DIGEST.fullmatch, digests):
            await self._http.done("DELETE", f"/api/blobs/{digest}", None, limit_s=self._timeouts.call_s)
        return True

    def create(
        self,
        name: str,
        *,
        base: str,
        system: str | None = None,
        parameters: Mapping[str, object] | None = None,
    ) -> AsyncGenerator[Progress, None]:
        request = wire.CreateRequest(
            model=name, from_=base, system=system, parameters=dict(parameters) if parameters else None
        )
        # A missing base is pulled first, with a line of success that is not the last line.
        return self._progress("/api/create", request, base, more=True)

    async def import_gguf(self, path: Path, name: str) -> AsyncGenerator[Progress, None]:
        from llmstack_tui.ollama.blobs import checked_gguf  # noqa: PLC0415

        kind = self._kind or (await self.version()).kind
        # The engine of this machine reads the file itself.
        is_here = kind is HostKind.BUILTIN and is_loopback(self.url)
        steps = self._import_by_path if is_here else self._import_by_blob
        try:
            path = await asyncio.to_thread(checked_gguf, path)
            async with aclosing(steps(path, name)) as lines:
                async for line in lines:
                    yield line
        except InvalidGGUF as error:
            raise Refused(QUOTED, text=said(error), host=self.url) from None
        except OSError as error:
            raise Refused("host.unreadable_file", file=str(path), why=error.strerror, host=self.url) from None

    async def receive(self, name: str, parts: ModelParts) -> AsyncGenerator[Progress, None]:
        from llmstack_tui.ollama.blobs import create_request, send_blobs  # noqa: PLC0415

        try:
            async with aclosing(send_blobs(self._http, (*parts.files, *parts.adapters))) as steps:
                async for step in steps:
                    yield step
        except OSError as error:
            file = str(error.filename or "")
            raise Refused("host.unreadable_file", file=file, why=error.strerror, host=self.url) from None
        async with aclosing(self._progress("/api/create", create_request(name, parts), name)) as steps:
            async for step in steps:
                yield step

    async def copy(self, source: str, destination: str) -> None:
        request = wire.CopyRequest(source=source, destination=destination)
        # The built-in engine may have to copy the whole model from another folder.
        limit_s = self._timeouts.load_s
        await self._http.done("POST", "/api/copy", request, limit_s=limit_s, missing=source)

    async def delete(self, name: str) -> None:
        request = wire.DeleteRequest(model=name)
        limit_s = self._timeouts.call_s
        await self._http.done("DELETE", "/api/delete", request, limit_s=limit_s, missing=name)

    # --- parts of the above ---

    async def _ask(self, path: str, kind: type[Answer], read: Callable[[Answer], Value]) -> Value:
        return await self._http.document("GET", path, None, kind, read, limit_s=self._timeouts.short_s)

    async def _post(
        self,
        path: str,
        request: Wire,
        kind: type[Answer],
        read: Callable[[Answer], Value],
        *,
        about: str,
        limit_s: float | None = None,
    ) -> Value:
        limit_s, missing = limit_s or self._timeouts.call_s, about
        return await self._http.document("POST", path, request, kind, read, limit_s=limit_s, missing=missing)

    async def _generate_empty(
        self, name: str, keep_alive: str | int | None, options: dict[str, object] | None, limit_s: float
    ) -> None:
        """Send a generate request without a prompt, which loads or unloads a model."""
        request = wire.GenerateRequest(model=name, keep_alive=keep_alive, options=options, stream=False)
        kind, read = wire.GenerateResponse, answers.finished
        await self._post("/api/generate", request, kind, read, about=name, limit_s=limit_s)

    async def _until(
        self, values: AsyncGenerator[Value, None], is_last: Callable[[Value], bool], *, more: bool = False
    ) -> AsyncGenerator[Value, None]:
        """The values up to the last one; with ``more``, others may follow one that looks like the last."""
        ended = False
        async with aclosing(values):
            async for value in values:
                yield value
                ended = is_last(value)
                if ended and not more:
                    return
        if not ended:
            raise self._http.cut_off()

    def _progress(
        self, path: str, request: Wire, name: str, *, more: bool = False
    ) -> AsyncGenerator[Progress, None]:
        kind, read = wire.ProgressResponse, answers.progress
        lines = self._http.lines(path, request, kind, read, missing=name)
        return self._until(lines, lambda line: line.status == _SUCCESS, more=more)

    def _import_by_path(self, path: Path, name: str) -> AsyncGenerator[Progress, None]:
        return self._progress("/api/import", wire.ImportRequest(model=name, path=str(path)), name)

    async def _import_by_blob(self, path: Path, name: str) -> AsyncGenerator[Progress, None]:
        from llmstack_tui.ollama.blobs import hash_file, send_blob  # noqa: PLC0415

        digest = ""
        async with aclosing(hash_file(path)) as steps:
            async for step in steps:
                digest = step.digest or ""
                yield step
        async with aclosing(send_blob(self._http, path, digest)) as steps:
            async for step in steps:
                yield step
        request = wire.CreateRequest(model=name, files={_FILE_NAME: digest})
        async with aclosing(self._progress("/api/create", request, name)) as steps:
            async for step in steps:
                yield step


def _keep_alive(duration: timedelta | None) -> str | int | None:
    if duration is None:
        return None
    return -1 if duration < timedelta(0) else format_go_duration(duration)


def _is_plain_http(name: str) -> bool:
    try:
        return is_plain_http(ModelName.parse(name))
    except InvalidName:
        return False


async def answers_at(url: str) -> bool:
    """Whether a server that speaks Ollama's protocol answers at ``url``, even with an error."""
    host = OllamaHost(url, timeouts=_PATIENCE)
    try:
        await host.version()
    except (Unreachable, BadStream):
        return False
    except HostError:
        return True
    finally:
        await host.aclose()
    return True
