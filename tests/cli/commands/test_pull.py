"""``llmstack pull`` and ``update`` against a real engine and a registry on this machine."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from llmstack_tui.core.options import StackOptions
from llmstack_tui.ollama.client import OllamaHost
from tests.support.engine_process import engine_process
from tests.support.gguf import models
from tests.support.registry import Fault, Registry
from tests.support.stacks import following
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.program import Program

LATER = 2**31


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with engine_process(tmp_path_factory.mktemp("engine")) as url:
        yield url


async def run(llmstack: Program, *arguments: str) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(llmstack, *arguments)


def lines(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_pull_update_and_nothing_more(
    llmstack: Program, engine: str, registry: Registry, tiny_model: Path
) -> None:
    host = ("--host", engine)
    version = registry.publish("cli", tiny_model.read_bytes() + b"cli")
    name = registry.listed("cli")
    pulled = llmstack("pull", registry.name("cli"), "--json", *host)
    assert pulled.returncode == 0, pulled.stderr
    told = lines(pulled)
    assert {each["name"] for each in told} == {name}
    assert (told[-1]["state"], told[-1]["completed"], told[-1]["total"]) == (
        "done",
        version.size,
        version.size,
    )
    assert set(told[-1]) >= {"host", "name", "state", "step", "completed", "total", "speed", "left", "reason"}
    assert llmstack("start", name, "--keep-alive", "7m", *host).returncode == 0
    registry.forget()
    unchanged = llmstack("update", "--all", *host)
    assert (unchanged.returncode, unchanged.stdout) == (0, "")
    assert "nothing to update" in unchanged.stderr
    assert not registry.requests("/blobs/")
    new = registry.publish("cli", tiny_model.read_bytes() + b"cli new", pushed_at_s=LATER)
    updated = llmstack("update", name, *host)
    assert (updated.returncode, updated.stderr) == (0, "")
    assert updated.stdout == f"{name} is up to date at {engine}.\n"
    (model,) = json.loads(llmstack("ps", "--json", *host).stdout)["models"]
    assert (model["name"], model["digest"], model["state"]) == (name, new.digest, "active")
    again = llmstack("update", name, *host)
    assert (again.returncode, again.stdout) == (0, "")
    assert f"{name} is up to date." in again.stderr
    llmstack("rm", name, "--yes", *host)


def test_a_pull_says_that_the_files_template_cannot_be_read(
    llmstack: Program, engine: str, registry: Registry, tmp_path: Path
) -> None:
    file = models.scripted(tmp_path / "model.gguf", chat_template="{% for message in messages %}{{ message }")
    registry.publish("unread", file.read_bytes())
    name = registry.name("unread")
    pulled = llmstack("pull", name, "--host", engine)
    assert pulled.returncode == 0
    assert f"{name}: llama.cpp cannot read the model's Jinja template: " in pulled.stderr
    assert "The known template plain answers instead." in pulled.stderr
    llmstack("rm", registry.listed("unread"), "--yes", "--host", engine)


def test_what_cannot_be_pulled(llmstack: Program, engine: str, registry: Registry) -> None:
    host = ("--host", engine)
    missing = llmstack("pull", registry.name("none"), *host)
    assert missing.returncode == 1
    assert "has no model" in missing.stderr
    assert len(missing.stderr.splitlines()) == 1
    document = lines(llmstack("pull", registry.name("none"), "--json", *host))[-1]
    assert document["state"] == "failed"
    assert "has no model" in document["reason"]
    assert llmstack("pull", "a b", *host).returncode == 2
    spanish = replace(llmstack, variables={**llmstack.variables, "LLMSTACK_UI_LANGUAGE": "es"})
    unreachable = "No se puede conectar con 127.0.0.1:9: conexión rechazada."
    assert unreachable in spanish("pull", "http://127.0.0.1:9/a/b", *host).stderr
    assert "no tiene el modelo" in spanish("pull", registry.name("none"), *host).stderr
    assert llmstack("pull", *host).returncode == 2
    assert llmstack("update", *host).returncode == 2
    assert llmstack("update", "--all", "a", *host).returncode == 2
    for command in (("pull", "tiny"), ("update", "--all")):
        refused = llmstack(*command, "--read-only", *host)
        assert refused.returncode == 1
        assert "--read-only" in refused.stderr
    nobody = llmstack("pull", "tiny", "--host", "http://127.0.0.1:9")
    assert nobody.returncode == 1
    assert "Nothing answers at http://127.0.0.1:9." in nobody.stderr


async def test_what_was_changed_here_is_only_replaced_with_a_yes(
    llmstack: Program, engine: str, registry: Registry, tiny_model: Path
) -> None:
    registry.publish("mine", tiny_model.read_bytes() + b"mine")
    name = registry.listed("mine")
    host = OllamaHost(engine)
    try:
        await run(llmstack, "pull", registry.name("mine"), "--host", engine)
        async for _ in host.create(name, base=name, system="My own."):
            pass
        registry.publish("mine", tiny_model.read_bytes() + b"theirs", pushed_at_s=1)
        everything = await run(llmstack, "update", "--all", "--host", engine)
        assert (everything.returncode, everything.stdout) == (0, "")
        refused = await run(llmstack, "update", name, "--host", engine)
        assert refused.returncode == 1
        assert "--yes" in refused.stderr
        assert (await host.show(name)).system == "My own."
        done = await run(llmstack, "update", name, "--yes", "--host", engine)
        assert done.returncode == 0, done.stderr
        assert (await host.show(name)).system == ""
    finally:
        await host.delete(name)
        await host.aclose()


async def test_a_dashboard_that_has_the_queue_does_it(
    llmstack: Program, engine: str, registry: Registry, tiny_model: Path
) -> None:
    state = llmstack.home / ".local/share/llmstack/state.db"
    version = registry.publish("shared", tiny_model.read_bytes() + b"shared")
    registry.faults = [Fault(path=f"/data/blobs/{version.weights.digest}", method="GET", bytes_per_s=100_000)]
    async with following([OllamaHost(engine)], StackOptions(machine_every_s=60, state_file=state)) as stack:
        await stack.downloads.pull(engine, registry.name("shared"))
        await wait_until(lambda: any(each.completed for each in stack.state.downloads), 60)
        done = await run(llmstack, "pull", registry.name("shared"), "--json", "--host", engine)
        await wait_until(lambda: all(each.state.is_over for each in stack.state.downloads), 60)
    assert done.returncode == 0, done.stderr
    assert lines(done)[-1]["state"] == "done"
    assert len(registry.requests("/shared/blobs/")) == len(version.layers)


@pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo-terminals")
async def test_ctrl_c_keeps_what_came(
    llmstack: Program, engine: str, registry: Registry, tiny_model: Path
) -> None:
    version = registry.publish("left", tiny_model.read_bytes() + b"left")
    slow = Fault(path=f"/data/blobs/{version.weights.digest}", method="GET", bytes_per_s=40_000)
    registry.faults = [slow]
    pull = ("pull", registry.name("left"), "--host", engine)
    with llmstack.given(TERM="xterm").in_terminal(*pull, columns=120) as screen:
        screen.wait_for(" % ", "kB/s", " left")
        screen.type("\x03")
        assert screen.wait_exit() == 130
    assert "The downloaded parts are kept" in screen.written
    assert "Traceback" not in screen.written
    await wait_until(lambda: registry.requests("/data/blobs/"))
    registry.faults = []
    registry.forget()
    done = await run(llmstack, "pull", registry.name("left"), "--json", "--host", engine)
    assert done.returncode == 0, done.stderr
    (asked, *_) = list(registry.requests(f"/data/blobs/{version.weights.digest}"))
    assert not asked.headers["range"].startswith("bytes=0-"), "it goes on where it was"
