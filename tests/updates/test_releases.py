"""Whether there is a newer program: what services answer, and how often they are asked."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.structs import replace
from llmstack_tui.core.options import StackOptions
from llmstack_tui.updates import releases
from llmstack_tui.updates.programs import ADDRESSES, Program, Release, is_newer
from llmstack_tui.updates.releases import ask
from tests.support.fake_ollama import fake_host
from tests.support.scripted_server import Reply, Request, ScriptedServer, Then, document, serving
from tests.support.stacks import following
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from llmstack_tui.core.stack import Stack

PUBLISHED = {"tag_name": "v0.99.1", "draft": False, "prerelease": False, "assets": [{"name": "x"}] * 50}
PROJECT = {"info": {"version": "9.1.0", "yanked": False}, "releases": {"9.1.0": []}}
BEFORE = Release(program=Program.OLLAMA, version="0.24.0", asked_at=datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("one", "other", "newer"),
    [
        ("0.25.0", "0.24.9", True),
        ("v0.25.0", "0.25.0", False),
        ("0.9.0", "0.10.0", False),
        ("0.25", "0.24.0", True),
        ("0.25.0", "0.25.0-rc1", True),
        ("0.25.0-rc1", "0.24.0", True),
        ("0.25.0-rc1", "0.25.0", False),
        ("0.25.0", "0.25.0+cu12", False),
        ("1.0", "0.0.0", False),  # built by hand
        ("1.0", None, False),
        (None, "1.0", False),
        ("1.0", "nightly", False),
        ("9" * 400, "1.0", False),
        ("", "", False),
    ],
)
def test_which_version_is_newer(one: str | None, other: str | None, newer: bool) -> None:
    assert is_newer(one, other) is newer


def test_only_these_two_are_ever_asked_and_over_tls() -> None:
    assert {*ADDRESSES} == {*Program}
    assert all(address.startswith("https://") for address in ADDRESSES.values())


async def answered(reply: Reply, program: Program = Program.OLLAMA) -> Release:
    async def handle(_: Request) -> Reply:
        return reply

    async with serving(handle) as server:
        return await ask(f"{server.url}/latest", replace(BEFORE, program=program))


async def test_the_newest_is_told() -> None:
    found = await answered(document(PUBLISHED))
    assert (found.version, found.problems) == ("0.99.1", ())
    assert found.asked_at is not None
    assert found.asked_at > BEFORE.asked_at  # type: ignore[operator]
    assert (await answered(document(PROJECT), Program.LLMSTACK)).version == "9.1.0"


@pytest.mark.parametrize(
    "reply",
    [
        document({"message": "rate limit"}, 403),
        document({"message": "Not Found"}, 404),
        document({}, 500),
        Reply((b"<html>a login page</html>",), 200, "text/html"),
        document([]),
        document({"tag_name": 7}),
        document({"tag_name": "latest [/red]"}),
        document({**PUBLISHED, "prerelease": True}),
        document({**PUBLISHED, "draft": True}),
        Reply((b'{"tag_name": "v9", "x": "' + b"a" * (5 * 2**20) + b'"}',)),
        Reply((b'{"tag_name',), then=Then.CUT),
        Reply(raw=b"SSH-2.0-OpenSSH\r\n"),
    ],
)
async def test_what_is_no_answer_is_a_problem_beside_what_was_known(reply: Reply) -> None:
    found = await answered(reply)
    assert found.version == "0.24.0"
    (problem,) = found.problems
    assert problem.kind in {"release.status", "release.none", "registry.broke", "registry.not_http"}
    assert problem.params["host"]


async def test_a_release_that_was_withdrawn_is_none() -> None:
    project = {"info": {"version": "9.1.0", "yanked": True}}
    assert (await answered(document(project), Program.LLMSTACK)).version == "0.24.0"


async def test_nobody_there_is_a_problem() -> None:
    found = await ask("http://127.0.0.1:1/latest", BEFORE)
    (problem,) = found.problems
    assert (found.version, problem.kind) == ("0.24.0", "registry.unreachable")


@asynccontextmanager
async def watching(server: ScriptedServer, state_file: Path, *, ask_too: bool = True) -> AsyncIterator[Stack]:
    addresses = {
        Program.OLLAMA: f"{server.url}/ollama",
        Program.LLMSTACK: f"{server.url}/llmstack",
    }
    wanted = addresses if ask_too else None
    async with (
        fake_host() as (_, host, _),
        following([host], StackOptions(machine_every_s=60, state_file=state_file, releases=wanted)) as stack,
    ):
        yield stack


async def both(request: Request) -> Reply:
    return document(PUBLISHED if request.path == "/ollama" else PROJECT)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(releases, "_START_S", 0.0)


async def test_the_version_that_is_held_is_known_and_looked_at_again(tmp_path: Path) -> None:
    held = "0.24.0"
    options = StackOptions(
        machine_every_s=60, state_file=tmp_path / "state.db", releases={}, held=lambda: held
    )
    async with fake_host() as (_, host, _), following([host], options) as stack:
        await wait_until(lambda: stack.state.held == "0.24.0")
        held = ""
        await stack.releases.look_at_hold()
        await wait_until(lambda: stack.state.held == "")


async def test_a_stack_asks_once_a_day_and_remembers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(releases, "_LOOK_S", 0.02)
    state = tmp_path / "state.db"
    async with serving(both) as server:
        async with watching(server, state) as stack:
            await wait_until(lambda: len(stack.state.releases) == 2)
            told = stack.state.releases
            assert {each.program: each.version for each in told} == {
                Program.OLLAMA: "0.99.1",
                Program.LLMSTACK: "9.1.0",
            }
        assert sorted(server.asked) == ["GET /llmstack", "GET /ollama"]
        async with watching(server, state) as stack:
            await wait_until(lambda: stack.state.releases == told)
        assert len(server.asked) == 2
        monkeypatch.setattr(releases, "_EVERY", timedelta(0))
        async with watching(server, state):
            await wait_until(lambda: len(server.asked) >= 4)


async def test_a_stack_that_was_not_told_to_asks_nobody(tmp_path: Path) -> None:
    async with serving(both) as server:
        async with watching(server, tmp_path / "state.db", ask_too=False) as stack:
            await wait_until(lambda: stack.state.hosts[0].snapshot.read_at is not None)
        assert server.asked == []
