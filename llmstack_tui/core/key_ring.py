"""The keys of this user, and how a provider or a server is asked whether it accepts one."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from llmstack_tui.base import paths
from llmstack_tui.base.connections import connection_error
from llmstack_tui.base.secret import Secret
from llmstack_tui.config.key import key_file
from llmstack_tui.hosts.authentication import KEY_HEADERS, KeyAuth
from llmstack_tui.hosts.errors import Refused
from llmstack_tui.hosts.transport import own_agent
from llmstack_tui.keys.service import KeyRing
from llmstack_tui.keys.types import KeysFailed
from llmstack_tui.providers.registry import PROVIDERS, config_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmstack_tui.config.settings import Settings
    from llmstack_tui.keys.types import KeyTrial
    from llmstack_tui.providers.registry import ProviderConfig

ENGINE = "engine"
PASSPHRASE = "LLMSTACK_KEYS_PASSPHRASE"  # noqa: S105  (the name of a variable)
_LIMIT_S = 15.0
_MOST_BYTES = 64 * 1024


# Where a provider lists its models, which costs nothing and needs the key; the others do so at /models.
# Sources: platform.openai.com/docs/api-reference/models, docs.anthropic.com/en/api/models-list,
# ai.google.dev/api/models, console.groq.com/docs/api-reference, docs.mistral.ai/api; and of the key itself,
# as the list of models needs none: openrouter.ai/docs/api-reference/limits.
_LISTS = {
    "anthropic": "/v1/models?limit=1",
    "gemini": "/v1beta/models?pageSize=1",
    "openrouter": "/key",
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
        variables={each.name: each.key_variable for each in PROVIDERS.values() if each.is_cloud}
        | {ENGINE: "LLMSTACK_ENGINE_API_KEY"},
        files=files,
        trial=partial(_trial, settings, environ),
        passphrase=Secret(given) if given else passphrase,
    )


def _trial(settings: Settings, environ: Mapping[str, str], owner: str) -> KeyTrial | None:
    if owner in PROVIDERS and PROVIDERS[owner].is_cloud:
        return partial(_ask_provider, config_of(owner, environ, urls=settings.providers.urls))
    if owner == ENGINE:
        from llmstack_tui.engine.process.state import saved  # noqa: PLC0415 (only for its key)

        running = saved()
        return partial(_ask_server, running.url, settings) if running is not None else None
    return partial(_ask_server, owner, settings) if "://" in owner else None


async def _ask_provider(config: ProviderConfig, secret: Secret) -> bool:
    name, protocol = config.known.name, config.known.protocol
    url = f"{config.url}{config.known.root}{_LISTS.get(name, '/models')}"
    headers = {"User-Agent": own_agent(), "anthropic-version": "2023-06-01"}
    auth = KeyAuth(secret, KEY_HEADERS.get(protocol, ""))
    try:
        async with (
            asyncio.timeout(_LIMIT_S),
            # A redirect could lead to somebody else.
            httpx.AsyncClient(auth=auth, headers=headers, follow_redirects=False) as client,
            client.stream("GET", url) as response,
        ):
            content = b""
            async for piece in response.aiter_bytes():
                content += piece
                if len(content) > _MOST_BYTES:
                    break
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        raise KeysFailed("keys.trial_failed", owner=name, why=connection_error(error)) from None
    # Gemini answers 400 to a wrong key: ai.google.dev/gemini-api/docs/troubleshooting.
    if response.status_code in (401, 403) or (response.status_code == 400 and b"API_KEY_INVALID" in content):
        return False
    if not response.is_success:
        raise KeysFailed("keys.trial_unclear", owner=name, status=response.status_code)
    return True


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
