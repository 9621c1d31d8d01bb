"""``/api/blobs``: sending the files of a model, beyond what the contract with a real Ollama says."""

from __future__ import annotations

import hashlib
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.names import ModelName
from llmstack_tui.config.engine import EngineOptions
from llmstack_tui.library import storage
from llmstack_tui.library.library import Library
from tests.engine.serving import served
from tests.support import folders
from tests.support.waiting import wait_until, wait_until_sync

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.engine import Serving

ZEROS = f"sha256:{'0' * 64}"
MODELS = ".local/share/llmstack/models"


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def blobs(engine: Serving) -> set[str]:
    return {path.name for path in (engine.home / MODELS / "blobs").iterdir()}


def test_what_is_sent_is_there(engine: Serving) -> None:
    content = b"sent " * 2_000_000
    place = f"/api/blobs/{digest_of(content)}"
    assert engine.http.head(place).status_code == 404
    answer = engine.http.post(place, content=content)
    assert (answer.status_code, answer.content) == (201, b"")
    answer = engine.http.head(place)
    assert (answer.status_code, answer.content) == (200, b"")
    # Again, and this time without its length, as Go's client sends it.
    assert engine.http.post(place, content=iter([content])).status_code == 200
    stored = engine.home / MODELS / "blobs" / digest_of(content).replace(":", "-")
    assert stored.read_bytes() == content


def test_a_body_without_a_length(engine: Serving) -> None:
    pieces = [b"one ", b"two ", b"three"]
    place = f"/api/blobs/{digest_of(b''.join(pieces))}"
    assert engine.http.post(place, content=iter(pieces)).status_code == 201
    assert engine.http.head(place).status_code == 200


@pytest.mark.parametrize(
    ("digest", "content", "error"),
    [
        (ZEROS, b"abc", f'digest mismatch, expected "{ZEROS}", got "{digest_of(b"abc")}"'),
        (ZEROS, b"", f'digest mismatch, expected "{ZEROS}", got "{digest_of(b"")}"'),
        ("sha256:..", b"abc", "invalid digest format"),
        ("sha512:" + "0" * 64, b"abc", "invalid digest format"),
        ("sha256:" + "0" * 63, b"", "invalid digest format"),
    ],
)
def test_what_is_refused_leaves_nothing(engine: Serving, digest: str, content: bytes, error: str) -> None:
    before = folders.tree(engine.home / MODELS)
    answer = engine.http.post(f"/api/blobs/{digest}", content=content)
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert folders.tree(engine.home / MODELS) == before


def test_other_methods(engine: Serving) -> None:
    for method in ("GET", "PUT", "PATCH"):
        answer = engine.http.request(method, f"/api/blobs/{ZEROS}")
        assert (answer.status_code, answer.text) == (405, "405 method not allowed")


def test_a_body_that_is_cut_leaves_nothing(engine: Serving) -> None:
    content = b"cut " * 2_000_000
    digest, before = digest_of(content), blobs(engine)
    url = engine.http.base_url
    with socket.create_connection((url.host, url.port or 80)) as connection:
        head = (
            f"POST /api/blobs/{digest} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {len(content)}\r\n\r\n"
        )
        connection.sendall(head.encode() + content[: len(content) // 2])
        wait_until_sync(lambda: blobs(engine) - before, what="it is being written")
    wait_until_sync(lambda: blobs(engine) == before, what="it is gone")
    assert engine.http.head(f"/api/blobs/{digest}").status_code == 404


def test_two_that_send_the_same_at_once(engine: Serving) -> None:
    content = b"twice " * 2_000_000
    place, before = f"/api/blobs/{digest_of(content)}", blobs(engine)
    other_is_done, statuses = threading.Event(), list[int]()

    def slowly() -> Iterator[bytes]:
        yield content[: len(content) // 2]
        assert other_is_done.wait(30)
        yield content[len(content) // 2 :]

    slow = threading.Thread(
        target=lambda: statuses.append(engine.http.post(place, content=slowly()).status_code)
    )
    slow.start()
    wait_until_sync(lambda: blobs(engine) - before, what="the first is being written")
    assert engine.http.post(place, content=content).status_code == 201
    other_is_done.set()
    slow.join()
    assert statuses == [201]
    stored = engine.home / MODELS / "blobs" / digest_of(content).replace(":", "-")
    assert blobs(engine) - before == {stored.name}
    assert stored.read_bytes() == content


@pytest.mark.parametrize("prune", [True, False])
async def test_what_no_model_uses_is_removed_when_the_engine_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_model: Path, prune: bool
) -> None:
    library = Library(tmp_path)
    weights = library.import_gguf(tiny_model, ModelName.parse("tiny")).weights
    folders.blob(tmp_path, b"of no model")
    left = next(path for path in weights.parent.iterdir() if path.read_bytes() == b"of no model")
    monkeypatch.setattr(storage, "GRACE_S", -1.0)  # Nothing is young.
    async with served(tmp_path, options=EngineOptions(prune=prune)) as server:
        if prune:
            await wait_until(lambda: not left.exists())
        assert (await server.http.get("/api/tags")).status_code == 200
    assert left.exists() == (not prune)
    assert weights.exists()


def test_what_ollama_has_need_not_be_sent(engine: Serving) -> None:
    (weights,) = (
        path for path in (engine.home / ".ollama/models/blobs").iterdir() if path.stat().st_size > 9999
    )
    place = f"/api/blobs/{weights.name.replace('-', ':')}"
    assert engine.http.head(place).status_code == 200
    assert engine.http.post(place, content=weights.read_bytes()).status_code == 200


def test_an_unfinished_download_is_deleted_there(engine: Serving) -> None:
    assert engine.http.delete(f"/api/blobs/{ZEROS}").status_code == 200
    assert engine.http.delete("/api/blobs/nothing").status_code == 400


def test_a_damaged_blob_is_replaced(engine: Serving, random_model: Path) -> None:
    content = random_model.read_bytes() + bytes(8 * 2**20)
    place = f"/api/blobs/{digest_of(content)}"
    assert engine.http.post(place, content=content).status_code == 201
    stored = engine.home / MODELS / "blobs" / digest_of(content).replace(":", "-")
    stored.write_bytes(b"damaged")
    assert engine.http.head(place).status_code == 404
    assert engine.http.post(place, content=content).status_code == 201
    assert stored.read_bytes() == content
