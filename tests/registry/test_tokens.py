"""Registries that want a token, which anybody gets."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.names import ModelName
from llmstack_tui.core.wording import words
from llmstack_tui.registry.errors import (
    BadRegistryAnswer,
    NotAllowed,
    RegistryBusy,
    RegistryError,
    RegistryFailed,
    RegistryUnreachable,
)
from llmstack_tui.registry.tokens import Challenge, parse_challenge, token_url
from tests.support.registry.faults import Fault, busy, html
from tests.support.registry.server import serving

if TYPE_CHECKING:
    from llmstack_tui.registry.client import Registry as Client
    from tests.support.registry.server import Registry

HERE, ELSEWHERE = "http://127.0.0.1:5000/v2/library/tiny", "https://hf.co/v2/user/tiny"


@pytest.fixture
def registry(registry: Registry) -> Registry:
    registry.wants_token = True
    registry.publish("tiny", b"weights")
    return registry


def tiny(registry: Registry) -> ModelName:
    return ModelName.parse(registry.listed("tiny"))


async def test_a_token_is_got_once_for_all_requests_of_a_model(registry: Registry, client: Client) -> None:
    name = tiny(registry)
    assert await client.manifest(name) is not None
    assert (await client.head(name)).digest is not None
    assert await client.tags(name) == ("latest",)
    paths = [asked.path.partition("?")[0] for asked in registry.asked]
    manifest = "/v2/library/tiny/manifests/latest"
    assert paths == [manifest, "/token", manifest, manifest, "/v2/library/tiny/tags/list"]
    (asked,) = registry.requests("/token")
    assert asked.path == (
        "/token?who=anybody&service=tests%2C+all+of+them&scope=repository%3Alibrary%2Ftiny%3Apull"
    )
    assert "authorization" not in asked.headers
    # Of another model it says nothing.
    registry.publish("other", b"weights")
    assert await client.manifest(ModelName.parse(registry.listed("other"))) is not None
    assert len(registry.tokens) == 2


@pytest.mark.parametrize("token_s", [0, 5, -1e300, None, 10**400, -(10**400), "300", [1], True])
async def test_one_that_no_longer_holds_is_got_anew(
    registry: Registry, client: Client, token_s: object
) -> None:
    registry.token_s, registry.token_uses = token_s, 1
    for _ in range(3):
        assert await client.manifest(tiny(registry)) is not None
    assert len(registry.tokens) == 3


async def test_no_token_is_sent_on_to_another_host(registry: Registry, client: Client) -> None:
    with serving() as other:
        other.publish("tiny", b"weights")
        address = f"http://localhost:{other.port}/v2/library/tiny/manifests/latest"
        registry.faults = [
            Fault(path="manifests", times=1, status=401, headers=wish(f"{registry.url}/token?a=b"))
        ]
        registry.faults.append(Fault(path="manifests", status=307, headers={"Location": address}))
        assert await client.manifest(tiny(registry)) is not None
        assert registry.asked[-1].headers["authorization"] == f"Bearer {registry.tokens[0]}"
        assert other.asked
        assert all("authorization" not in asked.headers for asked in other.asked)


def wish(realm: str) -> dict[str, str]:
    return {"WWW-Authenticate": f'Bearer realm="{realm}",scope="repository:library/tiny:pull"'}


def given(text: bytes) -> Fault:
    return Fault(path="/token", body=text, content_type="application/json")


@pytest.mark.parametrize(
    ("fault", "error", "kind"),
    [
        (Fault(path="manifests", status=401), NotAllowed, "private"),
        (Fault(path="/token", status=401), NotAllowed, "private"),
        (Fault(path="/token", status=500), RegistryFailed, "realm_failed"),
        (Fault(path="/token", status=302), RegistryFailed, "realm_failed"),
        (Fault(path="/token", status=302, headers={"Location": "/token"}), BadRegistryAnswer, "wants_token"),
        (busy("/token", retry_after="600"), RegistryBusy, "wants_token"),
        (html("/token"), BadRegistryAnswer, "bad_token"),
        (given(b"{}"), BadRegistryAnswer, "bad_token"),
        (given(b'{"token":7}'), BadRegistryAnswer, "bad_token"),
        (given(b'{"token":"a\\r\\nHost: x"}'), BadRegistryAnswer, "bad_token"),
        (given(b'{"token":"' + b"a" * 100_000 + b'"}'), BadRegistryAnswer, "bad_token"),
    ],
)
async def test_what_goes_wrong_with_a_token(
    registry: Registry, client: Client, fault: Fault, error: type[RegistryError], kind: str
) -> None:
    registry.faults = [fault]
    with pytest.raises(RegistryError) as caught:
        await client.manifest(tiny(registry))
    assert type(caught.value) is error
    assert caught.value.host == caught.value.params["host"] == registry.host
    assert caught.value.kind == f"registry.{kind}"


@pytest.mark.parametrize(
    ("realm", "error", "kind"),
    [
        (
            "http://127.0.0.1:9/token",
            RegistryUnreachable,
            "wants_token",
        ),
        (
            "http://registry.test/token",
            BadRegistryAnswer,
            "unsafe_realm",
        ),
        ("ftp://127.0.0.1/token", BadRegistryAnswer, "unsafe_realm"),
        ("/token", BadRegistryAnswer, "unsafe_realm"),
        ("https://127.0.0.1:-5/token", BadRegistryAnswer, "wants_token"),
        (f"https://127.0.0.1:{'9' * 400}/token", BadRegistryAnswer, "wants_token"),
        ("http://[::1/token", BadRegistryAnswer, "unsafe_realm"),
    ],
)
async def test_where_no_token_can_be_got(
    registry: Registry, client: Client, realm: str, error: type[RegistryError], kind: str
) -> None:
    registry.realm = realm
    with pytest.raises(error) as caught:
        await client.manifest(tiny(registry))
    assert caught.value.kind == f"registry.{kind}"
    assert caught.value.host == registry.host


@pytest.mark.parametrize("status", [401, 500])
async def test_a_token_is_in_no_log_and_in_no_error(
    registry: Registry, client: Client, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    caplog.set_level(logging.DEBUG)
    assert await client.manifest(tiny(registry)) is not None
    (token,) = registry.tokens
    registry.faults = [Fault(path="manifests", status=status, body=b'{"you sent": "%s"}' % token.encode())]
    with pytest.raises(RegistryError) as caught:
        await client.manifest(tiny(registry))
    assert not any(each in f"{caught.value!r} {words(caught.value)}" for each in registry.tokens)
    assert not any(each in caplog.text for each in registry.tokens)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", None),
        ('Basic realm="x"', None),
        ("Bearer", None),
        ('Bearer error="invalid_token"', None),
        ('Bearer realm="https://a/t"', Challenge("https://a/t")),
        ("bearer realm=https://a/t, service=a.b", Challenge("https://a/t", "a.b")),
        (
            'Basic realm="x", Bearer realm="https://a/t",service="a \\"b\\"",scope="r:a/b:pull,push"',
            Challenge("https://a/t", 'a "b"', "r:a/b:pull,push"),
        ),
        ('Bearer realm="https://a/t", realm="https://b/t"', Challenge("https://a/t")),
        ('Bearer realm="' + "x" * 10_000 + '"', None),
    ],
)
def test_what_a_header_asks_for(header: str, expected: Challenge | None) -> None:
    assert parse_challenge(header) == expected


@pytest.mark.parametrize(
    ("realm", "registry", "expected"),
    [
        ("https://a/t", ELSEWHERE, "https://a/t?service=s&scope=r%3Aa%2Fb%3Apull"),
        ("HTTPS://a/t", ELSEWHERE, "https://a/t?service=s&scope=r%3Aa%2Fb%3Apull"),
        ("https://a/t?x=y#z", ELSEWHERE, "https://a/t?x=y&service=s&scope=r%3Aa%2Fb%3Apull"),
        ("http://127.0.0.1:1/t", HERE, "http://127.0.0.1:1/t?service=s&scope=r%3Aa%2Fb%3Apull"),
        ("http://localhost/t", HERE, "http://localhost/t?service=s&scope=r%3Aa%2Fb%3Apull"),
        # A registry elsewhere has no business with what is on this machine.
        ("http://127.0.0.1:1/t", ELSEWHERE, None),
        ("http://a/t", HERE, None),
        ("https://user:word@a/t", ELSEWHERE, None),
        ("https:///t", ELSEWHERE, None),
        ("https://a/t\nHost: b", ELSEWHERE, None),
        ("https://a/t t", ELSEWHERE, None),
        ("https://ä/t", ELSEWHERE, None),
        ("file:///etc/passwd", HERE, None),
        ("", HERE, None),
    ],
)
def test_what_is_asked_for_a_token(realm: str, registry: str, expected: str | None) -> None:
    assert token_url(Challenge(realm, "s", "r:a/b:pull"), registry) == expected
