"""A tool that reads a page of the web, and nothing of this machine or its network.

The addresses of a host are looked up once and checked, and the connection goes to the one that was checked:
a name that leads elsewhere a moment later gains nothing. Each redirect is checked in the same way.
"""

from __future__ import annotations

import asyncio
import socket
from html.parser import HTMLParser
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import httpx

from llmstack_tui.hosts.transport import own_agent
from llmstack_tui.providers.types import Tool
from llmstack_tui.tools.schemas import arguments, text
from llmstack_tui.tools.types import CallResult, Effect, Proposal, ToolFailed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from llmstack_tui.providers.types import ToolCall

MOST_BYTES = 2 * 2**20
_LIMIT_S = 20.0
_REDIRECTS = 5
_TEXTS = ("text/", "application/json", "application/xml", "application/xhtml", "application/javascript")
_PORTS = {"http": 80, "https": 443}
_NAT64 = ip_network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Whether an IP address is one of the internet, and of no private or special network."""
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address):
        # An IPv4 address may be written within one of IPv6: mapped, 6to4, Teredo, or by NAT64.
        by_nat64 = IPv4Address(int(found) & 0xFFFF_FFFF) if found in _NAT64 else None
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo or (None, None))[1] or by_nat64
        if inner is not None:
            return inner.is_global and not inner.is_multicast
    return found.is_global and not found.is_multicast


async def addresses_of(host: str, port: int) -> list[str]:
    """The IP addresses of a host, as the system finds them."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(each[4][0]) for each in found]


class FetchPage:
    """HTTP GET of a public address.

    Args:
        lookup: the IP addresses of a host and port.
        may_reach: which of these addresses may be asked.
    """

    spec = Tool(
        name="fetch_page",
        purpose="Read a page of the web as text, by HTTP GET. No addresses of private networks.",
        schema=arguments({"url": text("Such as https://example.com/page.")}),
    )

    def __init__(
        self,
        lookup: Callable[[str, int], Awaitable[Sequence[str]]] = addresses_of,
        may_reach: Callable[[str], bool] = is_public,
    ) -> None:
        self._lookup = lookup
        self._may_reach = may_reach

    async def propose(self, call: ToolCall) -> Proposal:
        url = str((call.arguments or {})["url"]).strip()
        host, _ = _parts(url)
        return Proposal(call=call, effect=Effect.FETCHES, subject=url, scope=host)

    async def run(self, proposal: Proposal) -> CallResult:
        url = proposal.subject
        try:
            async with asyncio.timeout(_LIMIT_S):
                for _ in range(_REDIRECTS + 1):
                    page = await self._get(url)
                    if isinstance(page, CallResult):
                        return page
                    if _parts(page)[0] != proposal.scope:
                        raise ToolFailed("tools.leads_elsewhere", url=url, target=page)
                    if url.startswith("https:") and not page.startswith("https:"):
                        raise ToolFailed("tools.less_safe", url=url, target=page)
                    url = page
        except TimeoutError:
            raise ToolFailed("tools.page_late", url=url, limit_s=_LIMIT_S) from None
        except httpx.HTTPError as error:
            raise ToolFailed("tools.no_page", url=url, why=str(error) or type(error).__name__) from None
        raise ToolFailed("tools.redirects", url=proposal.subject)

    async def _get(self, url: str) -> CallResult | str:
        """The page, or where it leads."""
        host, port = _parts(url)
        try:
            addresses = await self._lookup(host, port)
        except OSError as error:
            raise ToolFailed("tools.no_host", host=host, why=error.strerror or str(error)) from None
        if not addresses or not all(map(self._may_reach, addresses)):
            raise ToolFailed("tools.private_address", host=host)
        target = httpx.URL(url).copy_with(host=addresses[0])
        async with (
            httpx.AsyncClient(trust_env=False, timeout=_LIMIT_S) as client,
            client.stream(
                "GET",
                target,
                headers={
                    "Host": httpx.URL(url).netloc.decode(),
                    "User-Agent": own_agent(),
                    "Accept-Encoding": "identity",
                },
                extensions={"sni_hostname": host},
            ) as answer,
        ):
            if answer.is_redirect:
                return urljoin(url, str(answer.headers.get("location", "")))
            if not answer.is_success:
                raise ToolFailed("tools.page_status", url=url, status=answer.status_code)
            kind = answer.headers.get("content-type", "text/plain").lower()
            if not kind.startswith(_TEXTS) or "content-encoding" in answer.headers:
                raise ToolFailed("tools.no_text_page", url=url, kind=kind)
            return _page(await _head(answer), kind, answer.charset_encoding)


async def _head(answer: httpx.Response) -> bytes:
    content = b""
    async for piece in answer.aiter_raw():
        content += piece
        if len(content) > MOST_BYTES:
            break
    return content[:MOST_BYTES]


def _page(content: bytes, kind: str, charset: str | None) -> CallResult:
    try:
        found = content.decode(charset or "utf-8", errors="replace")
    except LookupError:
        found = content.decode(errors="replace")
    return CallResult(text=page_text(found) if "html" in kind else found)


def _parts(url: str) -> tuple[str, int]:
    """The host and port of a URL.

    Raises:
        ToolFailed: it is none that can be fetched.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        raise ToolFailed("tools.no_url", url=url) from None
    if parts.scheme not in _PORTS or not host or parts.username is not None or not url.isprintable():
        raise ToolFailed("tools.no_url", url=url)
    return host, port


class _TextReader(HTMLParser):
    """Gathers what a browser would show."""

    _HIDDEN = frozenset({"script", "style", "noscript", "template", "svg", "head"})
    _BLOCKS = frozenset(
        {"p", "div", "br", "li", "tr", "section", "article", "pre", "table"}
        | {f"h{level}" for level in range(1, 7)}
    )

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self._HIDDEN:
            self._hidden += 1
        elif tag in self._BLOCKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._HIDDEN:
            self._hidden = max(self._hidden - 1, 0)
        elif tag in self._BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)


def page_text(html: str) -> str:
    """The text of a page, a line for each block."""
    reader = _TextReader()
    reader.feed(html)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.parts).splitlines())
    return "\n".join(line for line in lines if line)
