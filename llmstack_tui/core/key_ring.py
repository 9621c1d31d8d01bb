"""The keys of this user, and how a provider or a server is asked whether it accepts one."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import httpx

from llmstack_tui.base import paths
from llmstack_tui.base.connections import connection_error
from llmstack_tui.base.secret import Secret
from llmstack_tui.config.key import key_file
from llmstack_tui.hosts.errors import Refused
from llmstack_tui.hosts.transport import own_agent
from llmstack_tui.keys.service import KeyRing
from llmstack_tui.keys.types import KeysFailed

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from llmstack_tui.config.settings import Settings
    from llmstack_tui.keys.types import KeyTrial

ENGINE = "engine"
PASSPHRASE = "LLMSTACK_KEYS_PASSPHRASE"  # noqa: S105  (the name of a variable)
_LIMIT_S = 15.0
_MOST_BYTES = 64 * 1024


class _KeyedProvider(NamedTuple):
    """Where a provider lists its models, which costs nothing and needs the key.

    Attributes:
        variable: with the key; ``base_variable``: with another address.
        header: that has the key, after ``scheme``.
    """

    variable: str
    base_variable: str
    base: str
    path: str
    header: str = "Authorization"
    scheme: str = "Bearer "


# Sources: platform.openai.com/docs/api-reference/models, docs.anthropic.com/en/api/models-list,
# ai.google.dev/api/models, console.groq.com/docs/api-reference, openrouter.ai/docs/api-reference/limits (its
# list of models needs no key), docs.mistral.ai/api.
PROVIDERS: Mapping[str, _KeyedProvider] = {
    "openai": _KeyedProvider("OPENAI_API_KEY", "OPENAI_BASE_URL", "https://api.openai.com/v1", "/models"),
    "anthropic": _KeyedProvider(
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_BASE_URL",
        "https://api.anthropic.com",
        "/v1/models?limit=1",
        "x-api-key",
        "",
    ),
    "gemini": _KeyedProvider(
        "GEMINI_API_KEY",
        "GOOGLE_GEMINI_BASE_URL",
        "https://generativelanguage.googleapis.com",
        "/v1beta/models?pageSize=1",
        "x-goog-api-key",
        "",
    ),
    "groq": _KeyedProvider("GROQ_API_KEY", "GROQ_BASE_URL", "https://api.groq.com", "/openai/v1/models"),
    "mistral": _KeyedProvider("MISTRAL_API_KEY", "", "https://api.mistral.ai/v1", "/models"),
    "openrouter": _KeyedProvider("OPENROUTER_API_KEY", "", "https://openrouter.ai/api/v1", "/key"),
}


def key_ring(settings: Settings, environ: Mapping[str, str], passphrase: Secret | None = None) -> KeyRing:
    """The keys of this user. Raises NoHome.

    Args:
        passphrase: of the encrypted file, if the environment does not have it.
    """
    files = {host.url: Path(host.api_key_file).expanduser() for host in settings.hosts if host.api_key_file}
    own = key_file(settings.engine)
    if settings.engine.api_key_file is not None or paths.is_file(own):
        files[ENGINE] = own
    given = environ.get(PASSPHRASE, "")
    return KeyRing(
        paths.keys_folder(),
        environ,
        variables={name: each.variable for name, each in PROVIDERS.items()}
        | {ENGINE: "LLMSTACK_ENGINE_API_KEY"},
        files=files,
        trial=partial(_trial, settings, environ),
        passphrase=Secret(given) if given else passphrase,
    )


def _trial(settings: Settings, environ: Mapping[str, str], owner: str) -> KeyTrial | None:
    if (provider := PROVIDERS.get(owner)) is not None:
        return partial(_ask_provider, owner, provider, environ)
    if owner == ENGINE:
        from llmstack_tui.engine.process.state import saved  # noqa: PLC0415 (only for its key)

        running = saved()
        return partial(_ask_server, running.url, settings) if running is not None else None
    return partial(_ask_server, owner, settings) if "://" in owner else None


async def _ask_provider(
    owner: str, provider: _KeyedProvider, environ: Mapping[str, str], secret: Secret
) -> bool:
    base = environ.get(provider.base_variable, "").strip() or provider.base
    headers = {"User-Agent": own_agent(), "anthropic-version": "2023-06-01"}
    auth = _ProviderAuth(provider.header, provider.scheme, secret)
    try:
        async with (
            asyncio.timeout(_LIMIT_S),
            # A redirect could lead to somebody else.
            httpx.AsyncClient(auth=auth, headers=headers, follow_redirects=False) as client,
            client.stream("GET", f"{base.rstrip('/')}{provider.path}") as response,
        ):
            content = b""
            async for piece in response.aiter_bytes():
                content += piece
                if len(content) > _MOST_BYTES:
                    break
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        raise KeysFailed("keys.trial_failed", owner=owner, why=connection_error(error)) from None
    # Gemini answers 400 to a wrong key: ai.google.dev/gemini-api/docs/troubleshooting.
    if response.status_code in (401, 403) or (response.status_code == 400 and b"API_KEY_INVALID" in content):
        return False
    if not response.is_success:
        raise KeysFailed("keys.trial_unclear", owner=owner, status=response.status_code)
    return True


class _ProviderAuth(httpx.Auth):
    """Adds the key when a request is sent, so that it is in no variable that a traceback could show."""

    def __init__(self, header: str, scheme: str, secret: Secret) -> None:
        self._header, self._scheme, self._secret = header, scheme, secret

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers[self._header] = f"{self._scheme}{self._secret.text}"
        yield request


async def _ask_server(url: str, settings: Settings, secret: Secret) -> bool:
    """Whether a server answers with this key what it would not without: some list their models to all."""
    from llmstack_tui.core.servers import host_at  # noqa: PLC0415 (few ask one)

    host = await asyncio.to_thread(host_at, url, secret, settings)
    try:
        await host.version()
        await host.installed()
        await host.running()
    except Refused as error:
        if error.kind == "host.wrong_key" or error.params.get("status") in (401, 403):
            return False
        raise
    finally:
        await host.aclose()
    return True
