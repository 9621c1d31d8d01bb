"""What a registry is asked, and what is made of its answers."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.names import ModelName
from llmstack_tui.library.manifest import MediaType
from llmstack_tui.registry.client import Registry as Client
from llmstack_tui.registry.client import base_url
from llmstack_tui.registry.errors import NotInRegistry
from tests.support.scripted_server import Reply, document, serving

if TYPE_CHECKING:
    from tests.support.registry.server import Registry
    from tests.support.scripted_server import Request


def named(registry: Registry, name: str) -> ModelName:
    return ModelName.parse(registry.listed(name))


async def test_a_head_tells_digest_and_push_time_without_a_body(registry: Registry, client: Client) -> None:
    version = registry.publish("tiny:1b", b"weights", pushed_at_s=1_700_000_000)
    head = await client.head(named(registry, "tiny:1b"))
    assert (head.digest, head.pushed_at) == (version.digest, datetime.fromtimestamp(1_700_000_000, UTC))
    (asked,) = registry.asked
    assert (asked.method, asked.path) == ("HEAD", "/v2/library/tiny/manifests/1b")
    assert MediaType.MANIFEST in asked.headers["accept"]


async def test_a_manifest_is_known_by_the_sha256_of_its_bytes(registry: Registry, client: Client) -> None:
    version = registry.publish("me/tiny", b"weights", template="{{ .Prompt }}", parameters={"top_k": 3})
    fetched = await client.manifest(named(registry, "me/tiny"))
    assert fetched is not None
    assert fetched.manifest.digest == version.digest
    assert {layer.digest for layer in fetched.manifest.blobs} == {layer.digest for layer in version.layers}
    assert fetched.manifest.layers[0].size == len(b"weights")


async def test_a_plain_registry_names_the_digest_in_a_header_of_its_own(
    registry: Registry, client: Client
) -> None:
    registry.ollama_headers = False
    version = registry.publish("tiny", b"weights")
    head = await client.head(named(registry, "tiny"))
    assert (head.digest, head.pushed_at) == (version.digest, None)


async def test_what_did_not_change_is_not_sent_again(registry: Registry, client: Client) -> None:
    registry.publish("tiny", b"weights")
    name = named(registry, "tiny")
    first = await client.manifest(name)
    assert first is not None
    assert await client.manifest(name, etag=first.etag) is None
    second = registry.publish("tiny", b"other weights")
    newer = await client.manifest(name, etag=first.etag)
    assert newer is not None
    assert newer.manifest.digest == second.digest


async def test_the_tags_of_a_model_where_they_are_listed(registry: Registry, client: Client) -> None:
    registry.publish("tiny:1b", b"1")
    registry.publish("tiny:2b", b"2")
    assert await client.tags(named(registry, "tiny")) == ("1b", "2b")
    registry.lists_tags = False
    assert await client.tags(named(registry, "tiny")) is None


async def test_tags_that_come_in_pages_are_read_to_the_end() -> None:
    async def handle(request: Request) -> Reply:
        if "last=b" in request.path:
            return document({"tags": ["c", None, 7, "x" * 10**5, ["b"], "a"]})
        pages = document({"tags": ["a", "b"]})
        return Reply(pages.pieces, headers={"Link": '</elsewhere?n=2&last=b&token=x>; rel="next"'})

    async with serving(handle) as registry, aclosing(Client()) as client:
        name = ModelName.parse(f"{registry.url}/library/tiny")
        assert await client.tags(name) == ("a", "b", "c")
    assert registry.asked[1] == "GET /v2/library/tiny/tags/list?n=2&last=b"


async def test_tags_without_end_are_left() -> None:
    async def handle(_: Request) -> Reply:
        return Reply(document({"tags": ["a"]}).pieces, headers={"Link": '<?last=a>; rel="next"'})

    async with serving(handle) as registry, aclosing(Client()) as client:
        assert await client.tags(ModelName.parse(f"{registry.url}/library/tiny")) == ("a",)
    assert len(registry.asked) < 100


async def test_at_most_sixteen_requests_are_under_way(registry: Registry, client: Client) -> None:
    registry.delay_s = 0.02
    for number in range(40):
        registry.publish(f"tiny:{number}", b"weights")
    names = [named(registry, f"tiny:{number}") for number in range(40)]
    await asyncio.gather(*(client.head(name) for name in names), *(client.manifest(name) for name in names))
    assert len(registry.asked) == 80
    assert 2 <= registry.at_once <= 16


async def test_a_redirect_to_another_host_name_is_followed(registry: Registry, client: Client) -> None:
    version = registry.publish("tiny", b"weights")
    target = f"http://localhost:{registry.port}/v2/library/tiny/manifests/latest"

    async def handle(_: Request) -> Reply:
        return Reply(status=307, headers={"Location": target})

    async with serving(handle) as other:
        fetched = await client.manifest(ModelName.parse(f"{other.url}/library/tiny"))
    assert fetched is not None
    assert fetched.manifest.digest == version.digest
    assert registry.asked[0].host == "localhost"


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("tiny", "https://registry.ollama.ai"),
        ("hf.co/user/model:Q4_K_M", "https://hf.co"),
        ("registry.example:5000/library/tiny", "https://registry.example:5000"),
        ("http://registry.example:5000/library/tiny", "http://registry.example:5000"),
        ("127.0.0.1:5000/library/tiny", "http://127.0.0.1:5000"),
        ("localhost:5000/library/tiny", "http://localhost:5000"),
        ("localhost.example/library/tiny", "https://localhost.example"),
    ],
)
def test_plain_http_is_for_this_machine_or_where_the_name_says_so(name: str, url: str) -> None:
    assert base_url(ModelName.parse(name)) == url


async def test_a_proxy_of_the_environment_is_used_for_others_and_not_for_loopback(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.publish("tiny", b"weights")

    async def handle(_: Request) -> Reply:
        return Reply(status=404)

    async with serving(handle) as proxy:
        for variable in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"):
            monkeypatch.setenv(variable, proxy.url)
        for variable in ("no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.delenv(variable, raising=False)
        async with aclosing(Client()) as client:
            await client.head(named(registry, "tiny"))
            assert proxy.asked == []
            with pytest.raises(NotInRegistry):
                await client.head(ModelName.parse("http://registry.example/library/tiny"))
    assert proxy.asked == ["HEAD http://registry.example/v2/library/tiny/manifests/latest"]
