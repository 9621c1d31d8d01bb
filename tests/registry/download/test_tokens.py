"""Pulls from a registry that wants a token, which anybody gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from llmstack_tui.core.wording import words
from llmstack_tui.library.errors import LibraryError
from tests.registry.download.pulling import PART, QUICK, WEIGHTS, blobs, pulled, pulls_into, statuses
from tests.support.registry import Fault, Registry
from tests.support.registry.faults import busy, html

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def registry(registry: Registry) -> Registry:
    registry.wants_token = True
    return registry


async def test_one_token_for_a_whole_model(registry: Registry, tmp_path: Path) -> None:
    version = registry.publish("tiny", WEIGHTS, system="Terse.")
    async with pulls_into(tmp_path) as pulls:
        steps = await pulled(pulls, registry.name("tiny"))
    assert statuses(steps)[-1] == "writing manifest"
    assert blobs(tmp_path)[version.weights.digest[7:19]] == len(WEIGHTS)
    assert len(registry.tokens) == 1


async def test_no_token_reaches_the_host_of_the_bytes(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    registry.publish("tiny", WEIGHTS)
    async with pulls_into(tmp_path / "models") as pulls:
        await pulled(pulls, registry.name("tiny"))
    at_registry = registry.requests("/v2/library/tiny/blobs/")
    elsewhere = registry.requests("/data/blobs/")
    assert {asked.headers["authorization"] for asked in at_registry} == {f"Bearer {registry.tokens[0]}"}
    assert {asked.host for asked in elsewhere} == {"localhost"}
    assert not any("authorization" in asked.headers for asked in elsewhere)
    assert not any("authorization" in asked.headers for asked in registry.requests("/token"))


async def test_a_token_that_runs_out_in_the_middle_is_got_anew_once_for_all_parts(
    registry: Registry, tmp_path: Path
) -> None:
    version = registry.publish("tiny", WEIGHTS)
    registry.token_uses = 6
    async with pulls_into(tmp_path) as pulls:
        await pulled(pulls, registry.name("tiny"))
    assert blobs(tmp_path)[version.weights.digest[7:19]] == len(WEIGHTS)
    # Eleven parts, the config and the manifest, six requests with each.
    asked = len(registry.requests("/v2/"))
    assert 3 <= len(registry.tokens) <= asked // 3


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (Fault(path="/token", status=401), "it is private, or not there"),
        (Fault(path="/blobs/", host="127.0.0.1", status=401), ": the model is private"),
        (html("/token"), "gave no token for"),
        (Fault(path="/token", status=500), "(status 500): try again later"),
        (busy("/token", retry_after="600"), "asked too often: try again in 10"),
    ],
)
async def test_no_token_is_said_in_one_sentence(
    registry: Registry, tmp_path: Path, fault: Fault, text: str
) -> None:
    registry.publish("tiny", WEIGHTS)
    registry.faults = [fault]
    async with pulls_into(tmp_path) as pulls:
        with pytest.raises(LibraryError) as caught:
            await pulled(pulls, registry.name("tiny"))
    assert text in words(caught.value)
    assert not any(token in repr(caught.value) for token in registry.tokens)
    assert not (tmp_path / "manifests").exists()


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (Fault(path="/token", status=403), "private, or not there"),
        (
            Fault(path="/token", status=500),
            "(status 500): try again later. What came",
        ),
    ],
)
async def test_a_new_token_that_is_refused_in_the_middle_ends_it(
    registry: Registry, tmp_path: Path, fault: Fault, text: str
) -> None:
    version = registry.publish("tiny", WEIGHTS)
    registry.token_uses = 4
    async with pulls_into(tmp_path, options=QUICK) as pulls:
        registry.faults = [
            Fault(path="/token", times=1, headers={"X-First": "yes"}),
            fault,
            Fault(path=f"/data/blobs/{version.weights.digest}", bytes_per_s=20 * PART),
        ]
        with pytest.raises(LibraryError) as caught:
            await pulled(pulls, registry.name("tiny"))
        assert text in words(caught.value)
        registry.faults = []
        registry.token_uses = None
        await pulled(pulls, registry.name("tiny"))
    assert blobs(tmp_path)[version.weights.digest[7:19]] == len(WEIGHTS)
