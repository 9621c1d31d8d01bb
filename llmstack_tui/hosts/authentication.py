"""The key of a server, in the header in which it wants it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Generator

    from llmstack_tui.base.secret import Secret


KEY_HEADERS = {"anthropic": "x-api-key", "gemini": "x-goog-api-key"}
"""The headers of protocols that do not have the key in ``Authorization``, as OpenAI's has it."""


class KeyAuth(httpx.Auth):
    """Adds the key when a request is sent, so that it is in no variable that a traceback could show.

    Args:
        header: the one that has the key alone, where the server does not want ``Authorization``.
    """

    def __init__(self, key: Secret, header: str = "") -> None:
        self._key = key
        self._header = header

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if self._header:
            request.headers[self._header] = self._key.text
        else:
            request.headers["Authorization"] = f"Bearer {self._key.text}"
        yield request
