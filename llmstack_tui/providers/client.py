"""The short way for programs: a question in, an answer out, with whatever provider is set up."""

from __future__ import annotations

import asyncio
import threading
import weakref
from contextlib import aclosing
from typing import TYPE_CHECKING, TypeVar

import msgspec
from msgspec.structs import asdict

from llmstack_tui.base.structs import replace
from llmstack_tui.providers.errors import NoProvider, WrongRequest
from llmstack_tui.providers.registry import PROVIDERS, make, make_chain
from llmstack_tui.providers.setup import LLMConfig, load_llm_config
from llmstack_tui.providers.streams import whole
from llmstack_tui.providers.types import Ability, ChatMessage, ChatRequest, EmbedRequest, Parameters, Role

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Coroutine, Iterator, Mapping, Sequence

    from llmstack_tui.hosts.transport import Timeouts
    from llmstack_tui.providers.provider import Provider
    from llmstack_tui.providers.types import Answer, Piece

    Message = ChatMessage | Mapping[str, str]
    Question = str | Sequence[Message]

Value = TypeVar("Value")

_END_S = 5.0
_OF_REQUEST = frozenset({"model", "tools", "schema", "reasoning"})


def get_llm_client(provider: str | None = None, *, config: LLMConfig | None = None) -> LLMClient:
    """A client of ``provider``, else of ``LLM_PROVIDER``, else of the one that the settings name.

    Nothing is sent before the first question.

    >>> client = get_llm_client("ollama")
    >>> client.generate("Say hello.")
    'Hello there.'
    >>> get_llm_client("olama")
    Traceback (most recent call last):
        ...
    llmstack_tui.providers.errors.NoProvider: There is no provider olama; these are: ...

    Args:
        config: what `load_llm_config` returns; by default, that of the settings.

    Raises:
        NoProvider: there is none of that name.
        WrongSetup: a variable or a setting is wrong.
    """
    return LLMClient(get_async_llm_client(provider, config=config))


def get_async_llm_client(provider: str | None = None, *, config: LLMConfig | None = None) -> AsyncLLMClient:
    """As `get_llm_client`, for programs with an event loop.

    >>> import asyncio
    >>> async def ask() -> str:
    ...     async with get_async_llm_client("ollama") as client:
    ...         return await client.chat([{"role": "user", "content": "Hi"}])
    >>> asyncio.run(ask())
    'Hello there.'
    """
    config = config or load_llm_config()
    name = (provider or config.provider).strip().lower()
    # Who is named is meant: nobody else answers.
    followers = () if provider else tuple(each for each in config.chain if each != name)
    names = (name, *followers)
    limits_s = config.limits.get(name)
    made = make_chain([config.of(each) for each in names], _timeouts(limits_s))
    found = config.of(name)
    parameters = config.parameters.get(name)
    return AsyncLLMClient(
        made, model=found.model, parameters=parameters, model_variable=found.known.model_variable
    )


def get_available_providers(*, config: LLMConfig | None = None) -> tuple[str, ...]:
    """The names of the providers that can be asked: those with a key, and servers of one's own that answer.

    >>> get_available_providers()
    ('ollama',)
    """
    config = config or load_llm_config()
    return asyncio.run(_available(config))


async def _available(config: LLMConfig) -> tuple[str, ...]:
    async def is_available(name: str) -> bool:
        found = config.of(name)
        if found.known.is_cloud:
            return found.is_set_up
        provider = make(found)
        try:
            return (await provider.health()).is_healthy
        finally:
            await provider.aclose()

    answers = await asyncio.gather(*map(is_available, PROVIDERS))
    return tuple(name for name, available in zip(PROVIDERS, answers, strict=True) if available)


def _timeouts(limit_s: float | None) -> Timeouts | None:
    if limit_s is None:
        return None
    from llmstack_tui.hosts.transport import Timeouts  # noqa: PLC0415

    return Timeouts(connect_s=min(5.0, limit_s), call_s=limit_s, load_s=limit_s, silence_s=limit_s)


