"""Pages of the web, from a real server of this machine that stands for a public one."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from llmstack_tui.providers.types import ToolCall
from llmstack_tui.tools.toolset import ToolSet
from llmstack_tui.tools.types import CallResult, ToolFailed
from llmstack_tui.tools.web import FetchPage, is_public, page_text
from tests.support.scripted_server import Reply, Request, serving

PAGE = (
    "<html><head><title>T</title><style>p {}</style></head><body><h1>News</h1><script>steal()</script>"
    "<p>One  &amp;\n two</p><ul><li>a<li>b</ul></body></html>"
)


def _to(target: str) -> Reply:
    return Reply([], 302, headers={"Location": target})


SITE = {
    "/page": Reply([PAGE[:40].encode(), PAGE[40:].encode()], content_type="text/html; charset=utf-8"),
    "/old": Reply(["canción".encode("latin-1")], content_type="text/plain; charset=iso-8859-1"),
    "/moved": _to("/page"),
    "/away": _to("http://10.0.0.1/admin"),
    "/round": _to("/round"),
    "/picture": Reply([b"\x89PNG"], content_type="image/png"),
    "/endless": Reply([b"x" * 2**20] * 3, content_type="text/plain"),
}


async def fetched(url: str, address: str = "127.0.0.1", *, checked: bool = False) -> CallResult:
    async def lookup(_host: str, _port: int) -> list[str]:
        return [address]

    tools = ToolSet([FetchPage(lookup) if checked else FetchPage(lookup, lambda _: True)])
    return await tools.run(await tools.propose(ToolCall(id="1", name="fetch_page", arguments={"url": url})))


async def answered(request: Request) -> Reply:
    """A site: pages of several kinds."""
    assert request.headers["host"].startswith("site.example:")
    return SITE.get(request.path, Reply([b"no"], 404))


async def test_a_page_comes_as_text() -> None:
    async with serving(answered) as server:
        site = f"http://site.example:{urlsplit(server.url).port}"
        assert (await fetched(f"{site}/page")).text == "News\nOne &\ntwo\na\nb"
        assert (await fetched(f"{site}/moved")).text.startswith("News")
        assert (await fetched(f"{site}/old")).text == "canción"
        endless = await fetched(f"{site}/endless")
        assert len(endless.text) < 31_000
        assert endless.left_out


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/away", "leads to another host"),
        ("/round", "without an end"),
        ("/picture", "is no text: its type is image/png"),
        ("/none", "status 404"),
    ],
)
async def test_what_is_no_page_is_said(path: str, words: str) -> None:
    async with serving(answered) as server:
        result = await fetched(f"http://site.example:{urlsplit(server.url).port}{path}")
        assert result.is_error
        assert words in result.text


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fc00::1", "::ffff:10.0.0.1",
        "2002:a00:1::",        "64:ff9b::a00:1", "192.0.2.1", "::ffff:127.0.0.1",
    ],
)  # fmt: skip
async def test_a_name_that_leads_to_a_private_address_is_not_asked(address: str) -> None:
    assert not is_public(address)
    result = await fetched("http://innocent.example/", address, checked=True)
    assert (
        result.text
        == "innocent.example is this machine or in a private network: such a page is never fetched."
    )


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07::8b2c", "64:ff9b::808:808"])
def test_public_addresses(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    ["", "file:///etc/passwd", "ftp://a.example", "http://", "http://u:p@a.example", "http://a:99999/", "x"],
)
async def test_what_is_no_address_of_a_page_is_refused(url: str) -> None:
    with pytest.raises(ToolFailed) as raised:
        await fetched(url)
    assert "no address of a web page" in str(raised.value)


@pytest.mark.parametrize("html", ["<p", "<![CDATA[", "<a href='", "&#x110000;", "<script>", "<" * 1000, ""])
def test_broken_pages_are_read(html: str) -> None:
    assert isinstance(page_text(html), str)
