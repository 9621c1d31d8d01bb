"""The models of the stack's hosts as providers: the one way to chat with them, to have text, and vectors."""

from __future__ import annotations

from contextlib import AsyncExitStack, aclosing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import convert

from llmstack_tui.base.kinds import Capability, ServerKind
from llmstack_tui.lifecycle.actions import because
from llmstack_tui.lifecycle.states import ModelState
from llmstack_tui.providers.types import Parameters
from llmstack_tui.store.tables.figures import Speed

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
    from contextlib import AbstractAsyncContextManager

    from llmstack_tui.core.options import StackParts
    from llmstack_tui.guard.types import Confirm
    from llmstack_tui.hosts.host import Host
    from llmstack_tui.hosts.transport import Transport
    from llmstack_tui.providers.provider import Provider
    from llmstack_tui.providers.types import ChatRequest, Piece
    from llmstack_tui.providers.usage import Usage


def provider_of(host: Host) -> Provider:
    """The host's models over its own connections, which stay open when the provider is closed."""
    if host.server is ServerKind.OLLAMA:
        from llmstack_tui.providers.ollama import OllamaProvider  # noqa: PLC0415

        return OllamaProvider(host.transport, name=host.url, is_shared=True)
    from llmstack_tui.providers.openai import OpenAIProvider  # noqa: PLC0415

    return OpenAIProvider(host.transport, name=host.url, root="/v1", kind=host.server, is_shared=True)


_FIELDS = {"num_predict": "max_tokens", "num_ctx": "context_length"}
_PLAIN = ("temperature", "top_p", "top_k", "seed")


def parameters_of(options: Mapping[str, object]) -> Parameters:
    """Ollama's options, as prompts and settings have them, as parameters of a request."""
    found: dict[str, object] = {}
    more: dict[str, object] = {}
    for name, value in options.items():
        if name == "stop":
            found[name] = (value,) if isinstance(value, str) else tuple(map(str, _listed(value)))
        elif (field := _FIELDS.get(name, name)) in (*_PLAIN, *_FIELDS.values()):
            found[field] = value
        else:
            more[name] = value
    return convert({**found, "more": more}, Parameters)


def _listed(value: object) -> tuple[object, ...]:
    return tuple(value) if isinstance(value, list | tuple) else ()


class HostProviders:
    """What is asked here may load a model, also in a read-only stack.

    Args:
        activate, admitted: as `ModelActions` has them.
    """

    def __init__(
        self,
        parts: StackParts,
        activate: Callable[..., Awaitable[bool]],
        admitted: Callable[..., AbstractAsyncContextManager[timedelta | None]],
    ) -> None:
        self._parts = parts
        self._activate = activate
        self._admitted = admitted
        self._made: dict[str, tuple[Transport, Provider]] = {}

    def of(self, host_url: str) -> Provider:
        """The provider of a host, as it is: nothing is loaded or recorded.

        Raises:
            HostError: it is none of the stack's hosts.
        """
        host = self._parts.permissions.allowed(host_url, Capability.LIST)
        transport, provider = self._made.get(host_url, (None, None))
        if provider is None or transport is not host.transport:
            provider = provider_of(host)
            self._made[host_url] = host.transport, provider
        return provider

    async def chat(
        self, host_url: str, request: ChatRequest, *, confirm: Confirm | None = None
    ) -> AsyncGenerator[Piece, None]:
        """Yield the answer in pieces; nothing if the user declined the load.

        Args:
            confirm: asks the user before other models are unloaded, if the settings require that.

        Raises:
            HostError: the model cannot be loaded.
            ProviderError: it does not answer.
        """
        from llmstack_tui.guard.admission import Declined  # noqa: PLC0415

        host = self._parts.permissions.allowed(host_url, Capability.CHAT)
        monitor, model = self._parts.monitors[host_url], request.model
        status = monitor.status(model)
        usage: Usage | None = None
        async with AsyncExitStack() as work:
            if status is None or (status.running is None and status.state is not ModelState.CLOUD):
                if self._parts.permissions.may_act(host_url) and Capability.LOAD in host.capabilities:
                    # Then it is on record as ours: a pin keeps it, and the guard knows when it was used.
                    if not await self._load(host_url, request, confirm):
                        return
                else:
                    try:
                        await work.enter_async_context(self._admitted(host_url, model, confirm))
                    except Declined:
                        return
            work.enter_context(monitor.using(model))
            async for piece in await work.enter_async_context(aclosing(self.of(host_url).chat(request))):
                usage = piece.ending.usage if piece.ending else None
                yield piece
        if usage is not None and usage.answer_tokens is not None:
            self._record(host_url, model, usage)

    async def _load(self, host_url: str, request: ChatRequest, confirm: Confirm | None) -> bool:
        seconds = request.parameters.keep_alive_s
        return await self._activate(
            host_url,
            request.model,
            keep_alive=None if seconds is None else timedelta(seconds=seconds),
            context_length=request.parameters.context_length,
            confirm=confirm,
            reason=because("chat"),
        )

    def _record(self, host_url: str, model: str, usage: Usage) -> None:
        """Write down how fast the answer was, without the time to load the model."""
        monitor = self._parts.monitors[host_url]
        status = monitor.status(model)
        first_s = None if usage.first_s is None else max(usage.first_s - (usage.load_s or 0), 0)
        speed = Speed(
            at=datetime.now(UTC),
            host=host_url,
            model=status.name if status else model,
            digest=status.model.digest if status is not None and status.model is not None else "",
            tokens_per_second=usage.answer_speed,
            first_token=None if first_s is None else timedelta(seconds=first_s),
        )
        self._parts.session.write(lambda store: store.speeds.add(speed))
        monitor.add_speeds(speed)
