"""A server over SSH: a real SSH server on loopback, which passes connections on to a fake Ollama."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING

import asyncssh
import pytest

from llmstack_tui.config.settings import Settings
from llmstack_tui.core.servers import host_at
from llmstack_tui.core.wording import words
from llmstack_tui.hosts.errors import HostError, NoTunnel, ServerError
from llmstack_tui.hosts.poller import Poller
from llmstack_tui.hosts.transport import Timeouts, Transport
from llmstack_tui.hosts.types import Message
from llmstack_tui.ssh.transport import SshTransport
from tests.support.fake_ollama import fake_ollama
from tests.support.scripted_server import Then
from tests.support.ssh_server import SshBox, ssh_box
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from llmstack_tui.hosts.host import Host
    from tests.support.fake_ollama import FakeOllama

DIGEST = "1" * 64


@pytest.fixture
async def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SshBox]:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    async with ssh_box(tmp_path) as running:
        yield running


@pytest.fixture
async def ollama() -> AsyncIterator[tuple[FakeOllama, int]]:
    async with fake_ollama(**{"tiny:latest": DIGEST}) as (fake, server):
        yield fake, int(server.url.rpartition(":")[2])


@asynccontextmanager
async def at(url: str) -> AsyncIterator[Host]:
    host = host_at(url, None, Settings())
    try:
        yield host
    finally:
        await host.aclose()


async def failure(url: str) -> HostError:
    async with at(url) as host:
        with pytest.raises(NoTunnel) as caught:
            await host.version()
    return caught.value


async def test_models_are_listed_and_asked_through_one_ssh_connection(
    box: SshBox, ollama: tuple[FakeOllama, int]
) -> None:
    async with at(box.url(ollama[1])) as host:
        models, _ = await asyncio.gather(host.installed(), host.version())
        said = [chunk.text async for chunk in host.chat("tiny:latest", [Message(role="user", content="Hi")])]
        assert [model.name for model in models] == ["tiny:latest"]
        assert "".join(said) == "Hello"
        assert (box.logins, len(box.connections)) == (1, 1)
    await wait_until(lambda: not box.connections, what="the end of the SSH connection")


async def test_ssh_connects_with_the_first_request_only(box: SshBox) -> None:
    async with at(box.url(1)):
        pass
    assert box.logins == 0


def _unknown(box: SshBox) -> None:
    box.trust(None)


def _no_file(box: SshBox) -> None:
    (box.home / ".ssh" / "known_hosts").unlink()


def _trusting_all(box: SshBox) -> None:
    box.trust(None)
    (box.home / ".ssh" / "config").write_text(
        "Host *\n  UserKnownHostsFile none\n  StrictHostKeyChecking no\n"
    )


def _changed(box: SshBox) -> None:
    box.trust(asyncssh.generate_private_key("ssh-ed25519"))


def _password(box: SshBox) -> None:
    box.wants_password = True


def _no_key(box: SshBox) -> None:
    (box.home / ".ssh" / "id_ed25519").unlink()


def _locked_key(box: SshBox) -> None:
    file = box.home / ".ssh" / "id_ed25519"
    asyncssh.read_private_key(file).write_private_key(file, "pkcs8-pem", passphrase="hush")  # noqa: S106


def _missing_key(box: SshBox) -> None:
    (box.home / ".ssh" / "config").write_text("Host *\n  IdentityFile ~/.ssh/id_of_mine\n")


def _no_forward(box: SshBox) -> None:
    box.forwards = False


def _bad_settings(box: SshBox) -> None:
    (box.home / ".ssh" / "config").write_text("Host *\n  Port many\n")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_unknown, ("ssh.unknown_key", "`ssh -p {port} ada@127.0.0.1`")),
        (_no_file, ("ssh.unknown_key", "{fingerprint}")),
        (_trusting_all, ("ssh.unknown_key", "not trusted unseen")),
        (_changed, ("ssh.changed_key", "another key")),
        (_password, ("ssh.wants_password", "ssh-add")),
        (_no_key, ("ssh.denied", "`ssh -p {port} ada@127.0.0.1`")),
        (_locked_key, ("ssh.denied", "ssh-add")),
        (_missing_key, ("ssh.bad_file", "`ssh -p {port} ada@127.0.0.1`")),
        (_no_forward, ("ssh.forbidden", "AllowTcpForwarding")),
        (_bad_settings, ("ssh.bad_settings", "line 2")),
    ],
)
async def test_a_connection_that_cannot_be_made_says_why_and_what_to_do(
    box: SshBox,
    ollama: tuple[FakeOllama, int],
    caplog: pytest.LogCaptureFixture,
    spoil: Callable[[SshBox], None],
    says: tuple[str, str],
) -> None:
    spoil(box)
    with caplog.at_level(logging.DEBUG):
        error = await failure(box.url(ollama[1]))
    assert error.kind == says[0]
    assert says[1].format(port=box.port, fingerprint=box.key.get_fingerprint()) in words(error)
    assert "id_" not in words(error) + caplog.text
    assert not ollama[0].asked


async def test_a_machine_that_is_not_there_and_a_server_that_is_not_there(box: SshBox) -> None:
    assert (await failure("ssh://nowhere.invalid")).kind == "ssh.no_name"
    assert (await failure("ssh://ada@127.0.0.1:1")).kind == "ssh.refused"
    # Two addresses of one name: neither listens.
    assert (await failure("ssh://ada@localhost:1")).kind == "ssh.refused"
    error = await failure(box.url(1))
    assert (error.kind, error.params["server"]) == ("ssh.no_server", "127.0.0.1:1")


async def test_what_is_not_installed_is_a_sentence_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "llmstack_tui.ssh.tunnel", None)
    assert "pip install 'llmstack-tui[ssh]'" in words(await failure("ssh://box"))


async def test_the_users_ssh_settings_are_obeyed(box: SshBox, ollama: tuple[FakeOllama, int]) -> None:
    key = box.home / "elsewhere"
    (box.home / ".ssh" / "id_ed25519").rename(key)
    (box.home / ".ssh" / "known_hosts").rename(box.home / "known")
    (box.home / ".ssh" / "config").write_text(
        f"Host MyBox\n  HostName 127.0.0.1\n  Port {box.port}\n  User ada\n"
        f"  IdentityFile {key}\n  UserKnownHostsFile {box.home / 'known'}\n"
    )
    async with at(f"ssh://MyBox?server=127.0.0.1:{ollama[1]}") as host:
        assert (await host.version()).version


async def test_refused_keys_are_not_offered_again_for_a_while(box: SshBox) -> None:
    _password(box)
    async with at(box.url(1)) as host:
        for _ in range(3):
            with pytest.raises(NoTunnel):
                await host.version()
    assert box.logins == 1


async def test_a_connection_that_breaks_in_the_middle_of_an_answer_is_said_and_made_again(
    box: SshBox, ollama: tuple[FakeOllama, int]
) -> None:
    fake, port = ollama
    fake.then = Then.HANG
    async with at(box.url(port)) as host:
        chunks = host.chat("tiny:latest", [Message(role="user", content="Hi")])
        async with aclosing(chunks) as answer:
            assert (await anext(answer)).text + (await anext(answer)).text == "Hello"
            box.cut()
            with pytest.raises(NoTunnel) as caught:
                await anext(answer)
        assert caught.value.kind == "ssh.lost"
        assert [model.name for model in await host.installed()] == ["tiny:latest"]
        assert box.logins == 2


async def test_an_upload_that_is_refused_ends_at_once_with_the_servers_words(box: SshBox) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        said = b'{"error": "no space left"}'
        writer.write(b"HTTP/1.1 507 Full\r\nContent-Length: %d\r\n\r\n%b" % (len(said), said))
        await writer.drain()
        writer.close()

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield bytes(2**20)

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        url = box.url(server.sockets[0].getsockname()[1])
        via = SshTransport(url)
        http = Transport(url, user_agent="", timeouts=Timeouts(), not_it="", transport=via)
        with pytest.raises(ServerError) as caught:
            await http.send("/api/blobs/x", endless(), 2**40)
        assert caught.value.detail == "no space left"
        await http.aclose()


async def test_the_poller_shows_the_loss_and_finds_the_server_again(
    box: SshBox, ollama: tuple[FakeOllama, int]
) -> None:
    async with at(box.url(ollama[1])) as host:
        poller = Poller(host, running_every_s=0.02)
        polling = asyncio.create_task(poller.run())
        await wait_until(lambda: poller.snapshot.reachable)
        box.trust(None)
        box.cut()
        await wait_until(
            lambda: (error := poller.snapshot.error) is not None and error.kind == "ssh.unknown_key",
            what="why it is lost",
        )
        box.trust(box.key)
        poller.refresh()
        await wait_until(lambda: poller.snapshot.reachable, what="the new connection")
        polling.cancel()
        await asyncio.wait((polling,))


async def test_who_leaves_early_stops_nobody_elses_connection(
    box: SshBox, ollama: tuple[FakeOllama, int]
) -> None:
    async with at(box.url(ollama[1])) as host:
        first = asyncio.create_task(host.version())
        second = asyncio.create_task(host.installed())
        await wait_until(lambda: box.connections, what="a connection under way")
        first.cancel()
        assert [model.name for model in await second] == ["tiny:latest"]
        assert box.logins == 1
