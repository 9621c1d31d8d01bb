"""Which key our client sends to a server."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from llmstack_tui.base import lazy, paths
from llmstack_tui.base.address import is_ssh, server_id
from llmstack_tui.config.key import engine_key, read_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmstack_tui.base.secret import Secret
    from llmstack_tui.config.settings import Settings


async def key_of(url: str, settings: Settings, environ: Mapping[str, str]) -> Secret | None:
    """As `key_for`, or else the key that is stored for the server.

    Raises:
        KeyFailed, KeysFailed: there should be one, and it cannot be had.
    """
    key = await asyncio.to_thread(key_for, url, settings)
    if key is not None or not await asyncio.to_thread(_is_any_stored):
        return key
    await lazy.load(".core.key_ring")
    from llmstack_tui.core.key_ring import key_ring  # noqa: PLC0415 (few store keys)

    found = await key_ring(settings, environ).find(url)
    return found.secret if found is not None else None


def _is_any_stored() -> bool:
    try:
        return paths.keys_folder().is_dir()
    except (OSError, paths.NoHome):
        return False


def key_for(url: str, settings: Settings) -> Secret | None:
    """The key for the server at a base URL: what the settings name for it, or else that of our own engine.

    No other server gets to see the engine's key.

    Raises:
        KeyFailed: the key cannot be read.
    """
    named = next((host.api_key_file for host in settings.hosts if host.url == url), None)
    if named is not None:
        return read_key(Path(named).expanduser())
    key = engine_key(settings.engine)
    return key if key is not None and not is_ssh(url) and _is_own_engine(url) else None


def _is_own_engine(url: str) -> bool:
    """Whether the engine of this user runs at this URL, by its own record of where it listens."""
    from llmstack_tui.engine.process.state import saved  # noqa: PLC0415 (only with a key)

    engine = saved()
    if engine is None:
        return False
    own = urlsplit(engine.url)
    at_wildcard = (engine.listening or "").startswith(("0.0.0.0:", "[::]:"))
    return server_id(url) == server_id(engine.url) or (
        at_wildcard and urlsplit(url).port == own.port and _is_this_machine(urlsplit(url).hostname or "")
    )


def _is_this_machine(host: str) -> bool:
    import psutil  # noqa: PLC0415 (only for an engine that other machines can reach)

    addresses = (entry.address for entries in psutil.net_if_addrs().values() for entry in entries)
    return host in {address.partition("%")[0] for address in addresses}
