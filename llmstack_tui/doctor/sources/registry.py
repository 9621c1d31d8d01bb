"""The registry: whether it can be reached, and what time it has."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from llmstack_tui import __version__
from llmstack_tui.base.sentences import said
from llmstack_tui.doctor.facts import RegistryFacts
from llmstack_tui.registry.errors import RegistryBusy, RegistryError
from llmstack_tui.registry.http import HttpTimeouts, HttpTransport

_TIMEOUTS = HttpTimeouts(connect_s=3.0, total_s=3.5, max_wait_s=0.0)
_MOST_BYTES = 64 * 2**10


async def registry_facts(url: str) -> RegistryFacts:
    """What the registry at ``url`` answers; any answer will do, a refusal too."""
    http = HttpTransport(user_agent=f"llmstack/{__version__}", timeouts=_TIMEOUTS, at_once=1)
    host = urlsplit(url).netloc
    try:
        reply = await http.ask(f"{url}/v2/", host=host, headers={}, max_bytes=_MOST_BYTES)
    except RegistryBusy:
        return RegistryFacts(url)
    except RegistryError as error:
        return RegistryFacts(url, said(error))
    finally:
        await http.aclose()
    return RegistryFacts(url, ahead_s=_ahead_s(reply.headers.get("date", "")))


def _ahead_s(date: str) -> float | None:
    try:
        there = parsedate_to_datetime(date)
    except ValueError:
        return None
    there = there if there.tzinfo else there.replace(tzinfo=UTC)
    return (datetime.now(UTC) - there).total_seconds()
