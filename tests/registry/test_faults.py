"""What goes wrong with a registry, each as an error of the right class and kind."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.names import ModelName
from llmstack_tui.core.wording import words
from llmstack_tui.library.manifest import MAX_TEXT_BYTES
from llmstack_tui.registry.client import Registry as Client
from llmstack_tui.registry.errors import (
    BadManifest,
    BadRegistryAnswer,
    NotAllowed,
    NotInRegistry,
    RegistryBusy,
    RegistryError,
    RegistryFailed,
    RegistryUnreachable,
)
from llmstack_tui.registry.http import MAX_RETRY_AFTER_S, HttpTimeouts
from tests.support.registry.faults import Fault, busy, html
from tests.support.scripted_server import Reply, Then, always, serving
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from tests.support.registry.server import Registry

LAYER = {"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:" + "a" * 64, "size": 7}


def tiny(registry: Registry) -> ModelName:
    return ModelName.parse(registry.listed("tiny"))


async def failing(client: Client, name: ModelName, kind: type[RegistryError]) -> RegistryError:
    """The error of a request for a manifest, which has to be of this class."""
    with pytest.raises(RegistryError) as caught:
        await client.manifest(name)
    error = caught.value
    assert type(error) is kind
    assert error.host == name.host
    text = words(error)
    assert text.endswith((".", "?"))
    assert "\n" not in text
    assert len(text) < 400
    return error


@pytest.mark.parametrize(
    ("fault", "error", "kind"),
    [
        (Fault(status=401), NotAllowed, "private"),
        (Fault(status=403), NotAllowed, "private"),
        (Fault(status=404), NotInRegistry, "no_model"),
        (Fault(status=500), RegistryFailed, "failed"),
        (Fault(status=503), RegistryFailed, "failed"),
        (Fault(status=418), RegistryFailed, "not_usable"),
        (html(), BadRegistryAnswer, "web_page"),
        (html(status=404), NotInRegistry, "no_model"),
        (Fault(body=b"<html>"), BadRegistryAnswer, "web_page"),
        (Fault(body=b"{"), BadManifest, "not_manifest"),
        (Fault(body=b'{"layers": []}'), BadManifest, "not_manifest"),
        (Fault(body=json.dumps({"layers": [LAYER]}).encode()), BadManifest, "not_manifest"),
        (Fault(short=5), BadManifest, "not_manifest"),
        (Fault(cut_after=5), RegistryUnreachable, "broke"),
        (Fault(corrupt=True, headers={"ollama-content-digest": "a" * 64}), BadManifest, "not_manifest"),
        (Fault(headers={"ollama-content-digest": "a" * 64}), BadManifest, "damaged_manifest"),
        (Fault(headers={"Content-Encoding": "gzip"}), BadManifest, "damaged_manifest"),
    ],
)
async def test_what_a_registry_says_wrong(
    registry: Registry, client: Client, fault: Fault, error: type[RegistryError], kind: str
) -> None:
    registry.publish("tiny", b"weights")
    registry.faults = [fault]
    if fault.headers.get("Content-Encoding"):
        # It is not asked for, and not heeded: the bytes are what they are.
        assert await client.manifest(tiny(registry)) is not None
        return
    assert (await failing(client, tiny(registry), error)).kind == f"registry.{kind}"


async def test_a_manifest_of_fifty_megabytes_is_not_read(registry: Registry, client: Client) -> None:
    registry.publish_manifest("tiny", b" " * 50_000_000)
    error = await failing(client, tiny(registry), BadManifest)
    assert error.params["most"] == MAX_TEXT_BYTES


async def test_one_that_does_not_say_its_length_is_left_in_the_middle() -> None:
    async with serving(always(Reply([b" " * 100_000] * 500))) as registry, aclosing(Client()) as client:
        name = ModelName.parse(f"{registry.url}/library/tiny")
        assert (await failing(client, name, BadManifest)).kind == "registry.large_manifest"


async def test_nobody_there(client: Client) -> None:
    async with serving(always(Reply())) as registry:
        url = registry.url
    error = await failing(client, ModelName.parse(f"{url}/library/tiny"), RegistryUnreachable)
    assert (error.kind, error.params["why"]) == ("registry.unreachable", "Connection refused")


async def test_a_name_that_nobody_has(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    for host in ("registry.invalid", "a..b", "127.0.0.1:99999", "x" * 300):
        with pytest.raises((RegistryUnreachable, BadRegistryAnswer)):
            await client.head(ModelName.parse(f"http://{host}/library/tiny"))


@pytest.mark.parametrize("reply", [Reply(then=Then.HANG, gate=None), Reply([b"{"], then=Then.HANG)])
async def test_one_that_falls_silent(reply: Reply) -> None:
    timeouts = HttpTimeouts(total_s=0.3)
    async with serving(always(reply)) as registry, aclosing(Client(timeouts=timeouts)) as client:
        name = ModelName.parse(f"{registry.url}/library/tiny")
        assert (await failing(client, name, RegistryUnreachable)).kind == "registry.too_late"


async def test_what_is_not_http() -> None:
    async with (
        serving(always(Reply(raw=b"SSH-2.0-OpenSSH\r\n\r\n"))) as registry,
        aclosing(Client()) as client,
    ):
        await failing(client, ModelName.parse(f"{registry.url}/library/tiny"), BadRegistryAnswer)


@pytest.mark.parametrize(
    ("location", "kind"),
    [
        ("/again", "endless_redirects"),
        ("ftp://x/y", "unsafe_redirect"),
        ("http://[", "unreachable"),
    ],
)
async def test_redirects_that_lead_nowhere(location: str, kind: str) -> None:
    async with (
        serving(always(Reply(status=302, headers={"Location": location}))) as registry,
        aclosing(Client()) as client,
    ):
        with pytest.raises(RegistryError, match=f"registry.{kind}"):
            await client.manifest(ModelName.parse(f"{registry.url}/library/tiny"))
    assert len(registry.asked) < 10


async def test_a_connection_that_breaks_once_is_no_failure(registry: Registry, client: Client) -> None:
    version = registry.publish("tiny", b"weights")
    registry.faults = [Fault(cut_after=5, times=1)]
    fetched = await client.manifest(tiny(registry))
    assert fetched is not None
    assert fetched.manifest.digest == version.digest


async def test_a_busy_registry_is_asked_again_when_it_says(registry: Registry, client: Client) -> None:
    registry.publish("tiny", b"weights")
    registry.faults = [busy(times=1, retry_after="1")]
    await client.head(tiny(registry))
    first, second = registry.asked
    assert second.at_s - first.at_s >= 0.99


async def test_a_date_after_which_to_ask_again(registry: Registry, client: Client) -> None:
    registry.publish("tiny", b"weights")
    soon = datetime.now(UTC) + timedelta(seconds=2)
    registry.faults = [busy(times=1, retry_after=format_datetime(soon, usegmt=True))]
    await client.head(tiny(registry))
    assert len(registry.asked) == 2


@pytest.mark.parametrize("said", ["-5", "soon", "", "Sun, 06 Nov 1994 08:49:37 GMT"])
async def test_a_time_that_makes_no_sense_does_no_harm(registry: Registry, client: Client, said: str) -> None:
    registry.publish("tiny", b"weights")
    registry.faults = [busy(times=1, retry_after=said)]
    await client.head(tiny(registry))
    assert len(registry.asked) == 2


async def test_one_that_is_busy_for_long_is_left_alone_and_does_not_block_others(
    registry: Registry, client: Client
) -> None:
    registry.publish("tiny", b"weights")
    registry.faults = [busy(retry_after="999999999", path="tiny")]
    for _ in range(5):
        error = await failing(client, tiny(registry), RegistryBusy)
        assert isinstance(error, RegistryBusy)
        assert error.retry_after_s <= MAX_RETRY_AFTER_S
        assert error.params["retry_after_s"] == error.retry_after_s
    # The first request and perhaps one that was under way; none after the answer to it.
    assert len(registry.asked) == 1


async def test_one_that_stays_busy_is_given_up(registry: Registry, client: Client) -> None:
    registry.publish("tiny", b"weights")
    registry.faults = [busy(retry_after="0")]
    await failing(client, tiny(registry), RegistryBusy)
    assert len(registry.asked) == 3


async def test_a_request_that_is_cancelled_gives_its_place_back(registry: Registry) -> None:
    registry.publish("tiny", b"weights")
    registry.faults = [Fault(stall_after=3, times=2)]
    async with aclosing(Client(at_once=2)) as client:
        stuck = [asyncio.create_task(client.manifest(tiny(registry))) for _ in range(2)]
        await wait_until(lambda: len(registry.asked) == 2)
        for task in stuck:
            task.cancel()
        await asyncio.gather(*stuck, return_exceptions=True)
        assert await client.manifest(tiny(registry)) is not None
