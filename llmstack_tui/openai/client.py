"""A host that speaks OpenAI's protocol, and no more of it than all such servers have.

What a program has beside it (loads, unloads, states) stands in `servers`.
"""

from __future__ import annotations

import time
from contextlib import aclosing
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from llmstack_tui.base.address import is_inside
from llmstack_tui.base.kinds import Capability, HostKind, ServerKind
from llmstack_tui.base.names import model_key
from llmstack_tui.hosts.errors import NotFound, cannot
from llmstack_tui.hosts.transport import Timeouts, Transport, own_agent
from llmstack_tui.hosts.types import ServerVersion
from llmstack_tui.openai import answers, wire

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
    from datetime import timedelta
    from pathlib import Path
    from typing import NoReturn

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
    )

Answer = TypeVar("Answer")
Value = TypeVar("Value")

# Ollama's names of options, which all callers use, and OpenAI's.
_OPTIONS = {
    "num_predict": "max_tokens",
    "temperature": "temperature",
    "top_p": "top_p",
    "seed": "seed",
    "stop": "stop",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
}


class OpenAIHost:
    """The server at ``url``, a base URL without ``/v1``. Whatever it lists counts as loaded.

    On a machine beyond this network, its models run elsewhere, as cloud models do. A stream that is not read
    to its end has to be closed (`contextlib.aclosing`).
    """

    kind = ServerKind.OPENAI
    can = Capability.LIST | Capability.SHOW | Capability.CHAT | Capability.EMBED

    def __init__(
        self,
        url: str,
        *,
        timeouts: Timeouts | None = None,
        key: Secret | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._timeouts = timeouts or Timeouts()
        self._http = Transport(
            url,
            user_agent=own_agent(),
            timeouts=self._timeouts,
            key=key,
            not_it="openai.is_it",
            transport=transport,
        )
        self.left_out = 0
        self._installed: tuple[Model, ...] = ()

    @property
    def url(self) -> str:
        return self._http.url

    @property
    def transport(self) -> Transport:
        return self._http

    @property
    def capabilities(self) -> Capability:
        return self.can

    @property
    def server(self) -> ServerKind:
        return self.kind

    async def aclose(self) -> None:
        await self._http.aclose()

    # --- queries ---

    async def version(self) -> ServerVersion:
        return ServerVersion(kind=HostKind.OPENAI, version=await self._version(), server=self.kind)

    async def installed(self) -> tuple[Model, ...]:
        self._installed = await self._models()
        return self._installed

    async def running(self) -> tuple[RunningModel, ...]:
        if self._is_elsewhere:
            return ()
        return answers.served(await self._models())

    async def show(self, name: str) -> ModelDetails:
        model = self._entry_of(name, {each.name: each for each in await self.installed()})
        return answers.details(model, await self._template(model.name))

    # --- loading and unloading, which only some programs can ---

    async def load(
        self, name: str, *, keep_alive: timedelta | None = None, context_length: int | None = None
    ) -> None:
        self._refuse(Capability.LOAD)

    async def unload(self, name: str) -> None:
        self._refuse(Capability.UNLOAD)

    # --- inference ---

    def chat(
        self,
        name: str,
        messages: Sequence[Message],
        *,
        options: Mapping[str, object] | None = None,
        keep_alive: timedelta | None = None,
    ) -> AsyncGenerator[Chunk, None]:
        request = wire.ChatCompletion(
            model=name,
            messages=[wire.SpokenMessage(role=each.role, content=each.content) for each in messages],
            ttl=self._ttl(keep_alive),
        )
        return self._answer("/v1/chat/completions", request, options)

    def generate(
        self,
        name: str,
        prompt: str,
        *,
        options: Mapping[str, object] | None = None,
        keep_alive: timedelta | None = None,
    ) -> AsyncGenerator[Chunk, None]:
        request = wire.TextCompletion(model=name, prompt=prompt, ttl=self._ttl(keep_alive))
        return self._answer("/v1/completions", request, options)

    async def embed(self, name: str, texts: Sequence[str]) -> tuple[tuple[float, ...], ...]:
        request = wire.VectorsRequest(model=name, input=list(texts))
        kind, limit_s = wire.VectorsResponse, self._timeouts.load_s
        return await self._http.document(
            "POST", "/v1/embeddings", request, kind, answers.embeddings, limit_s=limit_s, missing=name
        )

    # --- changes of what is installed, which none of them can ---

    def pull(self, name: str) -> AsyncGenerator[Progress, None]:
        self._refuse(Capability.PULL)

    async def discard(self, digests: Sequence[str]) -> bool:
        return False

    def create(
        self,
        name: str,
        *,
        base: str,
        system: str | None = None,
        parameters: Mapping[str, object] | None = None,
    ) -> AsyncGenerator[Progress, None]:
        self._refuse(Capability.CREATE)

    def import_gguf(self, path: Path, name: str) -> AsyncGenerator[Progress, None]:
        self._refuse(Capability.IMPORT)

    def receive(self, name: str, parts: ModelParts) -> AsyncGenerator[Progress, None]:
        self._refuse(Capability.IMPORT)

    async def copy(self, source: str, destination: str) -> None:
        self._refuse(Capability.COPY)

    async def delete(self, name: str) -> None:
        self._refuse(Capability.DELETE)

    async def recognize(self) -> ServerKind:
        """Which program this is, by its list of models."""
        return await self._ask("/v1/models", wire.ModelsResponse, answers.kind_of)

    # --- what a program may do in its own way ---

    async def _version(self) -> str:
        """The program's version; "" if it tells none."""
        return ""

    async def _models(self) -> tuple[Model, ...]:
        listed = await self._listed()
        remote = self.url if self._is_elsewhere else None
        return tuple(answers.model(name, each, remote=remote) for name, each in listed.items())

    async def _template(self, name: str) -> str:
        return ""

    def _ttl(self, keep_alive: timedelta | None) -> int | None:
        return None

    # --- helpers ---

    @property
    def _is_elsewhere(self) -> bool:
        return self.kind is ServerKind.OPENAI and not is_inside(urlsplit(self.url).hostname or "")

    def _refuse(self, act: Capability) -> NoReturn:
        raise cannot(act, host=self.url, server=self.server)

    async def _ask(
        self, path: str, kind: type[Answer], read: Callable[[Answer], Value], *, limit_s: float | None = None
    ) -> Value:
        limit_s = limit_s or self._timeouts.short_s
        return await self._http.document("GET", path, None, kind, read, limit_s=limit_s)

    async def _listed(self, path: str = "/v1/models") -> Mapping[str, wire.ListedEntry]:
        return await self._ask(
            path, wire.ModelsResponse, lambda answer: self._named(answer.data, lambda each: each.id)
        )

    def _named(
        self, entries: Sequence[Value] | None, name: Callable[[Value], str | None]
    ) -> Mapping[str, Value]:
        listed, self.left_out = answers.named(entries, name)
        return listed

    def _entry_of(self, name: str, listed: Mapping[str, Value]) -> Value:
        key = model_key(name)
        for each, entry in listed.items():
            if model_key(each) == key:
                return entry
        raise NotFound("host.no_model", host=self.url, model=name)

    async def _answer(
        self,
        path: str,
        request: wire.ChatCompletion | wire.TextCompletion,
        options: Mapping[str, object] | None,
    ) -> AsyncGenerator[Chunk, None]:
        for option, value in (options or {}).items():
            if option in _OPTIONS:  # The others are Ollama's alone.
                setattr(request, _OPTIONS[option], value)
        request.stream, request.stream_options = True, wire.StreamWish(include_usage=True)
        answer = answers.Answering(time.monotonic())
        events = self._http.events(
            path, request, wire.CompletionEvent, lambda event: event, missing=request.model or ""
        )
        async with aclosing(events):
            async for event in events:
                if (chunk := answer.heard(event, time.monotonic())) is not None:
                    yield chunk
        if not answer.is_complete:
            raise self._http.cut_off()
        yield answer.last(time.monotonic())
