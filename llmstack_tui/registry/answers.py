"""What the answers of registries have in common: what a status means, and where the next page is."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit

from llmstack_tui.registry.errors import BadRegistryAnswer, NotAllowed, NotInRegistry, RegistryFailed

if TYPE_CHECKING:
    from llmstack_tui.registry.http import Reply


def check(reply: Reply, *, host: str, model: str = "") -> None:
    """Raise what is wrong with an answer of ``host``; a missing or private ``model`` is an error of its own.

    Raises:
        RegistryError: the status is none of success, or it is a web page.
    """
    status = reply.status
    if 200 <= status < 300:
        page = reply.headers.get("content-type", "").startswith("text/html")
        if page or reply.content.lstrip()[:1] == b"<":
            raise BadRegistryAnswer("registry.web_page", host=host)
        return
    if model and status == 404:
        raise NotInRegistry("registry.no_model", host=host, model=model)
    if model and status in (401, 403):
        raise NotAllowed("registry.private", host=host, model=model, status=status)
    kind = "registry.failed" if status >= 500 else "registry.not_usable"
    raise RegistryFailed(kind, host=host, status=status)


def next_query(reply: Reply, *known: str) -> str:
    """The query of the next page, "?…", from the ``Link`` header, of which only these parameters are trusted.

    "" on the last page.
    """
    for part in reply.headers.get("link", "").split(","):
        address, _, rel = part.partition(";")
        if 'rel="next"' in rel.replace(" ", ""):
            query = urlsplit(address.strip().strip("<>")).query
            found = [(key, value) for key, value in parse_qsl(query) if key in known]
            return f"?{urlencode(found)}" if found else ""
    return ""
