"""Whatever answers at an address, one clear sentence says what is wrong with it."""

from __future__ import annotations

import asyncio
import json
import ssl
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from llmstack_tui.base.languages import LANGUAGES, use
from llmstack_tui.base.secret import Secret
from llmstack_tui.core.auto_host import AutoHost
from llmstack_tui.core.wording import words
from llmstack_tui.hosts.errors import BadStream, HostError, Refused, ServerError, Unreachable
from llmstack_tui.hosts.transport import Timeouts
from llmstack_tui.hosts.types import Message
from llmstack_tui.openai.client import OpenAIHost
from tests.ollama.clients import read
from tests.support.fake_servers import LAST, NOT_FOUND, FakeLlamaServer, FakeServer, FakeVLLM, piece, sse
from tests.support.hostile import NAMES
from tests.support.scripted_server import Reply, Then, always, document, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

HELLO = [Message(role="user", content="Hi")]
KEY = Secret("a-key-of-this-host-0123")
HTML = Reply((b"<html><body>It works!</body></html>",), content_type="text/html")
MOVED = Reply((b"moved",), 302, headers={"Location": "http://127.0.0.1:9/v1/models"})
QUICK = Timeouts(connect_s=1.0, short_s=0.2, call_s=0.2, load_s=0.2, silence_s=0.2)


@pytest.fixture(params=[each.code for each in LANGUAGES], autouse=True)
def language(request: pytest.FixtureRequest) -> Iterator[str]:
    """Each sentence is there in every language."""
    use(request.param)
    yield request.param
    use("en")


def one_sentence(error: HostError) -> None:
    said = words(error)
    assert said.isprintable()
    assert said.endswith((".", "?"))
    assert len(said) < 300


@pytest.mark.parametrize(
    ("reply", "kind", "said"),
    [
        (HTML, BadStream, "answer.web_page"),
        (MOVED, BadStream, "answer.redirect"),
        (Reply((b'{"object": "list", "data": [{',)), BadStream, "answer.no_json"),
        (Reply((b'{"object": "list", "data": [{',), then=Then.CUT), BadStream, "answer.broke_off"),
        (NOT_FOUND, BadStream, "host.is_none"),
        (Reply((b"Bad gateway",), 502, "text/plain"), ServerError, "host.failed_with_status"),
        (document({"hello": 1}), BadStream, "answer.no_models"),
        (document({"data": "none"}), BadStream, "answer.no_json"),
    ],
)
async def test_something_else_answers(reply: Reply, kind: type[HostError], said: str) -> None:
    async with serving(always(reply)) as server:
        host = AutoHost(server.url, key=KEY)
        with pytest.raises(kind) as caught:
            await host.version()
        assert caught.value.kind == said
        one_sentence(caught.value)
        await host.aclose()


async def test_a_key_goes_to_no_other_address() -> None:
    async with serving(FakeVLLM()) as other:

        async def moved(_: object) -> Reply:
            return Reply((b"",), 307, headers={"Location": f"{other.url}/v1/models"})

        async with serving(moved) as server:
            host = OpenAIHost(server.url, key=KEY)
            with pytest.raises(BadStream):
                await host.installed()
            assert server.requests[0].headers["authorization"] == f"Bearer {KEY.text}"
            assert other.requests == []
            await host.aclose()


async def test_a_host_that_hangs() -> None:
    async with serving(always(Reply((b"{",), then=Then.HANG))) as server:
        host = OpenAIHost(server.url, timeouts=QUICK)
        with pytest.raises(Unreachable) as caught:
            await host.installed()
        one_sentence(caught.value)
        await host.aclose()


@asynccontextmanager
async def self_signed(folder: Path) -> AsyncIterator[str]:
    """The URL of a server whose certificate only itself vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "gpu-box")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)

    async def refuse(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    listener = await asyncio.start_server(refuse, "127.0.0.1", 0, ssl=context)
    try:
        yield f"https://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    finally:
        listener.close()


async def test_a_certificate_that_nobody_vouches_for(tmp_path: Path) -> None:
    async with self_signed(tmp_path) as url:
        host = AutoHost(url, key=KEY)
        with pytest.raises(Unreachable) as caught:
            await host.version()
        assert caught.value.kind == "host.certificate"
        one_sentence(caught.value)
        await host.aclose()


@pytest.mark.parametrize("fake", [FakeVLLM(key="k" * 20), FakeLlamaServer(("a",), key="x" * 20)])
@pytest.mark.parametrize(("key", "said"), [(KEY, "host.wrong_key"), (None, "host.refused")])
async def test_another_key_is_wanted(fake: FakeServer, key: Secret | None, said: str) -> None:
    async with serving(fake) as server:
        host = AutoHost(server.url, key=key)
        with pytest.raises(Refused) as caught:
            await host.version()
        assert caught.value.kind == said
        one_sentence(caught.value)
        if key is not None:
            assert key.text not in words(caught.value)
        await host.aclose()


async def test_of_ten_thousand_models_the_first_are_listed_and_the_others_counted() -> None:
    async with serving(FakeServer([f"org/model-{number}" for number in range(10_000)])) as server:
        host = OpenAIHost(server.url)
        assert len(await host.installed()) == 5_000
        assert host.left_out == 5_000
        assert len(await host.running()) == 200
        await host.aclose()


async def test_odd_names_are_kept_as_they_are() -> None:
    async with serving(FakeServer([*NAMES, "", "x" * 2000])) as server:
        host = OpenAIHost(server.url)
        assert [each.name for each in await host.installed()] == list(NAMES)
        await host.aclose()


@pytest.mark.parametrize(
    ("reply", "kind", "said"),
    [
        (sse(piece("Hel"), done=False), BadStream, "answer.too_early"),
        (sse(piece("Hel"), done=False, then=Then.CUT), BadStream, "answer.broke_off"),
        (Reply((b'data: {"choices": [{"del',), 200, "text/event-stream"), BadStream, "answer.too_early"),
        (Reply((b"data: {nonsense\n\n",), 200, "text/event-stream"), BadStream, "answer.no_json"),
        (sse(piece("Hel"), {"error": {"message": "out of memory"}}), ServerError, "host.failed"),
        (Reply((b'error: {"error": {"message": "no"}}\n\n',), 200), ServerError, "host.failed"),
        (Reply((b'{"error": {"message": "no"}}\n',), 200), ServerError, "host.failed"),
        (HTML, BadStream, "answer.web_page"),
        (Reply((HTML.pieces[0] + b"\n",), 200, "text/html"), BadStream, "answer.web_page"),
        (document({"error": {"message": "model is loading"}}, 503), ServerError, "host.failed"),
    ],
)
async def test_an_answer_that_goes_wrong(reply: Reply, kind: type[HostError], said: str) -> None:
    async with serving(always(reply)) as server:
        host = OpenAIHost(server.url)
        with pytest.raises(kind) as caught:
            await read(host.chat("a", HELLO))
        assert caught.value.kind == said
        one_sentence(caught.value)
        await host.aclose()


async def test_an_answer_without_a_word_at_its_end_is_complete_once_its_reason_came() -> None:
    reply = Reply((b": ping\n\n", *sse(piece("Hi"), LAST, done=False).pieces), 200, "text/event-stream")
    async with serving(always(reply)) as server:
        host = OpenAIHost(server.url)
        chunks = await read(host.chat("a", HELLO))
        assert [(each.text, each.done) for each in chunks] == [("Hi", False), ("", True)]
        assert chunks[-1].usage is None
        await host.aclose()


def test_the_stand_ins_speak_json() -> None:
    assert json.loads(NOT_FOUND.pieces[0])["error"]["code"] == 404
