"""Copies of a model from one host to another: between two real engines, and to servers that fail."""

from __future__ import annotations

import hashlib
import shutil
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import httpx
import pytest

from llmstack_tui.core.options import StackOptions
from llmstack_tui.core.wording import text, words
from llmstack_tui.hosts.errors import HostError, Refused
from llmstack_tui.ollama.client import OllamaHost
from tests.support.asking import asking
from tests.support.engine_process import engine_process
from tests.support.gguf.models import SHORT_ANSWER, adapter
from tests.support.scripted_server import Reply, Request, Then, document, ndjson, serving
from tests.support.small_disk import engine_on_a_small_disk, may_mount
from tests.support.stacks import following
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from llmstack_tui.core.stack import Stack
    from llmstack_tui.hosts.types import Progress
    from tests.support.scripted_server import ScriptedServer

NAME = "mine:v1"
TEXTS = {
    "system": "You are terse.",
    "parameters": {"temperature": 0.0, "stop": ["<end>"]},
    "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}],
    "license": ["Free", "as air"],
}


def blobs(home: Path) -> dict[str, tuple[int, int]]:
    """The large blobs of an engine, with the file that each is."""
    folder = home / ".local" / "share" / "llmstack" / "models" / "blobs"
    found = [path for path in folder.iterdir() if path.stat().st_size > 10_000]
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in found}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Iterator[tuple[str, Path]]:
    """An engine with a model that has texts and an adapter of its own, and its home."""
    home = tmp_path_factory.mktemp("source")
    adapting = adapter(home / "adapter.gguf").read_bytes()
    digest = f"sha256:{hashlib.sha256(adapting).hexdigest()}"
    made = {"model": NAME, "from": "tiny", "adapters": {"adapter.gguf": digest}, **TEXTS}
    with engine_process(home) as url, httpx.Client(base_url=url, timeout=60) as client:
        client.post("/api/import", json={"model": "tiny", "path": str(tiny_model)}).raise_for_status()
        client.post(f"/api/blobs/{digest}", content=adapting).raise_for_status()
        client.post("/api/create", json=made).raise_for_status()
        yield url, home


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    home = tmp_path_factory.mktemp("other")
    with engine_process(home) as url:
        yield url, home


@asynccontextmanager
async def stack_of(source: tuple[str, Path], url: str, **options: object) -> AsyncIterator[Stack]:
    models = source[1] / ".local" / "share" / "llmstack" / "models"
    chosen = {"model_folders": lambda: (models,), "running_every_s": 0.05, **options}
    hosts = [OllamaHost(source[0]), OllamaHost(url)]
    async with following(hosts, StackOptions(**chosen)) as stack:  # type: ignore[arg-type]
        await wait_until(lambda: all(each.snapshot.was_polled for each in stack.state.hosts))
        yield stack


async def copied(
    stack: Stack, source: str, to: str, name: str = "", *, replace: bool = False
) -> list[Progress]:
    return [step async for step in stack.actions.copy_to(source, NAME, to, name, replace=replace)]


async def refusal(stack: Stack, source: str, to: str, name: str = "") -> HostError:
    with pytest.raises(HostError) as caught:
        await copied(stack, source, to, name)
    assert words(caught.value).endswith((".", "?"))
    return caught.value


async def test_a_model_is_copied_with_all_that_it_has_and_answers_there(
    source: tuple[str, Path], other: tuple[str, Path]
) -> None:
    async with stack_of(source, other[0]) as stack:
        steps = await copied(stack, source[0], other[0])
        assert steps[-1].status == "success"
        assert {step.completed for step in steps if step.status == "sending"} >= {steps[0].total}
        here, there = [await stack.actions.details(url, NAME) for url in (source[0], other[0])]
        for text_of in ("system", "messages", "license", "template", "weights_digest"):
            assert getattr(there, text_of) == getattr(here, text_of)
        assert sorted(there.parameters.splitlines()) == sorted(here.parameters.splitlines())
        greedy = stack.providers.chat(other[0], asking(NAME))
        assert "".join([chunk.text async for chunk in greedy]) == SHORT_ANSWER
        assert (await stack.records.events())[0].host == other[0]

        before = blobs(other[1])
        await copied(stack, source[0], other[0], "again:v1")
        assert blobs(other[1]) == before, "what was there was sent again"

        error = await refusal(stack, source[0], other[0])
        assert error.kind == "transfer.taken"
        assert (await copied(stack, source[0], other[0], replace=True))[-1].status == "success"


def _gone(home: Path) -> None:
    shutil.rmtree(home)


def _damaged(home: Path) -> None:
    largest = max((home / "blobs").iterdir(), key=lambda path: path.stat().st_size)
    largest.write_bytes(largest.read_bytes()[:-1])


def _changed(home: Path) -> None:
    largest = max((home / "blobs").iterdir(), key=lambda path: path.stat().st_size)
    largest.write_bytes(largest.read_bytes()[:-1] + b"\xff")


