"""``llmstack guard``, ``pin``, ``unpin`` and ``history``, over servers that behave as Ollama does."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from llmstack_tui.store.store import Store
from tests.support.fake_ollama import fake_ollama
from tests.support.waiting import wait_for, wait_until

if TYPE_CHECKING:
    import subprocess
    from collections.abc import AsyncIterator

    from tests.support.program import Program


async def run(llmstack: Program, *arguments: str) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(llmstack, *arguments)


async def document(llmstack: Program, *arguments: str) -> dict[str, Any]:
    done = await run(llmstack, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


async def pins(llmstack: Program, *host: str) -> list[bool]:
    """Of each model whether ``ls`` tells it as pinned."""
    return [each["pinned"] for each in (await document(llmstack, "ls", *host))["models"]]


async def only_host(llmstack: Program, *arguments: str) -> dict[str, Any]:
    (host,) = (await document(llmstack, *arguments))["hosts"]
    found: dict[str, Any] = host
    return found


@asynccontextmanager
async def guarding(llmstack: Program, url: str) -> AsyncIterator[subprocess.Popen[str]]:
    """A ``guard run`` that leads."""
    process = llmstack.start("guard", "run", "--json", "--host", url)
    try:
        assert process.stderr is not None
        said = await asyncio.to_thread(process.stderr.readline)
        assert said.startswith(f"llmstack: Guarding {url}"), said
        yield process
    finally:
        process.kill()
        await asyncio.to_thread(process.communicate)


async def test_a_pinned_model_is_loaded_for_ever_and_told_as_pinned(llmstack: Program) -> None:
    async with fake_ollama(a_1="a", b_1="b") as (fake, server):
        host = ("--host", server.url)
        done = await document(llmstack, "pin", "a:1", *host)
        pinned = {"name": "a:1", "pinned": True, "state": "active", "stays": True}
        assert done == {"models": [{"host": server.url, **pinned}]}
        assert fake.runners[0].keep_alive > timedelta(days=9999)
        assert await pins(llmstack, *host) == [True, False]
        assert (await only_host(llmstack, "guard", "status", *host))["pinned"] == ["a:1"]
        told = await run(llmstack, "unpin", "a:1", *host)
        assert told.stdout == "a:1 is no longer pinned.\n"
        assert fake.runners[0].keep_alive == timedelta(minutes=10)
        assert [each["pinned"] for each in (await document(llmstack, "ls", *host))["models"]] == [
            False,
            False,
        ]


async def test_what_another_program_loaded_is_not_loaded_again_to_pin_it(llmstack: Program) -> None:
    async with fake_ollama(a_1="a") as (fake, server):
        fake.load("a:1")
        done = await run(llmstack, "pin", "a:1", "--host", server.url)
        assert done.returncode == 0
        assert "Another program loaded a:1: the guard will not unload it, and it leaves in" in done.stderr
        assert not [request for request in server.requests if request.path == "/api/generate"]
        (model,) = (await document(llmstack, "pin", "a:1", "--host", server.url))["models"]
        assert (model["pinned"], model["stays"]) == (True, False)
        assert not [request for request in server.requests if request.path == "/api/generate"]
        (model,) = (await document(llmstack, "pin", "a:1", "--reload", "--host", server.url))["models"]
        assert (model["pinned"], model["stays"]) == (True, True)
        assert fake.runners[0].keep_alive > timedelta(days=9999)


@pytest.mark.parametrize("command", ["pin", "unpin"])
async def test_what_is_not_there_is_not_pinned(llmstack: Program, command: str) -> None:
    async with fake_ollama(a_1="a", far_cloud="c") as (fake, server):
        fake.cloud.add("far:cloud")
        for name, told in (("none", "There is no model 'none'"), ("far:cloud", "runs in the cloud")):
            done = await run(llmstack, command, name, "--host", server.url)
            assert done.returncode == 1
            assert told in done.stderr
        done = await run(llmstack, command, "a:1", "--host", server.url, "--read-only")
        assert done.returncode == 1


@pytest.mark.parametrize(
    ("settings", "arguments", "stays", "told"),
    [
        ({}, (), timedelta(minutes=10), "It stays for 10m after its last request."),
        ({"IDLE_STOP": "90s"}, (), timedelta(seconds=90), "It stays for 1m30s after its last request."),
        ({"IDLE_STOP": "0"}, (), None, "It stays until it is unloaded."),
        ({"IDLE_STOP": "0"}, ("--keep-alive", "7m"), timedelta(minutes=7), "It stays for 7m after"),
        ({"ENABLED": "false"}, (), timedelta(minutes=5), "It stays for as long as the server keeps a model."),
    ],
)
async def test_start_carries_the_time_that_the_model_may_be_idle(
    llmstack: Program,
    settings: dict[str, str],
    arguments: tuple[str, ...],
    stays: timedelta | None,
    told: str,
) -> None:
    program = llmstack.given(**{f"LLMSTACK_GUARD_{key}": value for key, value in settings.items()})
    async with fake_ollama(a_1="a") as (fake, server):
        done = await run(program, "start", "a:1", *arguments, "--host", server.url)
        assert done.stdout.startswith(f"a:1 is loaded at {server.url}.\n{told}")
        (runner,) = fake.runners
        assert runner.keep_alive == stays if stays else runner.keep_alive > timedelta(days=9999)


async def test_start_takes_nothing_away_from_the_program_that_loaded_it(llmstack: Program) -> None:
    async with fake_ollama(a_1="a") as (fake, server):
        fake.load("a:1", timedelta(days=50_000))
        done = await run(llmstack, "start", "a:1", "--host", server.url)
        assert done.stdout == (
            f"a:1 is loaded at {server.url}. Another program loaded it: it never leaves by itself.\n"
        )
        (model,) = (await document(llmstack, "start", "a:1", "--host", server.url))["models"]
        assert model["state"] == "active"
        assert not [request for request in server.requests if request.path == "/api/generate"]
        assert (
            await run(llmstack, "start", "a:1", "--keep-alive", "7m", "--host", server.url)
        ).returncode == 0
        assert fake.runners[0].keep_alive == timedelta(minutes=7)
        await run(llmstack, "start", "a:1", "--host", server.url)
        assert fake.runners[0].keep_alive == timedelta(minutes=10)


async def test_start_knows_what_is_wanted_of_single_models(llmstack: Program) -> None:
    async with fake_ollama(a_1="a", b_1="b") as (fake, server):
        host = ("--host", server.url)
        await run(llmstack, "guard", "idle", "a:1", "1h", *host)
        await run(llmstack, "pin", "b:1", *host)
        await run(llmstack, "stop", "b:1", *host)
        for name in ("a:1", "b:1"):
            await run(llmstack, "start", name, *host)
        a, b = fake.runners
        assert a.keep_alive == timedelta(hours=1)
        assert b.keep_alive > timedelta(days=9999)
        unguarded = llmstack.given(LLMSTACK_GUARD_ENABLED="false")
        assert (await run(unguarded, "start", "b:1", *host)).stdout.endswith("until it is unloaded.\n")


async def test_explain_says_what_would_be_done_and_does_nothing(llmstack: Program) -> None:
    async with fake_ollama(a_1="a", b_1="b", c_1="c") as (fake, server):
        host = ("--host", server.url)
        await run(llmstack, "pin", "b:1", *host)
        fake.load("a:1")
        fake.load("c:1")
        limited = llmstack.given(
            LLMSTACK_GUARD_MAX_LOADED="2",
            LLMSTACK_GUARD_MEMORY_BUDGET="0",
            LLMSTACK_GUARD_OTHERS="true",
        )
        found = await only_host(limited, "guard", "explain", *host)
        told = await run(limited, "guard", "explain", *host)
        assert fake.loaded == ["b:1", "a:1", "c:1"]
    assert (found["limit"], found["memory_budget"], found["held"], found["off"]) == (2, None, False, None)
    by_name = {each["name"]: each for each in found["models"]}
    assert (by_name["b:1"]["stop"], by_name["b:1"]["reason"]) == (False, "It is pinned.")
    assert [each["stop"] for each in found["models"]].count(True) == 1
    (decision,) = found["decisions"]
    assert (decision["act"], decision["cause"]) == ("stop", "count")
    assert decision["reason"].startswith("3 models are loaded and the limit is 2.")
    assert "b:1 stays. It is pinned." in told.stdout
    assert "would be unloaded. 3 models are loaded and the limit is 2." in told.stdout


async def test_what_others_loaded_is_asked_about_and_the_answer_is_kept(llmstack: Program) -> None:
    limited = llmstack.given(LLMSTACK_GUARD_MAX_LOADED="1")
    async with fake_ollama(a_1="a", b_1="b") as (fake, server):
        host = ("--host", server.url)
        fake.load("a:1", timedelta(days=9999))
        fake.load("b:1")
        found = await only_host(limited, "guard", "explain", *host)
        told = await run(limited, "guard", "explain", *host)
        assert found["others"] == "ask"
        assert [(each["ours"], each["lasting"], each["proposed"]) for each in found["models"]] == [
            (False, True, False),
            (False, False, True),
        ]
        assert [(each["act"], each["model"]) for each in found["decisions"]] == [("propose", "b:1")]
        assert "b:1 would be unloaded, if `llmstack guard others yes` allowed it." in told.stdout
        said = {"url": server.url, "others": "ask", "set": False}
        assert await only_host(limited, "guard", "others", *host) == said
        assert await only_host(limited, "guard", "others", "no", *host) == {**said, "others": "no"}
        assert await only_host(limited, "guard", "others", *host) == {**said, "others": "no"}
        stays = await only_host(limited, "guard", "explain", *host)
        assert [each["stop"] or each["proposed"] for each in stays["models"]] == [False, False]
        told = await run(limited, "guard", "others", "yes", *host)
        assert told.stdout.endswith("unloaded, too, to keep the limits.\n")
        set_by = limited.given(LLMSTACK_GUARD_OTHERS="false")
        assert await only_host(set_by, "guard", "others", *host) == {**said, "others": "no", "set": True}
        refused = await run(set_by, "guard", "others", "yes", *host)
        assert refused.returncode == 1
        assert "guard.others is false" in refused.stderr
        assert sorted(fake.loaded) == ["a:1", "b:1"]


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGTERM")
@pytest.mark.slow
async def test_run_leaves_alone_what_the_answer_says(llmstack: Program) -> None:
    limited = llmstack.given(LLMSTACK_GUARD_MAX_LOADED="1")
    async with fake_ollama(a_1="a", b_1="b") as (fake, server):
        await run(limited, "guard", "others", "no", "--host", server.url)
        async with guarding(limited, server.url):
            fake.load("a:1")
            fake.load("b:1")
            looks = len(fake.asked)
            await wait_until(lambda: len(fake.asked) > looks + 6, 30)
            assert len(fake.loaded) == 2
            await run(limited, "guard", "others", "ask", "--host", server.url)
            await wait_until(lambda: len(fake.loaded) == 1, 30)


async def test_explain_tells_that_servers_of_one_machine_share_its_memory(llmstack: Program) -> None:
    limited = llmstack.given(
        LLMSTACK_GUARD_MEMORY_BUDGET="8GB",
        LLMSTACK_HARDWARE_PROFILE="cpu",
        LLMSTACK_GUARD_OTHERS="true",
    )
    async with fake_ollama(a_1="a") as (one, at_one), fake_ollama(b_1="b") as (two, at_two):
        one.load("a:1").size = 5 * 10**9
        two.load("b:1").size = 4 * 10**9
        hosts = ("--host", at_one.url, "--host", at_two.url)
        found = (await document(limited, "guard", "explain", *hosts))["hosts"]
        told = await run(limited, "guard", "explain", *hosts)
    assert [each["elsewhere"] for each in found] == [4 * 10**9, 5 * 10**9]
    stops = [model["name"] for each in found for model in each["models"] if model["stop"]]
    assert len(stops) == 1, "one of both is enough"
    text = told.stdout.replace("\N{NO-BREAK SPACE}", " ")
    assert "has been idle longer and goes first." in text
    assert "Other servers of this machine hold 5.0 GB." in text


async def test_explain_knows_idle_times_from_the_record(llmstack: Program) -> None:
    async with fake_ollama(a_1="a") as (_, server):
        await run(llmstack, "start", "a:1", "--keep-alive", "1h", "--host", server.url)
        impatient = llmstack.given(LLMSTACK_GUARD_IDLE_STOP="1s")

        async def explained() -> bool:
            found = await only_host(impatient, "guard", "explain", "--host", server.url)
            return [each["cause"] for each in found["decisions"]] == ["idle"]

        # Each looks for less than a second itself.
        await wait_for(explained, what="it has been idle for a second")


async def test_one_model_may_be_idle_for_another_time(llmstack: Program) -> None:
    async with fake_ollama(a_1="a") as (fake, server):
        host = ("--host", server.url)
        done = await document(llmstack, "guard", "idle", "a:1", "90s", *host)
        assert done == {"models": [{"host": server.url, "name": "a:1", "idle_stop": 90.0}]}
        fake.load("a:1")
        (model,) = (await only_host(llmstack, "guard", "explain", *host))["models"]
        assert model["reason"].replace("\N{NO-BREAK SPACE}", " ").endswith("is unloaded after 1 min 30 s.")
        told = await run(llmstack, "guard", "idle", "a:1", "0", *host)
        assert told.stdout == "a:1 may be idle for ever.\n"
        told = await run(llmstack, "guard", "idle", "a:1", "auto", *host)
        assert told.stdout == "a:1 may be idle for 10\N{NO-BREAK SPACE}min, as the settings say.\n"
        assert (await run(llmstack, "guard", "idle", "a:1", "soon", *host)).returncode == 2


async def test_the_status_is_the_limits_of_each_host(llmstack: Program) -> None:
    async with fake_ollama(a_1="a") as (fake, server):
        fake.load("a:1")
        limited = llmstack.given(LLMSTACK_GUARD_MAX_LOADED="1", LLMSTACK_GUARD_IDLE_STOP="90s")
        found = await only_host(limited, "guard", "status", "--host", server.url)
        told = await run(limited, "guard", "status", "--host", server.url)
        off = await only_host(
            llmstack.given(LLMSTACK_GUARD_ENABLED="false"), "guard", "status", "--host", server.url
        )
    assert found["guarded"] is False
    assert (found["limit"], found["idle_stop"], found["loaded"]) == (1, 90.0, 1)
    assert "limit 1 model, " in told.stdout
    assert "idle models are unloaded after 1m30s" in told.stdout
    assert off["off"] == "The guard is switched off: guard.enabled is false."


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGTERM")
async def test_run_keeps_the_limit_and_writes_what_it_does(llmstack: Program) -> None:
    limited = llmstack.given(LLMSTACK_GUARD_MAX_LOADED="1")
    async with fake_ollama(a_1="a", b_1="b") as (fake, server), guarding(limited, server.url) as process:
        status = await only_host(limited, "guard", "status", "--host", server.url)
        assert status["guarded"] is True
        fake.load("a:1")
        fake.load("b:1")
        await wait_until(lambda: len(fake.loaded) == 1, 30)
        assert process.stdout is not None
        act = json.loads(await asyncio.to_thread(process.stdout.readline))
        assert (act["kind"], act["asked_by"], act["host"]) == ("deactivate", "guard", server.url)
        assert act["reason"].startswith("2 models are loaded and the limit is 1.")
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, 30) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="needs an order of two processes' ends")
async def test_a_second_guard_watches_and_takes_over(llmstack: Program) -> None:
    limited = llmstack.given(LLMSTACK_GUARD_MAX_LOADED="1")
    async with fake_ollama(a_1="a", b_1="b") as (fake, server), guarding(limited, server.url) as first:
        second = limited.start("guard", "run", "--host", server.url)
        try:
            assert second.stderr is not None
            said = await asyncio.to_thread(second.stderr.readline)
            assert "by another program" in said
            first.kill()
            said = await asyncio.to_thread(second.stderr.readline)
            assert said.startswith(f"llmstack: Guarding {server.url}"), said
            fake.load("a:1")
            fake.load("b:1")
            await wait_until(lambda: len(fake.loaded) == 1, 30)
        finally:
            second.kill()
            await asyncio.to_thread(second.communicate)


async def test_run_refuses_where_it_may_not(llmstack: Program) -> None:
    for program, more in (
        (llmstack, ("--read-only",)),
        (llmstack.given(LLMSTACK_GUARD_ENABLED="0"), ()),
        (llmstack, ()),
    ):
        done = await run(program, "guard", "run", *more)
        assert done.returncode == 1
    done = await run(llmstack, "guard", "run", "--host", "192.0.2.1")
    assert done.returncode == 1
    assert "http://192.0.2.1:11434 is not guarded. This server is on another machine" in done.stderr


async def test_the_history_of_a_model(llmstack: Program) -> None:
    async with fake_ollama(a_1="a") as (_, server):
        host = ("--host", server.url)
        await run(llmstack, "start", "a:1", *host)
        await run(llmstack, "stop", "a:1", *host)
        await run(llmstack, "start", "a:1", "--ctx", "512", *host)
        loads = (await document(llmstack, "history", "a:1", *host))["loads"]
        told = await run(llmstack, "history", "a:1", *host)
        newest = (await document(llmstack, "history", "a:1", "--limit", "1", *host))["loads"]
        none = await run(llmstack, "history", "b:1", *host)
    assert [(each["asked_by"], each["outcome"], each["context_length"]) for each in loads] == [
        ("cli", None, 512),
        ("cli", "stopped", None),
    ]
    assert newest == loads[:1]
    assert "unloaded by the command line" in told.stdout
    assert "in memory now" in told.stdout
    assert (none.returncode, none.stdout) == (0, "")
    assert "Nothing is recorded about b:1" in none.stderr


async def test_versions_that_were_installed_and_those_that_are_gone(llmstack: Program) -> None:
    async with fake_ollama(a_1="a") as (fake, server):
        state = llmstack.home / ".local/share/llmstack/state.db"
        async with await Store.open(state) as store:
            for name, letter, day in (("a:1", "0", 1), ("a:1", "a", 2), ("b:1", "b", 3)):
                at = datetime(2026, 11, day, 12, tzinfo=UTC)
                store.models.seen(host=server.url, name=name, digest=letter * 64, size=4_700_000_000, at=at)
        host = ("--host", server.url)
        versions = (await document(llmstack, "history", "a:1", *host))["versions"]
        told = await run(llmstack, "history", "a:1", "--gone", *host)
        gone = await document(llmstack, "history", "--gone", *host)
        wrong = await run(llmstack, "history", *host)
        fake.down = True
        away = await run(llmstack, "history", "b:1", *host)
    assert [(each["digest"][0], each["installed"]) for each in versions] == [("a", True), ("0", False)]
    assert versions[1] == {
        "host": server.url,
        "name": "a:1",
        "digest": "0" * 64,
        "size": 4_700_000_000,
        "first_seen_at": "2026-11-01T12:00:00+00:00",
        "last_seen_at": "2026-11-01T12:00:00+00:00",
        "installed": False,
    }
    assert [(each["name"], each["digest"][0]) for each in gone["versions"]] == [("b:1", "b"), ("a:1", "0")]
    assert gone["loads"] == []
    assert ("0" * 12 in told.stdout, "a" * 12 in told.stdout) == (True, False)
    assert wrong.returncode == 2
    assert (away.returncode, "b" * 12 in away.stdout) == (0, True)


async def test_names_over_one_process_are_one_thing_everywhere(llmstack: Program) -> None:
    async with fake_ollama(a_1="a", b_1="a", c_1="c") as (fake, server):
        host = ("--host", server.url)
        fake.load("a:1")
        listed = (await document(llmstack, "ls", *host))["models"]
        assert [(each["state"], each["shares"]) for each in listed] == [
            ("active", ["b:1"]),
            ("active", ["a:1"]),
            ("inactive", []),
        ]
        assert "active, with a:1" in (await run(llmstack, "ls", *host)).stdout
        (loaded,) = (await document(llmstack, "ps", *host))["models"]
        assert (loaded["name"], loaded["shares"]) == ("a:1", ["b:1"])
        assert "a:1 = b:1" in (await run(llmstack, "ps", *host)).stdout
        told = await run(llmstack, "stop", "b:1", *host)
        assert "The same goes for b:1: they share one process." in told.stdout
        assert fake.loaded == []


async def test_without_a_record_there_is_no_history(llmstack: Program) -> None:
    done = await run(llmstack, "history", "a")
    assert (done.returncode, done.stdout) == (0, "")


async def test_versions_are_on_record_without_a_dashboard(llmstack: Program) -> None:
    async with fake_ollama(a_1="a", b_1="b") as (_, server):
        host = ("--host", server.url)
        await run(llmstack, "rm", "--yes", "b:1", *host)
        gone = (await document(llmstack, "history", "--gone", *host))["versions"]
        there = (await document(llmstack, "history", "a:1", *host))["versions"]
    assert [(each["name"], each["installed"]) for each in gone] == [("b:1", False)]
    assert [(each["name"], each["installed"]) for each in there] == [("a:1", True)]
