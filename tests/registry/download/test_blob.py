"""Blobs from a registry that does not always do what it should."""

from __future__ import annotations

import asyncio
import errno
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from llmstack_tui.registry.download.partial import Partial, count_bytes
from tests.registry.download.pulling import PART, WEIGHTS, blobs, pulled, pulls_into, ranges, statuses, texts
from tests.support.failures import fails
from tests.support.gguf.files import Llama
from tests.support.registry import Fault, Registry
from tests.support.registry.faults import busy
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from llmstack_tui.registry.download.pull import PullStep


def part(span: str) -> Fault:
    return Fault(path="/data/", status=206, headers={"Content-Range": f"bytes {span}"})


def on_to(address: str) -> Fault:
    return Fault(path="/blobs/", status=307, headers={"Location": address})


def below_half(step: PullStep) -> bool:
    return 0 < step.completed < step.total / 2


async def test_a_blob_comes_in_parts_several_at_once(registry: Registry, tmp_path: Path) -> None:
    version = registry.publish("tiny", WEIGHTS)
    registry.delay_s = 0.05
    async with pulls_into(tmp_path) as pulls:
        await pulled(pulls, registry.name("tiny"))
    asked = ranges(registry, version)
    assert len(asked) == len(set(asked)) == 11
    assert (0, PART) in asked
    assert 2 <= registry.at_once <= 4
    assert (tmp_path / "blobs" / version.weights.digest.replace(":", "-")).read_bytes() == WEIGHTS


async def test_each_connection_is_cut_and_the_blob_still_comes(registry: Registry, tmp_path: Path) -> None:
    version = registry.publish("tiny", WEIGHTS)
    registry.faults = [Fault(path=f"/data/blobs/{version.weights.digest}", cut_after=PART // 3, times=10)]
    async with pulls_into(tmp_path) as pulls:
        steps = await pulled(pulls, registry.name("tiny"))
    assert statuses(steps)[-1] == "writing manifest"
    assert len(ranges(registry, version)) >= 20
    # What had come before a cut was not asked for again.
    assert registry.blob_bytes_sent == version.size


async def test_a_silent_connection_is_given_up(registry: Registry, tmp_path: Path) -> None:
    version = registry.publish("tiny", WEIGHTS)
    registry.faults = [Fault(path=f"/data/blobs/{version.weights.digest}", stall_after=1000, times=2)]
    async with pulls_into(tmp_path) as pulls:
        await pulled(pulls, registry.name("tiny"))
    assert blobs(tmp_path)[version.weights.digest[7:19]] == len(WEIGHTS)


async def test_a_pull_goes_on_where_it_was_left(registry: Registry, tmp_path: Path) -> None:
    version = registry.publish("tiny", WEIGHTS)
    registry.faults = [Fault(path=version.weights.digest, host="localhost", bytes_per_s=PART)]
    async with pulls_into(tmp_path) as pulls:
        left_at = (await pulled(pulls, registry.name("tiny"), below_half))[-1].completed
        assert set(blobs(tmp_path)) == {
            f"{version.weights.digest[7:19]}-partial",
            f"{version.weights.digest[7:19]}-partial.json",
            *texts(version),
        }
        registry.faults = []
        registry.forget()
        steps = await pulled(pulls, registry.name("tiny"))
    assert steps[1].completed >= left_at > 0
    assert count_bytes(sorted(ranges(registry, version))) <= len(WEIGHTS) - left_at
    assert set(blobs(tmp_path)) == {layer.digest[7:19] for layer in version.layers}


async def test_corrupt_bytes_are_thrown_away(registry: Registry, tmp_path: Path) -> None:
    version = registry.publish("tiny", WEIGHTS)
    registry.faults = [Fault(path=f"/data/blobs/{version.weights.digest}", corrupt=True, times=1)]
    async with pulls_into(tmp_path) as pulls:
        with fails("registry.wrong_digest"):
            await pulled(pulls, registry.name("tiny"))
        assert set(blobs(tmp_path)) == texts(version)
        assert not (tmp_path / "manifests").exists()
        await pulled(pulls, registry.name("tiny"))
    assert blobs(tmp_path)[version.weights.digest[7:19]] == len(WEIGHTS)


async def test_a_short_blob_is_no_blob(registry: Registry, tmp_path: Path) -> None:
    version = registry.publish("tiny", WEIGHTS)
    registry.faults = [Fault(path=f"/data/blobs/{version.weights.digest}", short=10)]
    async with pulls_into(tmp_path) as pulls:
        with fails("registry.cut_short"):
            await pulled(pulls, registry.name("tiny"))
        assert version.weights.digest[7:19] not in blobs(tmp_path)
        registry.faults = []
        await pulled(pulls, registry.name("tiny"))
    assert blobs(tmp_path)[version.weights.digest[7:19]] == len(WEIGHTS)


async def test_a_server_without_ranges_sends_all_at_once(registry: Registry, tmp_path: Path) -> None:
    version = registry.publish("tiny", WEIGHTS)
    registry.redirects = False
    weights = f"/blobs/{version.weights.digest}"
    registry.faults = [Fault(path=weights, no_ranges=True, cut_after=3 * PART, times=1)]
    registry.faults.append(Fault(path="/blobs/", no_ranges=True))
    async with pulls_into(tmp_path) as pulls:
        await pulled(pulls, registry.name("tiny"))
    assert len(registry.requests(version.weights.digest)) == 2
    assert (tmp_path / "blobs" / version.weights.digest.replace(":", "-")).read_bytes() == WEIGHTS


async def test_a_registry_that_is_busy_is_left_alone_for_as_long_as_it_says(
    registry: Registry, tmp_path: Path
) -> None:
    version = registry.publish("tiny", bytes(Llama()))
    registry.faults = [busy(version.weights.digest, times=1, retry_after="1")]
    async with pulls_into(tmp_path) as pulls:
        await pulled(pulls, registry.name("tiny"))
    first, second, *_ = registry.requests(f"/v2/library/tiny/blobs/{version.weights.digest}")
    assert second.at_s - first.at_s >= 1


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(path="/blobs/", status=500), "registry.status"),
        (Fault(path="/blobs/", status=401), "registry.layer_private"),
        (Fault(path="/data/blobs/", status=404), "registry.layer_missing"),
        (Fault(path="/data/blobs/", status=410), "registry.layer_status"),
        (on_to("/v2/library/tiny/blobs/x"), "registry.redirects"),
        (on_to("ftp://x/"), "registry.bad_redirect"),
        (on_to("http://127.0.0.1:9/"), "registry.unreachable"),
        (part("5-9/10"), "registry.other_bytes"),
        (part("0-9/10"), "registry.other_size"),
        (Fault(path="/data/", status=416), "registry.layer_too_short"),
        (Fault(path="/data/", body=b"<html>"), "registry.other_size"),
    ],
)  # fmt: skip
async def test_what_no_registry_should_answer(
    registry: Registry, tmp_path: Path, fault: Fault, kind: str
) -> None:
    registry.publish("tiny", WEIGHTS)
    registry.faults = [fault]
    async with pulls_into(tmp_path) as pulls:
        with fails(kind):
            await pulled(pulls, registry.name("tiny"))
    assert not (tmp_path / "manifests").exists()
    assert all("partial" in name for name in blobs(tmp_path))