@pytest.mark.parametrize(
    ("spoil", "kind"),
    [(_gone, "transfer.no_files"), (_damaged, "transfer.unreadable"), (_changed, "host.refused")],
)
async def test_files_that_are_not_here_or_damaged_make_no_model(
    source: tuple[str, Path],
    tmp_path: Path,
    spoil: Callable[[Path], None],
    kind: str,
) -> None:
    models = tmp_path / "models"
    shutil.copytree(source[1] / ".local" / "share" / "llmstack" / "models", models)
    spoil(models)
    with engine_process(tmp_path / "home") as url:
        async with stack_of(source, url, model_folders=lambda: (models,)) as stack:
            assert (await refusal(stack, source[0], url)).kind == kind
            assert not stack.state.hosts[1].snapshot.installed


async def test_what_cannot_be_copied_is_refused_before_anything_is_asked(source: tuple[str, Path]) -> None:
    async with destination() as server:
        async with stack_of(source, server.url, look_only={server.url}) as stack:
            assert (await refusal(stack, source[0], server.url)).kind == "core.only_looked_at"
        async with stack_of(source, server.url, read_only=True) as stack:
            assert (await refusal(stack, source[0], server.url)).kind == "core.read_only"
        async with stack_of(source, server.url) as stack:
            assert (await refusal(stack, source[0], source[0])).kind == "transfer.same_host"
            assert (await refusal(stack, server.url, source[0])).kind == "transfer.cloud"
            with pytest.raises(Refused, match=r"transfer\.gone"):
                [step async for step in stack.actions.copy_to(source[0], "no:1", server.url)]
        assert not [asked for asked in server.asked if asked.startswith(("HEAD", "POST"))]


FULL = document({"error": "write /models/blobs/x: no space left on device"}, 500)


@asynccontextmanager
async def destination(**answers: Reply) -> AsyncIterator[ScriptedServer]:
    """A server that takes a model, and lists one of its name that runs in the cloud."""
    elsewhere = {"name": NAME, "digest": "1" * 64, "remote_host": "https://example.com"}
    usual = {
        "version": document({"version": "0.24.0"}),
        "tags": document({"models": [elsewhere]}),
        "ps": document({"models": []}),
        "head": Reply(status=404),
        "blobs": Reply(status=201),
        "create": ndjson({"status": "success"}),
        "show": document({"modelfile": "FROM /m/blobs/sha256-" + "e" * 64}),
    }

    async def handle(request: Request) -> Reply:
        route = "head" if request.method == "HEAD" else request.path.split("/")[2]
        return (usual | answers)[route]

    async with serving(handle) as server:
        yield server


@pytest.mark.parametrize(
    ("route", "reply", "kind"),
    [
        ("blobs", FULL, "host.failed"),
        ("blobs", document({"error": "no"}, 403), "host.refused"),
        ("blobs", Reply(then=Then.RESET), "answer.broke_off"),
        ("blobs", Reply(raw=b"", then=Then.RESET), "host.upload_broke"),
        ("create", document({"error": "no"}, 400), "host.refused"),
        ("create", ndjson({"error": "no space left on device"}), "host.failed"),
        ("create", ndjson({"status": "parsing"}, then=Then.CUT), "answer.broke_off"),
        ("show", document({"modelfile": "FROM /m/blobs/sha256-" + "e" * 64}), "transfer.differs"),
    ],
)
async def test_a_destination_that_fails_is_told_and_recorded(
    source: tuple[str, Path], route: str, reply: Reply, kind: str
) -> None:
    async with destination(**{route: reply}) as server, stack_of(source, server.url) as stack:
        error = await refusal(stack, source[0], server.url, "copy:v1")
        assert error.kind == kind
        if route == "blobs":
            assert "POST /api/create" not in server.asked
        latest = (await stack.records.events())[0]
        assert words(error) in text(latest.sentence)


async def test_a_copy_that_is_cancelled_ends_its_upload(source: tuple[str, Path]) -> None:
    async with (
        destination(blobs=Reply(then=Then.HANG)) as server,
        stack_of(source, server.url) as stack,
    ):
        steps = stack.actions.copy_to(source[0], NAME, server.url, "copy:v1")
        assert (await anext(steps)).total
        await steps.aclose()
        assert "POST /api/create" not in server.asked
        assert (await stack.records.events())[0].sentence.kind == "copy.cancelled"


@pytest.mark.skipif(not may_mount(), reason="this user may not mount")
async def test_a_destination_whose_disk_is_full_says_so_and_keeps_nothing(
    source: tuple[str, Path], tmp_path: Path
) -> None:
    with engine_on_a_small_disk(tmp_path) as disk:
        disk.leaves(300_000)
        async with stack_of(source, disk.engine.url) as stack:
            error = await refusal(stack, source[0], disk.engine.url)
            assert error.kind == "host.failed"
            disk.is_large()
            assert (await copied(stack, source[0], disk.engine.url))[-1].status == "success"
