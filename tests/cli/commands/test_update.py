"""``llmstack update --check``, and what ``ls`` remembers of it."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from tests.support.fake_ollama import fake_ollama
from tests.support.registry.faults import Fault, html

if TYPE_CHECKING:
    import subprocess

    from tests.support.program import Program
    from tests.support.registry.server import Registry


async def run(llmstack: Program, *arguments: str) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(llmstack, *arguments)


def updates(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    assert done.returncode == 0, done.stderr
    return [model["update"] for model in json.loads(done.stdout)["models"]]


async def test_an_unchanged_set_has_no_newer_version_and_nothing_is_downloaded(
    llmstack: Program, registry: Registry
) -> None:
    async with fake_ollama() as (fake, ollama):
        for name in ("one", "two"):
            fake.installed[registry.listed(name)] = registry.publish(name, name.encode()).digest
        found = updates(await run(llmstack, "update", "--check", "--json", "--host", ollama.url))
        told = await run(llmstack, "update", "--check", "--host", ollama.url, "--read-only")
    assert [each["state"] for each in found] == ["current", "current"]
    assert (told.returncode, told.stdout) == (0, "")
    assert "2 up to date." in told.stderr
    assert registry.blob_bytes_sent == 0
    assert {asked.method for asked in registry.asked} == {"HEAD"}


async def test_a_newer_version_what_changed_and_what_it_costs(llmstack: Program, registry: Registry) -> None:
    async with fake_ollama(far_cloud="c") as (fake, ollama):
        fake.cloud.add("far:cloud")
        fake.installed[registry.listed("one")] = registry.publish("one", b"weights").digest
        fake.installed[registry.listed("mine")] = "d" * 64
        new = registry.publish("one", b"new weights", pushed_at_s=2**31)
        host = ("--host", ollama.url)
        far, one, mine = updates(await run(llmstack, "update", "--check", "--json", *host))
        told = await run(llmstack, "update", "--check", registry.listed("one"), *host)
        again = updates(await run(llmstack, "ls", "--json", *host))
    assert (far["state"], mine["state"]) == ("cloud", "local")
    assert (one["state"], one["download"], one["at_most"]) == ("stale", new.size, True)
    assert one["digest"] == new.digest
    assert one["checked_at"]
    assert registry.listed("one") in told.stdout
    assert "1 with a newer version." in told.stderr
    assert [each["state"] for each in again] == ["cloud", "stale", "local"]
    assert set(again[1]) >= {"state", "changed", "download", "checked_at"}
    assert registry.blob_bytes_sent == 0


async def test_ls_asks_no_registry(llmstack: Program, registry: Registry) -> None:
    async with fake_ollama() as (fake, ollama):
        fake.installed[registry.listed("one")] = registry.publish("one", b"weights").digest
        (before,) = updates(await run(llmstack, "ls", "--json", "--host", ollama.url))
        assert before == {"state": "unknown", "changed": [], "download": None, "checked_at": None}
        assert registry.asked == []
        await run(llmstack, "update", "--check", "--host", ollama.url)
        registry.forget()
        (after,) = updates(await run(llmstack, "ls", "--json", "--host", ollama.url))
        assert after["state"] == "current"
        assert registry.asked == []


async def test_a_registry_that_fails_is_a_sentence_and_no_failure(
    llmstack: Program, registry: Registry
) -> None:
    async with fake_ollama() as (fake, ollama):
        for number in range(20):
            fake.installed[registry.listed(f"m{number}")] = "a" * 64
        for fault, words in ((Fault(status=500), "status 500"), (html(), "web page")):
            registry.faults = [fault]
            done = await run(llmstack, "update", "--check", "--json", "--host", ollama.url)
            assert {each["state"] for each in updates(done)} == {"unknown"}
            assert words in done.stderr
            assert len(done.stderr.splitlines()) < 5


async def test_wrong_calls(llmstack: Program, registry: Registry) -> None:
    async with fake_ollama(tiny_latest="a") as (_, ollama):
        unknown = await run(llmstack, "update", "--check", "nobody", "--host", ollama.url)
        bare = await run(llmstack, "update", "--host", ollama.url)
    assert (unknown.returncode, bare.returncode) == (1, 2)
    assert "no model 'nobody'" in unknown.stderr
    assert "--check" in bare.stderr
    assert registry.asked == []