class AsyncLLMClient:
    """Questions to one provider; each raises `ProviderError` and nothing else.

    Args:
        model: that is asked where a question names none; "" takes the first one that can answer.
        parameters: of each question that says nothing else.
        model_variable: where a model can be named, for the error that none is.
    """

    def __init__(
        self,
        provider: Provider,
        *,
        model: str = "",
        parameters: Parameters | None = None,
        model_variable: str = "",
    ) -> None:
        self.provider = provider
        self._model = model
        self._parameters = parameters or Parameters()
        self._variable = model_variable

    async def __aenter__(self) -> AsyncLLMClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self.provider.aclose()

    async def generate(self, prompt: str, *, system: str = "", **options: object) -> str:
        """The answer to a question."""
        return (await self.ask(prompt, system=system, **options)).text

    async def chat(self, messages: Question, **options: object) -> str:
        """The answer to a talk: messages with ``role`` and ``content``."""
        return (await whole(self.pieces(messages, "", **options))).text

    async def ask(self, question: Question, *, system: str = "", **options: object) -> Answer:
        """The whole answer, with its thoughts, tool calls and figures."""
        return await whole(self.pieces(question, system, **options))

    async def stream(
        self, question: Question, *, system: str = "", **options: object
    ) -> AsyncGenerator[str, None]:
        """The text of an answer as it comes; to be closed if it is not read to its end."""
        async with aclosing(self.pieces(question, system, **options)) as pieces:
            async for piece in pieces:
                if piece.text:
                    yield piece.text

    async def pieces(
        self, question: Question, system: str = "", **options: object
    ) -> AsyncGenerator[Piece, None]:
        """As `stream`, with all that comes: thoughts, tool calls, how far the prompt is, the ending.

        Args:
            options: ``model``, fields of `ChatRequest` such as ``tools`` and ``schema``, and of `Parameters`
                such as ``temperature`` and ``max_tokens``.
        """
        request = self._request(_messages(question, system), options)
        if not request.model:
            request = replace(request, model=await self._first(Ability.CHAT))
        async with aclosing(self.provider.chat(request)) as pieces:
            async for piece in pieces:
                yield piece

    async def embed(self, texts: str | Sequence[str], *, model: str = "") -> list[list[float]]:
        """One vector for each text."""
        given = (texts,) if isinstance(texts, str) else tuple(texts)
        request = EmbedRequest(model=model or await self._first(Ability.EMBED), texts=given)
        return [list(each) for each in (await self.provider.embed(request)).vectors]

    def _request(self, messages: tuple[ChatMessage, ...], options: Mapping[str, object]) -> ChatRequest:
        of_answer = {name: value for name, value in options.items() if name not in _OF_REQUEST}
        unknown = sorted(set(of_answer) - set(Parameters.__struct_fields__))
        try:
            if unknown:
                raise TypeError(", ".join(unknown))
            parameters = msgspec.convert({**asdict(self._parameters), **of_answer}, Parameters)
            given = {"model": self._model, **{name: options[name] for name in _OF_REQUEST & set(options)}}
            return msgspec.convert({**given, "messages": messages, "parameters": parameters}, ChatRequest)
        except (TypeError, msgspec.ValidationError) as error:
            why = str(error)
            raise WrongRequest("providers.wrong_option", provider=self.provider.name, why=why) from None

    async def _first(self, can: Ability) -> str:
        """The configured model, or the first of a server of one's own that can do it.

        Raises:
            NoProvider: a cloud has too many to guess one, or no model of the server can do it.
        """
        if self._model and can is not Ability.EMBED:
            return self._model
        if self.provider.name == "ollama":
            for each in await self.provider.models():
                facts = each if each.abilities is not None else await self.provider.model(each.name)
                if facts.abilities is not None and can in facts.abilities:
                    return facts.name
        elif self._model:
            return self._model
        raise NoProvider("providers.no_model_named", provider=self.provider.name, variable=self._variable)


class LLMClient:
    """As `AsyncLLMClient`, for scripts: each call waits for its answer.

    >>> with get_llm_client("ollama") as client:
    ...     client.chat([{"role": "user", "content": "Hi"}], temperature=0)
    ...     list(client.stream("Count to three."))
    'Hello there.'
    ['Hello', ' there.']
    """

    def __init__(self, client: AsyncLLMClient) -> None:
        self.client = client
        # Scripts have no event loop, and notebooks have one that is running: this one is its own.
        self._loop = asyncio.new_event_loop()
        thread = threading.Thread(target=self._loop.run_forever, name="llmstack", daemon=True)
        thread.start()
        self._end = weakref.finalize(self, _end, self._loop, thread, client)

    def __enter__(self) -> LLMClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; the end of the program does so, too."""
        self._end()

    def generate(self, prompt: str, *, system: str = "", **options: object) -> str:
        """The answer to a question."""
        return self._run(self.client.generate(prompt, system=system, **options))

    def chat(self, messages: Question, **options: object) -> str:
        """The answer to a talk: messages with ``role`` and ``content``."""
        return self._run(self.client.chat(messages, **options))

    def ask(self, question: Question, *, system: str = "", **options: object) -> Answer:
        """The whole answer, with its thoughts, tool calls and figures."""
        return self._run(self.client.ask(question, system=system, **options))

    def stream(self, question: Question, *, system: str = "", **options: object) -> Iterator[str]:
        """The text of an answer as it comes."""
        pieces = self.client.stream(question, system=system, **options)
        try:
            while (piece := self._run(_next(pieces))) is not None:
                yield piece
        finally:
            self._run(pieces.aclose())

    def embed(self, texts: str | Sequence[str], *, model: str = "") -> list[list[float]]:
        """One vector for each text."""
        return self._run(self.client.embed(texts, model=model))

    def _run(self, work: Coroutine[object, object, Value]) -> Value:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:  # Ctrl-C, too, ends the request.
            future.cancel()
            raise


async def _next(pieces: AsyncGenerator[str, None]) -> str | None:
    return await anext(pieces, None)


def _end(loop: asyncio.AbstractEventLoop, thread: threading.Thread, client: AsyncLLMClient) -> None:
    asyncio.run_coroutine_threadsafe(client.aclose(), loop).result(_END_S)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(_END_S)
    loop.close()


def _messages(question: Question, system: str) -> tuple[ChatMessage, ...]:
    asked = (
        (ChatMessage(role=Role.USER, text=question),)
        if isinstance(question, str)
        else tuple(map(_message, question))
    )
    return (ChatMessage(role=Role.SYSTEM, text=system), *asked) if system else asked


def _message(given: Message) -> ChatMessage:
    if isinstance(given, ChatMessage):
        return given
    try:
        role, content = Role(given["role"]), given["content"]
        if not isinstance(content, str):
            raise TypeError
    except (KeyError, TypeError, ValueError):
        raise WrongRequest("providers.wrong_message", provider="") from None
    return ChatMessage(role=role, text=content)