async def test_two_pulls_of_one_blob_share_it(registry: Registry, tmp_path: Path) -> None:
    version = registry.publish("tiny", WEIGHTS)
    registry.publish("other", WEIGHTS, system="Terse.")
    slow = Fault(path=f"/data/blobs/{version.weights.digest}", bytes_per_s=2 * PART)
    registry.faults = [slow]
    async with pulls_into(tmp_path) as pulls:
        one = asyncio.create_task(pulled(pulls, registry.name("tiny")))
        await wait_until(lambda: registry.blob_bytes_sent)
        other = asyncio.create_task(pulled(pulls, registry.name("other"), below_half))
        await other
        # The one that left took nothing away from the one that stayed.
        registry.faults = []
        assert "writing manifest" in statuses(await one)
    asked = ranges(registry, version)
    assert len(asked) == len(set(asked))
    assert (tmp_path / "blobs" / version.weights.digest.replace(":", "-")).read_bytes() == WEIGHTS


async def test_a_full_disk_is_said_and_leaves_nothing_half(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = registry.publish("tiny", WEIGHTS)
    write, full = Partial.write, [True]

    def write_until_full(partial: Partial, at: int, data: bytes) -> None:
        if full[0] and at > 5 * PART:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(partial, at, data)

    monkeypatch.setattr(Partial, "write", write_until_full)
    async with pulls_into(tmp_path) as pulls:
        with fails("registry.disk_full", folder=str(tmp_path / "blobs")):
            await pulled(pulls, registry.name("tiny"))
        assert version.weights.digest[7:19] not in blobs(tmp_path)
        full[0] = False
        registry.forget()
        await pulled(pulls, registry.name("tiny"))
    assert count_bytes(sorted(ranges(registry, version))) < len(WEIGHTS)
    assert (tmp_path / "blobs" / version.weights.digest.replace(":", "-")).read_bytes() == WEIGHTS


async def test_another_engine_that_downloads_into_the_folder_is_left_alone(
    registry: Registry, tmp_path: Path
) -> None:
    registry.publish("tiny", WEIGHTS)
    with FileLock(tmp_path / ".downloads.lock"):
        async with pulls_into(tmp_path) as pulls:
            with fails("registry.other_engine", models=str(tmp_path)):
                await pulled(pulls, registry.name("tiny"))


@pytest.mark.parametrize("note", [b"", b"{", b"[]", b'{"size":1,"done":[[0,1]]}', b"\xff"])
async def test_a_note_that_says_nothing_is_passed_over(
    registry: Registry, tmp_path: Path, note: bytes
) -> None:
    version = registry.publish("tiny", WEIGHTS)
    (tmp_path / "blobs").mkdir()
    partial = tmp_path / "blobs" / (version.weights.digest.replace(":", "-") + "-partial")
    partial.write_bytes(b"x" * 2 * len(WEIGHTS))
    partial.with_name(partial.name + ".json").write_bytes(note)
    async with pulls_into(tmp_path) as pulls:
        await pulled(pulls, registry.name("tiny"))
    assert set(blobs(tmp_path)) == {layer.digest[7:19] for layer in version.layers}
