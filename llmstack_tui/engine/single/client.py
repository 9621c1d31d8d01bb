"""A client for the server of a single file.

    with SingleClient("http://127.0.0.1:8005") as client:
        client.health_check()
        client.chat([{"role": "user", "content": "Hello"}]).response
        client.process_pipeline("What does it cost?", "The price list says: 7 euros.")

Every call raises `SingleError` and nothing else; ``str`` of it is a sentence that says what is wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, TypeVar

import httpx
import msgspec

from llmstack_tui.base.address import is_loopback
from llmstack_tui.base.connections import is_packed
from llmstack_tui.engine.single.messages import ChatTurn, SingleChatAnswer, SingleChatRequest, SingleHealth

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

DEFAULT_URL = "http://127.0.0.1:8005"
PIPELINE_SYSTEM = (
    "Answer the question from the context alone. "
    "If the context does not contain the answer, say that it does not."
)

_MAX_BYTES = 8 * 2**20

T = TypeVar("T")


class SingleError(Exception):
    """A call failed."""


class SingleUnreachable(SingleError):
    """Nothing answers at the address, or not in time."""


class SingleFailed(SingleError):
    """The server answered that it cannot do it; ``status`` is the HTTP status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class SingleClient:
    """A synchronous client, which keeps its connection. ``timeout_s`` is for each call.

    ``key`` is the server's, if it needs one.
    """

    def __init__(self, url: str = DEFAULT_URL, *, timeout_s: float = 300.0, key: str | None = None) -> None:
        timeout = httpx.Timeout(timeout_s, connect=5.0)
        authorization = {} if key is None else {"Authorization": f"Bearer {key}"}
        # A proxy cannot reach this machine's loopback address.
        self._http = httpx.Client(
            base_url=url,
            headers={"Accept-Encoding": "identity", **authorization},
            timeout=timeout,
            trust_env=not is_loopback(url),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def health_check(self) -> SingleHealth:
        """Whether the model is loaded. If not, this raises nothing: ``status`` and ``error`` say why."""
        status, content = self._call("GET", "/health")
        if status == 401:
            raise SingleFailed(_error_text(status, content), status)
        return self._decoded(status, content, SingleHealth)

    def chat(
        self,
        messages: str | Sequence[ChatTurn | Mapping[str, str]],
        *,
        session: str | None = None,
        max_tokens: int | None = None,
        temperature: float | None = None,
    ) -> SingleChatAnswer:
        """The model's answer to a conversation or to one message. For ``session`` see `SingleChatRequest`."""
        request = SingleChatRequest(
            message=messages if isinstance(messages, str) else None,
            messages=None if isinstance(messages, str) else tuple(_turn(message) for message in messages),
            session=session,
            max_tokens=max_tokens,
            temperature=temperature,
        )
        status, content = self._call("POST", "/chat", msgspec.json.encode(request))
        if status != 200:
            raise SingleFailed(_error_text(status, content), status)
        return self._decoded(status, content, SingleChatAnswer)

    def process_pipeline(self, query: str, context: str | Sequence[str]) -> str:
        """The answer to ``query`` from ``context``, which is a text or several passages."""
        passages = context if isinstance(context, str) else "\n\n".join(context)
        turns = [
            ChatTurn(role="system", content=PIPELINE_SYSTEM),
            ChatTurn(role="user", content=f"Context:\n{passages}\n\nQuestion: {query}"),
        ]
        return self.chat(turns).response

    def _call(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        """The status of the answer, and its body: nothing of one that is packed or far too long."""
        headers = {"Content-Type": "application/json"}
        content = bytearray()
        try:
            with self._http.stream(method, path, content=body, headers=headers) as response:
                for piece in () if is_packed(response.headers) else response.iter_raw():
                    content += piece
                    if len(content) > _MAX_BYTES:
                        return response.status_code, b""
                return response.status_code, bytes(content)
        except httpx.TimeoutException as error:
            raise SingleUnreachable(f"The server at {self._http.base_url} did not answer in time.") from error
        except httpx.HTTPError as error:
            raise SingleUnreachable(
                f"Nothing answers at {self._http.base_url}. Start it with: llmstack engine run --gguf FILE"
            ) from error

    def _decoded(self, status: int, content: bytes, kind: type[T]) -> T:
        try:
            return msgspec.json.decode(content, type=kind)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise SingleFailed(
                f"The server at {self._http.base_url} does not serve a single file.", status
            ) from error


def _turn(message: ChatTurn | Mapping[str, str]) -> ChatTurn:
    if isinstance(message, ChatTurn):
        return message
    try:
        return msgspec.convert(dict(message), ChatTurn)
    except msgspec.ValidationError as error:
        raise SingleError(f"A message needs a role and a content, both texts: {error}") from error


def _error_text(status: int, content: bytes) -> str:
    try:
        return str(msgspec.json.decode(content, type=dict[str, dict[str, object]])["error"]["message"])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, KeyError):
        return f"The server answered with status {status}."
