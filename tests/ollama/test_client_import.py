"""Importing a file: by its path where the engine is ours, as a blob where it is Ollama."""

from __future__ import annotations

import asyncio
import hashlib
import os
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.core.wording import words
from llmstack_tui.hosts.errors import HostError, Refused, ServerError
from llmstack_tui.hosts.types import Progress
from llmstack_tui.ollama import blobs
from tests.ollama.clients import read, talking
from tests.support.scripted_server import Reply, Then, document, ndjson
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from tests.support.scripted_server import Request

CONTENT = b"GGUF" + bytes(range(256)) * 5000
DIGEST = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "my model.gguf"
    path.write_bytes(CONTENT)
    return path


def server_of(
    answers: dict[str, Reply], version: dict[str, str] | None = None
) -> Callable[[Request], Awaitable[Reply]]:
    async def handle(request: Request) -> Reply:
        if request.path == "/api/version":
            return document(version or {"version": "0.32.15"})
        return answers[f"{request.method} {request.path}"]

    return handle


SENDING = {
    f"HEAD /api/blobs/{DIGEST}": Reply(status=404),
    f"POST /api/blobs/{DIGEST}": Reply(status=201),
    "POST /api/create": ndjson({"status": "parsing GGUF"}, {"status": "success"}),
}


async def test_ollama_gets_a_blob_and_then_the_model(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blobs, "_PIECE_BYTES", 2**19)
    async with talking(server_of(SENDING)) as (host, server):
        steps = await read(host.import_gguf(model, "mine:1"))
    assert server.asked == [
        "GET /api/version",
        f"HEAD /api/blobs/{DIGEST}",
        f"POST /api/blobs/{DIGEST}",
        "POST /api/create",
    ]
    sent, create = server.requests[-2:]
    assert sent.body == CONTENT
    assert create.json == {"model": "mine:1", "files": {"model.gguf": DIGEST}}
    hashing = [step for step in steps if step.status == "hashing"]
    assert [step.completed for step in hashing] == [2**19, 2**20, len(CONTENT), len(CONTENT)]
    assert {step.total for step in hashing} == {len(CONTENT)}
    assert Progress(status="sending", digest=DIGEST, total=len(CONTENT), completed=len(CONTENT)) in steps
    assert steps[-1].status == "success"
    assert model.read_bytes() == CONTENT


async def test_a_blob_that_is_there_is_not_sent_again(model: Path) -> None:
    async with talking(server_of(SENDING | {f"HEAD /api/blobs/{DIGEST}": Reply()})) as (host, server):
        await read(host.import_gguf(model, "mine:1"))
    assert f"POST /api/blobs/{DIGEST}" not in server.asked


async def test_the_built_in_engine_gets_the_path(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(model.parent)
    answers = {"POST /api/import": ndjson({"status": "linking"}, {"status": "success"})}
    async with talking(server_of(answers, {"version": "1", "engine": "llmstack"})) as (host, server):
        steps = await read(host.import_gguf(model.relative_to(model.parent), "mine:1"))
    assert server.asked == ["GET /api/version", "POST /api/import"]
    assert server.requests[-1].json == {"model": "mine:1", "path": str(model)}
    assert [step.status for step in steps] == ["linking", "success"]


@pytest.mark.parametrize("version", [{"version": "1"}, {"version": "1", "engine": "llmstack"}])
@pytest.mark.parametrize(
    ("prepare", "kind"),
    [
        (lambda path: path.write_bytes(b"PK\x03\x04"), "other_format"),
        (lambda path: path.write_bytes(b""), "empty"),
        (lambda path: path.mkdir(), "folder"),
        (os.mkfifo, "device"),
        (lambda path: None, "missing"),
    ],
)
async def test_what_is_no_model_is_refused_before_anything_is_sent(
    tmp_path: Path, version: dict[str, str], prepare: Callable[[Path], object], kind: str
) -> None:
    path = tmp_path / "x\x1b.gguf"
    prepare(path)
    async with talking(server_of({}, version)) as (host, server):
        with pytest.raises(Refused, match=f"gguf.{kind}") as caught:
            await read(host.import_gguf(path, "mine:1"))
        assert server.asked == ["GET /api/version"]
    assert words(caught.value).isprintable()
    assert words(caught.value).endswith(".")


async def test_an_engine_on_another_machine_is_sent_the_file(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llmstack_tui.ollama.client.is_loopback", lambda _: False)
    async with talking(server_of(SENDING, {"version": "1", "engine": "llmstack"})) as (host, server):
        steps = await read(host.import_gguf(model, "mine:1"))
    assert "POST /api/import" not in server.asked
    assert f"POST /api/blobs/{DIGEST}" in server.asked
    assert steps[-1].status == "success"


@pytest.mark.parametrize(
    "reply",
    [document({"error": "no space left on device"}, 500), Reply(raw=b""), Reply((b"x",), then=Then.RESET)],
)
async def test_a_blob_that_cannot_be_sent_fails_the_import(model: Path, reply: Reply) -> None:
    async with talking(server_of(SENDING | {f"POST /api/blobs/{DIGEST}": reply})) as (host, server):
        with pytest.raises(HostError):
            await read(host.import_gguf(model, "mine:1"))
        assert "POST /api/create" not in server.asked


async def test_a_model_that_the_server_does_not_like_fails_the_import(model: Path) -> None:
    answers = SENDING | {"POST /api/create": ndjson({"error": "unsupported architecture"})}
    async with talking(server_of(answers)) as (host, _):
        with pytest.raises(ServerError, match="unsupported architecture"):
            await read(host.import_gguf(model, "mine:1"))


async def test_an_import_that_is_given_up_stops_sending(model: Path) -> None:
    answers = SENDING | {f"POST /api/blobs/{DIGEST}": Reply(raw=b"", then=Then.HANG)}
    async with talking(server_of(answers)) as (host, server):
        async with aclosing(host.import_gguf(model, "mine:1")) as steps:
            async for step in steps:
                if step.status == "sending":
                    break
        await wait_until(lambda: server.open == 0, what="the connection closed")
        assert "POST /api/create" not in server.asked
    assert [task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith("send")] == []


async def test_an_import_that_is_cancelled_stops_hashing(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blobs, "_PIECE_BYTES", 16)
    seen: list[Progress] = []

    async def hash_all() -> None:
        async with aclosing(blobs.hash_file(model)) as steps:
            async for step in steps:
                seen.append(step)  # noqa: PERF401 (what came before the end is wanted)

    task = asyncio.create_task(hash_all())
    await wait_until(lambda: seen)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (seen[-1].completed or 0) < len(CONTENT)
