"""The test registry answers as the facts say."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.support.registry import Fault, Registry
from tests.support.registry.faults import busy, html

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WEIGHTS = bytes(range(256)) * 4096


@pytest.fixture
def http(registry: Registry) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=registry.url, trust_env=False, timeout=30) as client:
        yield client


def test_a_manifest_is_asked_for_by_head_and_get(registry: Registry, http: httpx.Client) -> None:
    version = registry.publish("tiny", WEIGHTS, system="Terse.", pushed_at_s=1234)
    path = "/v2/library/tiny/manifests/latest"
    head = http.head(path)
    assert head.headers["ollama-content-digest"] == version.digest
    assert head.headers["ollama-push-time"] == "1234"
    assert head.content == b""
    got = http.get(path)
    assert hashlib.sha256(got.content).hexdigest() == version.digest
    assert [layer["mediaType"].rpartition(".")[2] for layer in got.json()["layers"]] == ["model", "system"]
    assert http.get(path, headers={"If-None-Match": got.headers["etag"]}).status_code == 304
    assert http.get("/v2/library/none/manifests/latest").status_code == 404
    assert [asked.method for asked in registry.requests("tiny")] == ["HEAD", "GET", "GET"]


def test_a_new_version_takes_the_place_of_the_old_one(registry: Registry, http: httpx.Client) -> None:
    old = registry.publish("tiny:1b", WEIGHTS)
    new = registry.publish("tiny:1b", WEIGHTS, parameters={"temperature": 0})
    assert old.weights.digest == new.weights.digest
    assert http.get("/v2/library/tiny/manifests/1b").content == new.manifest
    assert http.get("/v2/library/tiny/tags/list").json() == {"name": "library/tiny", "tags": ["1b"]}


@pytest.mark.parametrize("from_file", [False, True])
def test_blobs_are_elsewhere_in_ranges(
    registry: Registry, http: httpx.Client, tmp_path: Path, from_file: bool
) -> None:
    path = tmp_path / "weights"
    path.write_bytes(WEIGHTS)
    version = registry.publish("tiny", path if from_file else WEIGHTS)
    blob = f"/v2/library/tiny/blobs/{version.weights.digest}"
    redirect = http.get(blob)
    assert redirect.status_code == 307
    assert httpx.URL(redirect.headers["location"]).host == "localhost"
    assert http.get(blob, follow_redirects=True).content == WEIGHTS
    part = http.get(blob, headers={"Range": "bytes=10-19"}, follow_redirects=True)
    assert part.status_code == 206
    assert part.content == WEIGHTS[10:20]
    assert part.headers["content-range"] == f"bytes 10-19/{len(WEIGHTS)}"
    assert int(http.head(blob, follow_redirects=True).headers["content-length"]) == len(WEIGHTS)
    assert registry.blob_bytes_sent == len(WEIGHTS) + 10


def test_faults(registry: Registry, http: httpx.Client) -> None:
    version = registry.publish("tiny", WEIGHTS)
    manifest = "/v2/library/tiny/manifests/latest"
    blob = f"/data/blobs/{version.weights.digest}"
    registry.faults = [Fault(path=blob, cut_after=1000, times=2)]
    for _ in range(2):
        with pytest.raises(httpx.RemoteProtocolError):
            http.get(blob)
    assert http.get(blob).content == WEIGHTS
    registry.faults = [Fault(path=blob, corrupt=True)]
    assert sum(one != other for one, other in zip(http.get(blob).content, WEIGHTS, strict=True)) == 1
    registry.faults = [Fault(path=blob, short=10)]
    assert http.get(blob).content == WEIGHTS[:-10]
    registry.faults = [Fault(path=blob, no_ranges=True)]
    assert http.get(blob, headers={"Range": "bytes=5-9"}).status_code == 200
    registry.faults = [Fault(path=blob, stall_after=10)]
    with pytest.raises(httpx.ReadTimeout):
        http.get(blob, timeout=0.2)
    registry.faults = [html("manifests")]
    assert http.get(manifest).text.startswith("<!DOCTYPE")
    registry.faults = [busy(times=1, retry_after="7")]
    assert http.get(manifest).headers["retry-after"] == "7"
    assert http.get(manifest).status_code == 200
    registry.faults = [Fault(status=500)]
    assert http.get(manifest).status_code == 500
    registry.faults = [Fault(body=b" " * 50_000_000)]
    assert len(http.get(manifest).content) == 50_000_000


def test_a_registry_that_is_not_ollamas(registry: Registry, http: httpx.Client) -> None:
    registry.ollama_headers = False
    version = registry.publish("user/tiny:Q4_K_M", WEIGHTS)
    head = http.head("/v2/user/tiny/manifests/Q4_K_M")
    assert "ollama-content-digest" not in head.headers
    assert head.headers["docker-content-digest"] == f"sha256:{version.digest}"
    assert registry.name("user/tiny:Q4_K_M") == f"http://{registry.host}/user/tiny:Q4_K_M"
