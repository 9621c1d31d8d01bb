"""Reading a manifest, and the ways in which one content is written."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmstack_tui.library.manifest import (
    ConfigLayer,
    InvalidManifest,
    Layer,
    MediaType,
    decode,
    is_made_locally,
    manifest_content,
    parse_manifest,
    reencoded,
)
from tests.support.failures import fails

DIGEST = "sha256:" + "a" * 64
LAYER = {"mediaType": "application/vnd.ollama.image.model", "digest": DIGEST, "size": 7}
CONFIG = {"mediaType": "application/vnd.docker.container.image.v1+json", "digest": DIGEST, "size": 3}

# What Go's encoder makes of the struct, written out by hand.
GO = (
    '{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json",'
    '"config":{"mediaType":"application/vnd.docker.container.image.v1+json","digest":"'
    + DIGEST
    + '","size":3},'
    '"layers":[{"mediaType":"application/vnd.ollama.image.model","digest":"' + DIGEST + '","size":7}]}'
)


def content(**changes: Any) -> bytes:
    document = {
        "layers": [LAYER],
        "config": CONFIG,
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        **changes,
    }
    return json.dumps({key: value for key, value in document.items() if value is not None}).encode()


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_what_a_manifest_says() -> None:
    sent = content()
    manifest = parse_manifest(sent)
    assert manifest.digest == hashlib.sha256(sent).hexdigest()
    assert [(layer.media_type, layer.digest, layer.size) for layer in manifest.blobs] == [
        (LAYER["mediaType"], DIGEST, 7),
        (CONFIG["mediaType"], DIGEST, 3),
    ]


@pytest.mark.parametrize("layers", [None, []])
def test_a_model_in_the_cloud_has_no_layers(layers: object) -> None:
    assert parse_manifest(content(layers=layers)).blobs == (parse_manifest(content()).config,)


def test_what_is_null_is_not_there() -> None:
    sent = content(mediaType=None, layers=[{**LAYER, "from": None}], annotations={"a": [None]})
    assert parse_manifest(sent).layers == parse_manifest(content(layers=[LAYER])).layers
    assert parse_manifest(sent).media_type == ""


@pytest.mark.parametrize(
    ("kind", "empty"), [(ConfigLayer, ConfigLayer()), (dict[str, object], {}), (list[dict[str, object]], [])]
)
def test_a_layer_that_is_null_is_empty(kind: type[object], empty: object) -> None:
    layer = Layer(media_type=MediaType.CONFIG, digest=DIGEST, size=5)
    assert decode(b"null\n", kind, layer) == empty


def test_the_digests_that_older_and_local_copies_have() -> None:
    manifest = parse_manifest(content(annotations={"unknown": "to Go, so it was lost"}))
    assert manifest_content(manifest.config, manifest.layers).decode() == GO + "\n"
    assert reencoded(manifest) == {sha256(GO), sha256(GO + "\n")}


def test_a_layer_from_another_model_has_its_name_in_some_forms() -> None:
    manifest = parse_manifest(content(layers=[{**LAYER, "from": "base:<b>&1"}]))
    with_source = GO.replace('"size":7}', '"size":7,"from":"base:\\u003cb\\u003e\\u00261"}')
    assert reencoded(manifest) == {sha256(text) for text in (GO, GO + "\n", with_source, with_source + "\n")}


def test_made_locally_is_told_from_pulled_by_the_last_byte() -> None:
    made = (GO + "\n").encode()
    assert is_made_locally(made, parse_manifest(made))
    for pulled in (GO.encode(), content(), content() + b"\n"):
        assert not is_made_locally(pulled, parse_manifest(pulled))


def test_what_our_own_engine_writes_is_made_locally() -> None:
    layer = Layer(media_type=MediaType.MODEL, digest=DIGEST, size=7)
    written = manifest_content(layer, (layer,))
    assert is_made_locally(written, parse_manifest(written))


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        (b"<html>", "library.manifest_not_json"),
        (b"", "library.manifest_not_json"),
        (b"\xff\xfe", "library.manifest_not_json"),
        (b"[" * 100_000, "library.bad_manifest"),
        (b"[]", "library.bad_manifest"),
        (content(layers=7), "library.bad_manifest"),
        (content(config=None), "library.no_config"),
        (content(layers=[{**LAYER, "digest": "../../etc/passwd"}]), "library.no_digest"),
        (content(layers=[{**LAYER, "size": -1}]), "library.negative_size"),
        (content(layers=[{**LAYER, "size": "7"}]), "library.bad_manifest"),
        (content(layers=[{**LAYER, "size": 10**400}]), "library.too_large_size"),
        (b'{"layers": [' + b"{}, " * 20_000 + b"{}]}", "library.too_many_layers"),
    ],
)
def test_what_is_no_manifest(sent: bytes, kind: str) -> None:
    with fails(kind):
        parse_manifest(sent)


@given(
    st.binary(max_size=200)
    | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(msgspec.json.encode)
)
def test_any_bytes_are_a_manifest_or_a_sentence(sent: bytes) -> None:
    with suppress(InvalidManifest):
        assert parse_manifest(sent).config.digest
