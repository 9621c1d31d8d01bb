"""Pulls from whatever HTTP allows: they succeed or end with one sentence, and nothing half is whole."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.names import ModelName
from llmstack_tui.base.structs import replace
from llmstack_tui.core.wording import words
from llmstack_tui.library.errors import LibraryError
from llmstack_tui.library.library import Library, NotInstalled
from tests.registry.download.pulling import PART, QUICK, WEIGHTS, blobs, pulled, pulls_into
from tests.support.failures import fails
from tests.support.gguf.files import Llama
from tests.support.registry import Fault, Registry
from tests.support.registry.faults import busy
from tests.support.registry.published import CONFIG, Layer, described
from tests.support.scripted_server import Reply, serving

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.scripted_server import Request

MANY = "9" * 400
DATA = "/data/blobs/"
PAGE = b"<!DOCTYPE html><html>Please sign in</html>"


def on_to(path: str, address: str, times: int | None = None) -> Fault:
    return Fault(path=path, status=302, headers={"Location": address}, times=times)


def is_whole(own: Path, registry: Registry, name: str = "tiny") -> bool:
    """Whether the model is installed, and each of its blobs is what its name says; nothing else is there."""
    model = Library(own).get(ModelName.parse(registry.name(name)))
    files = list((own / "blobs").iterdir())
    digests = {f"sha256-{hashlib.sha256(file.read_bytes()).hexdigest()}" for file in files}
    return model.weights.read_bytes() == WEIGHTS and digests == {file.name for file in files}


def has_nothing_half(own: Path, registry: Registry) -> bool:
    """Whether no model is there, and each blob that has its final name is what that says."""
    with pytest.raises(NotInstalled):
        Library(own).get(ModelName.parse(registry.name("tiny")))
    files = [file for file in (own / "blobs").glob("*") if "partial" not in file.name]
    return all(file.name[7:] == hashlib.sha256(file.read_bytes()).hexdigest() for file in files)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(path=DATA, no_ranges=True),
        Fault(path=DATA, no_ranges=True, chunked=True),
        Fault(path=DATA, no_ranges=True, packed=True),
        Fault(path=DATA, no_ranges=True, packed=True, chunked=True),
        Fault(path=DATA, no_ranges=True, packed=True, cut_after=3 * PART, times=1),
        Fault(path=DATA, no_ranges=True, headers={"Content-Encoding": "gzip"}),
        Fault(path=DATA, total="*"),
        Fault(path=DATA, total="*", chunked=True),
        Fault(path=DATA, chunked=True),
        Fault(path=DATA, chunked=True, cut_after=PART // 2, times=3),
        Fault(path=DATA, headers={"Content-Encoding": "gzip"}),
        Fault(path="/manifests/", packed=True),
        Fault(path="/manifests/", chunked=True),
        Fault(path="/manifests/", packed=True, chunked=True),
        Fault(path="/manifests/", headers={"Content-Encoding": "x-unknown"}),
        busy(times=1, retry_after="-5"),
        busy(times=1, retry_after="soon"),
        busy(times=1, retry_after="0." + MANY),
        busy(times=1, retry_after="Sun, 06 Nov 1994 08:49:37 GMT"),
        busy(DATA, times=1, retry_after="Sun, 06 Nov 1994 08:49:37 +" + MANY),
        busy(DATA, times=1, retry_after=f"Sun, {MANY} Nov 1994 08:49:37 GMT"),
        busy(DATA, times=2, retry_after="Sun, 06 Nov 99999 08:49:37 GMT"),
        Fault(path=DATA, status=503, times=2),
    ],
    ids=repr,
)
async def test_it_comes_anyway(registry: Registry, tmp_path: Path, fault: Fault) -> None:
    registry.publish("tiny", WEIGHTS, system="Terse.")
    registry.faults = [fault]
    async with pulls_into(tmp_path) as pulls:
        await pulled(pulls, registry.name("tiny"))
    assert is_whole(tmp_path, registry)


async def test_bytes_that_drip_are_said_to(registry: Registry, tmp_path: Path) -> None:
    version = registry.publish("tiny", WEIGHTS)
    registry.faults = [Fault(path=f"{DATA}{version.weights.digest}", bytes_per_s=20)]
    options = replace(QUICK, connections=1, silence_s=0.2, tries=2)
    async with pulls_into(tmp_path, options=options) as pulls:
        with fails("registry.dripping"):
            await pulled(pulls, registry.name("tiny"))
        assert has_nothing_half(tmp_path, registry)
        registry.faults = []
        await pulled(pulls, registry.name("tiny"))
    assert is_whole(tmp_path, registry)


async def test_a_head_that_drips_is_given_up(registry: Registry, tmp_path: Path) -> None:
    registry.publish("tiny", WEIGHTS)
    registry.faults = [Fault(path="/blobs/", head_bytes_per_s=50)]
    async with pulls_into(tmp_path, options=replace(QUICK, silence_s=0.2, tries=2)) as pulls:
        with fails("registry.silent"):
            await pulled(pulls, registry.name("tiny"))
        registry.faults = []
        await pulled(pulls, registry.name("tiny"))
    assert is_whole(tmp_path, registry)


async def test_one_connection_that_drips_is_left_for_another(registry: Registry, tmp_path: Path) -> None:
    registry.publish("tiny", WEIGHTS)
    registry.faults = [Fault(path=DATA, bytes_per_s=20, times=2)]
    async with pulls_into(tmp_path, options=replace(QUICK, silence_s=0.2)) as pulls:
        await pulled(pulls, registry.name("tiny"))
    assert is_whole(tmp_path, registry)


@pytest.mark.parametrize("path", ["/manifests/", "/v2/library/tiny/blobs/", DATA])
async def test_a_connection_that_is_cut_in_the_head(registry: Registry, tmp_path: Path, path: str) -> None:
    registry.publish("tiny", WEIGHTS)
    # A manifest is asked for twice at most.
    points = (17,) if path == "/manifests/" else (0, 5, 17, 40)
    registry.faults = [Fault(path=path, cut_in_head=at, times=1) for at in points]
    async with pulls_into(tmp_path, options=replace(QUICK, tries=6)) as pulls:
        await pulled(pulls, registry.name("tiny"))
    assert is_whole(tmp_path, registry)


@pytest.mark.parametrize("ranged", [True, False])
async def test_a_connection_that_is_cut_at_each_point(
    registry: Registry, tmp_path: Path, ranged: bool
) -> None:
    version = registry.publish("tiny", WEIGHTS)
    path = f"{DATA}{version.weights.digest}"
    points = [0, 1, 2, len(bytes(Llama())), PART - 1, PART, PART + 1, 3 * PART, len(WEIGHTS) - 1]
    registry.faults = [Fault(path=path, cut_after=at, no_ranges=not ranged, times=1) for at in points]
    registry.faults.append(Fault(path=path, no_ranges=not ranged))
    async with pulls_into(tmp_path, options=replace(QUICK, connections=1, tries=6)) as pulls:
        await pulled(pulls, registry.name("tiny"))
    assert is_whole(tmp_path, registry)


@pytest.mark.parametrize("place", ["/", "../../../../", "HTTP://localhost:{}/", "//localhost:{}/"])
async def test_redirects_of_any_form(registry: Registry, tmp_path: Path, place: str) -> None:
    version, place = registry.publish("tiny", WEIGHTS), place.format(registry.port)
    for layer in version.layers:
        registry.faults.append(
            on_to(f"/library/tiny/blobs/{layer.digest}", f"{place}data/blobs/{layer.digest}")
        )
    manifest = "v2/library/tiny/manifests/latest"
    registry.faults.append(on_to("/manifests/", f"{place}{manifest}?again", times=1))
    async with pulls_into(tmp_path) as pulls:
        await pulled(pulls, registry.name("tiny"))
    assert is_whole(tmp_path, registry)
    assert registry.requests(f"/{manifest}?again")


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(path=DATA, body=PAGE, content_type="text/html"), "registry.web_page"),
        (Fault(path=DATA, body=PAGE, content_type="text/html; charset=x", chunked=True), "registry.web_page"),
        (Fault(path=DATA, total=MANY), "registry.other_bytes"),
        (Fault(path=DATA, total="-5"), "registry.other_bytes"),
        (Fault(path=DATA, headers={"Content-Length": "-1"}), "registry.not_http"),
        (Fault(path=DATA, headers={"Content-Length": MANY}), "registry.not_http"),
        (Fault(path=DATA, no_ranges=True, headers={"Content-Length": "9" * 18}), "registry.other_size"),
        (Fault(path=DATA, no_ranges=True, headers={"Content-Length": MANY}), "registry.not_http"),
        (Fault(path=DATA, no_ranges=True, packed=True, corrupt=True), "registry.broken_packing"),
        (Fault(path=DATA, status=429), "registry.status"),
        (Fault(path=DATA, status=503), "registry.status"),
        (Fault(path=DATA, status=206), None),
        (Fault(path=DATA, cut_in_head=9), None),
        (Fault(path=DATA, cut_after=0), None),
        (Fault(path=DATA, status=302), "registry.layer_status"),
        (on_to("/blobs/", "http://127.0.0.1:99999/"), "registry.bad_redirect"),
        (on_to("/blobs/", "http://127.0.0.1:-5/"), "registry.bad_redirect"),
        (on_to("/blobs/", f"http://127.0.0.1:{MANY}/"), "registry.bad_redirect"),
        (on_to("/blobs/", f"http://127.0.0.1:{'9' * 5000}/"), "registry.bad_redirect"),
        (on_to("/blobs/", "http://["), "registry.bad_redirect"),
        (on_to("/blobs/", "http://" + "x" * 300 + "/"), "registry.bad_redirect"),
        (on_to("/blobs/", "http:///"), "registry.bad_redirect"),
        (on_to("/blobs/", "file:///etc/passwd"), "registry.bad_redirect"),
        (Fault(path="/manifests/", body=b""), "library.manifest_not_json"),
        (Fault(path="/manifests/", body=b"null"), "library.bad_manifest"),
        (Fault(path="/manifests/", body=b"{}"), "library.no_config"),
        (Fault(path="/manifests/", packed=True, corrupt=True), "registry.broken_packing"),
        (Fault(path="/manifests/", packed=True, body=b" " * 50_000_000), "registry.large_manifest"),
        (Fault(path="/manifests/", chunked=True, body=b" " * 50_000_000), "registry.large_manifest"),
        (Fault(path="/manifests/", body=PAGE, content_type="text/html", packed=True), "registry.web_page"),
        (Fault(path="/manifests/", headers={"Content-Length": MANY}), "registry.not_http"),
        (Fault(path="/manifests/", headers={"Content-Length": "-1"}), "registry.not_http"),
        (Fault(path="/manifests/", cut_in_head=9), None),
        (Fault(path="/manifests/", status=302), "registry.not_usable"),
        (on_to("/manifests/", "http://127.0.0.1:99999/"), "registry.bad_address"),
        (on_to("/manifests/", f"http://127.0.0.1:{MANY}/"), "registry.bad_address"),
        (on_to("/manifests/", "http://127.0.0.1:-5/"), "registry.bad_address"),
        (on_to("/manifests/", "http://" + "x" * 300 + "/"), None),
    ],
    ids=lambda value: repr(value)[:150],
)  # fmt: skip
async def test_it_ends_with_one_sentence(
    registry: Registry, tmp_path: Path, fault: Fault, kind: str | None
) -> None:
    registry.publish("tiny", WEIGHTS)
    registry.faults = [fault]
    async with pulls_into(tmp_path, options=replace(QUICK, tries=2)) as pulls:
        with pytest.raises(LibraryError) as caught:
            await pulled(pulls, registry.name("tiny"))
        text = words(caught.value)
        assert text.endswith((".", "?"))
        assert len(text) < 300
        assert "signature" not in text
        assert kind is None or kind in repr(caught.value)
        assert has_nothing_half(tmp_path, registry)
        registry.faults = []
        await pulled(pulls, registry.name("tiny"))
    assert is_whole(tmp_path, registry)


@pytest.mark.parametrize("later", [MANY, "Fri, 31 Dec 9999 23:59:59 -2359"])
async def test_a_registry_that_is_busy_for_ages_is_said_to_be(
    registry: Registry, tmp_path: Path, later: str
) -> None:
    registry.publish("tiny", WEIGHTS)
    registry.faults = [busy("/manifests/", retry_after=later)]
    async with pulls_into(tmp_path) as pulls:
        with fails("registry.busy"):
            await pulled(pulls, registry.name("tiny"))
    assert has_nothing_half(tmp_path, registry)


WEIGHTS_LAYER, CONFIG_LAYER = Layer("model", WEIGHTS), Layer("config", json.dumps(CONFIG).encode())
EMPTY = Layer("license", b"")
MODEL, CONFIGURATION, NOTHING = described(WEIGHTS_LAYER), described(CONFIG_LAYER), described(EMPTY)
MODEL_DIGEST = WEIGHTS_LAYER.digest[7:]
MANIFEST = {"schemaVersion": 2, "config": CONFIGURATION, "layers": [MODEL]}


@pytest.mark.parametrize(
    "manifest",
    [
        MANIFEST | {"layers": [MODEL, MODEL]},
        MANIFEST | {"layers": [MODEL, NOTHING]},
        MANIFEST | {"layers": [MODEL, NOTHING, NOTHING | {"mediaType": "x/y"}]},
        MANIFEST | {"layers": [MODEL, MODEL | {"mediaType": "x/y"}]},
        MANIFEST | {"layers": [MODEL, MODEL | {"digest": f"sha256:{MODEL_DIGEST.upper()}"}]},
        MANIFEST | {"mediaType": None, "schemaVersion": None, "annotations": None},
        MANIFEST | {"layers": [MODEL | {"from": None, "urls": None}]},
    ],
    ids=lambda manifest: str(manifest)[-150:],
)  # fmt: skip
async def test_manifests_of_any_form(registry: Registry, tmp_path: Path, manifest: dict[str, object]) -> None:
    for layer in (WEIGHTS_LAYER, CONFIG_LAYER, EMPTY):
        registry.add_blob(layer)
    registry.publish_manifest("tiny", manifest)
    async with pulls_into(tmp_path) as pulls:
        await pulled(pulls, registry.name("tiny"))
    assert is_whole(tmp_path, registry)


@pytest.mark.parametrize(
    ("manifest", "kind"),
    [
        (MANIFEST | {"config": None}, "library.no_config"),
        (MANIFEST | {"layers": None}, "registry.no_layers"),
        (MANIFEST | {"layers": [None]}, "library.bad_manifest"),
        (MANIFEST | {"layers": [MODEL | {"digest": None}]}, "library.no_digest"),
        (MANIFEST | {"layers": [MODEL | {"size": -1}]}, "library.negative_size"),
        (MANIFEST | {"layers": [MODEL | {"size": 0}]}, "registry.wrong_digest"),
        (MANIFEST | {"layers": [MODEL | {"size": None}]}, "registry.wrong_digest"),
        (MANIFEST | {"layers": [MODEL | {"size": 2**60}]}, "registry.no_room"),
        (MANIFEST | {"layers": [MODEL | {"size": 2**63 - 1}] * 3}, "registry.no_room"),
        (MANIFEST | {"layers": [MODEL | {"size": 2**63}]}, "library.too_large_size"),
        (MANIFEST | {"layers": [MODEL | {"size": int(MANY)}]}, "library.too_large_size"),
        (MANIFEST | {"layers": [MODEL | {"size": -int(MANY)}]}, "library.negative_size"),
        (MANIFEST | {"layers": [MODEL | {"size": len(WEIGHTS) + 1}]}, "registry.other_size"),
        (MANIFEST | {"layers": [MODEL | {"size": len(WEIGHTS) - 1}]}, "registry.other_size"),
        (MANIFEST | {"layers": [MODEL, MODEL | {"mediaType": "x/y", "size": 5}]}, "registry.other_size"),
    ],
    ids=lambda value: str(value)[-150:],
)  # fmt: skip
async def test_manifests_that_make_no_model(
    registry: Registry, tmp_path: Path, manifest: dict[str, object], kind: str
) -> None:
    for layer in (WEIGHTS_LAYER, CONFIG_LAYER, EMPTY):
        registry.add_blob(layer)
    registry.publish_manifest("tiny", manifest)
    async with pulls_into(tmp_path, options=replace(QUICK, tries=2)) as pulls:
        with pytest.raises(LibraryError) as caught:
            await pulled(pulls, registry.name("tiny"))
    assert kind in repr(caught.value)
    assert has_nothing_half(tmp_path, registry)


async def test_nulls_in_a_config(registry: Registry, tmp_path: Path) -> None:
    config: dict[str, object] = {**CONFIG, "model_family": None, "file_type": None, "model_families": None}
    registry.publish("tiny", WEIGHTS, config=config)
    async with pulls_into(tmp_path) as pulls:
        await pulled(pulls, registry.name("tiny"))
    assert is_whole(tmp_path, registry)


@pytest.mark.parametrize("path", ["/manifests/", "/blobs/"])
@pytest.mark.parametrize(
    "target", ["127.0.0.1:{}", "10.0.0.1", "[::1]:{}", "localhost:{}", "169.254.169.254"]
)
async def test_nothing_outside_leads_inside(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, target: str
) -> None:
    version = registry.publish("tiny", WEIGHTS)

    async def outside(request: Request) -> Reply:
        if path not in request.path:
            return Reply([version.manifest])
        return Reply(status=307, headers={"Location": f"http://{target.format(registry.port)}/"})

    async with serving(outside) as proxy, pulls_into(tmp_path) as pulls:
        for variable in ("http_proxy", "HTTP_PROXY"):
            monkeypatch.setenv(variable, proxy.url)
        for variable in ("no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.delenv(variable, raising=False)
        with pytest.raises(LibraryError, match=r"registry\.inward_redirect"):
            await pulled(pulls, "http://registry.example/library/tiny")
    assert not registry.asked
    assert len(proxy.asked) <= 2
    assert all("partial" in name for name in blobs(tmp_path))
