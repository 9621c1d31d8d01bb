"""Commands against servers that say strange things, or nothing."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import sys
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from llmstack_tui.base.kinds import Actor
from llmstack_tui.base.units import ago_text
from llmstack_tui.core.options import StackOptions
from llmstack_tui.ollama.client import OllamaHost
from llmstack_tui.store.store import Store
from tests.support.fake_ollama import FakeOllama, fake_ollama, usual_ollama
from tests.support.fake_servers import FakeRouter
from tests.support.scripted_server import Reply, Then, always, serving
from tests.support.stacks import following
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    import subprocess
    from collections.abc import AsyncIterator
    from pathlib import Path

    from llmstack_tui.core.stack import Stack
    from tests.support.program import Program

NASTY = ("tiny:latest", "evil\x1b[31m[/red]:latest", "名前-٣-" + "x" * 280, "[bold]q4[/bold]")
OTHER_WEIGHTS = "sha256-" + "c" * 64
NOWHERE = "http://127.0.0.1:1"


async def run(llmstack: Program, *arguments: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(llmstack, *arguments, stdin=stdin)


@asynccontextmanager
async def running(*servers: FakeOllama) -> AsyncIterator[list[str]]:
    async with AsyncExitStack() as stack:
        yield [(await stack.enter_async_context(serving(server))).url for server in servers]


def only(done: subprocess.CompletedProcess[str], key: str) -> list[dict[str, Any]]:
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert list(document) == [key]
    found: list[dict[str, Any]] = document[key]
    return found


async def test_ls_has_the_keys_that_scripts_rely_on(llmstack: Program) -> None:
    server = usual_ollama("tiny:latest", "far:cloud", loaded=("tiny:latest", "gone:latest"))
    server.cloud.add("far:cloud")
    async with running(server) as (url,):
        tiny, far, gone = only(await run(llmstack, "ls", "--json", "--host", url), "models")
    # Whether it fits depends on the machine; its size is all that this server tells.
    fit = tiny.pop("fit")
    assert (set(fit), fit["basis"]) == ({"state", "estimate", "basis"}, "file size")
    assert fit["estimate"] > 4_683_087_332
    assert tiny == {
        "host": url,
        "name": "tiny:latest",
        "digest": "0" * 64,
        "size": 4_683_087_332,
        "parameters": "7.6B",
        "quantization": "Q4_K_M",
        "state": "active",
        "pinned": False,
        "update": {"state": "unknown", "changed": [], "download": None, "checked_at": None},
        "modified_at": "2026-11-21T07:49:02.957391+02:00",
        "unusable": None,
        "shares": [],
    }
    assert (far["state"], far["update"]["state"]) == ("cloud", "cloud")
    assert (gone["name"], gone["state"], gone["size"]) == ("gone:latest", "active", None)


async def test_ps_has_the_keys_that_scripts_rely_on(llmstack: Program) -> None:
    async with running(usual_ollama("tiny:latest", loaded=("tiny:latest",))) as (url,):
        (tiny,) = only(await run(llmstack, "ps", "--json", "--host", url), "models")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+\+00:00", tiny.pop("expires_at"))
    assert tiny["memory"].pop("estimate") > 4_683_087_332
    assert tiny == {
        "host": url,
        "name": "tiny:latest",
        "digest": "0" * 64,
        "state": "active",
        "busy": None,
        "memory": {"server": 5_100_000_000, "device": None},
        "context_length": 4096,
        "idle": None,
        "requests": None,
        "size_vram": 0,
        "shares": [],
    }


async def test_status_has_the_keys_that_scripts_rely_on(llmstack: Program) -> None:
    async with running(usual_ollama()) as (url,):
        done = await run(
            llmstack.given(LLMSTACK_GUARD_MAX_LOADED="3"),
            "status",
            "--json",
            "--host",
            url,
            "--host",
            NOWHERE,
        )
    document = json.loads(done.stdout)
    assert list(document) == ["hosts", "devices", "profile", "limit"]
    assert document["hosts"] == [
        {"url": url, "kind": "ollama", "server": "ollama", "version": "0.32.15", "reachable": True},
        {"url": NOWHERE, "kind": None, "server": None, "version": None, "reachable": False},
    ]
    memory = document["devices"][0]
    assert 0 < memory.pop("used") < memory.pop("total")
    assert memory == {"name": "RAM", "kind": "ram"}
    assert document["profile"]
    assert document["limit"] == 3
    assert (done.returncode, done.stderr) == (0, "")


async def test_ls_says_how_many_models_it_leaves_out(llmstack: Program) -> None:
    async with running(usual_ollama(*(f"m:{number}" for number in range(5003)))) as (url,):
        document = json.loads((await run(llmstack, "ls", "--json", "--host", url)).stdout)
        told = await run(llmstack, "ls", "--host", url)
    assert (len(document["models"]), document["left_out"]) == (5000, 3)
    assert f"{url} lists 5,003 models: the first 5,000 are shown." in told.stderr


async def test_status_fails_when_no_server_answers_and_still_tells_the_rest(llmstack: Program) -> None:
    done = await run(llmstack, "status", "--json", "--host", NOWHERE)
    assert done.returncode == 1
    assert json.loads(done.stdout)["hosts"][0]["reachable"] is False
    assert done.stderr.startswith(f"llmstack: Nothing answers at {NOWHERE}.")


@pytest.mark.parametrize("command", ["ls", "ps"])
async def test_a_table_never_drives_the_terminal(llmstack: Program, command: str) -> None:
    async with running(usual_ollama(*NASTY, loaded=NASTY)) as (url,):
        done = await run(llmstack, command, "--host", url)
    assert done.returncode == 0
    assert "\x1b" not in done.stdout
    for shown in ("evil\ufffd[31m[/red]:latest", NASTY[2], "[bold]q4[/bold]"):
        assert shown in done.stdout
    assert len(done.stdout.splitlines()) == 1 + len(NASTY)


async def test_a_table_in_ascii(llmstack: Program) -> None:
    server = usual_ollama("tiny:latest", "名前", loaded=("tiny:latest",))
    server.weights["名前"] = OTHER_WEIGHTS
    async with running(server) as (url,):
        done = await run(llmstack.given(PYTHONIOENCODING="ascii"), "ls", "--host", url)
    assert done.stdout.splitlines()[1:] == [
        "*  tiny:latest  4.7 GB  Q4_K_M              7.6B  active",
        "o  ??           4.7 GB  Q4_K_M              7.6B  inactive",
    ]


async def test_names_from_outside_can_be_used(llmstack: Program) -> None:
    server = usual_ollama(*NASTY)
    async with running(server) as (url,):
        for name in NASTY:
            (model,) = only(await run(llmstack, "start", name, "--json", "--host", url), "models")
            assert (model["name"], model["state"]) == (name, "active")
            shown = await run(llmstack, "show", name, "--host", url)
            assert "\x1b" not in shown.stdout
        assert server.loaded == list(NASTY)
        stopped = await run(llmstack, "stop", "--all", "--host", url)
        assert stopped.returncode == 0
        assert "\x1b" not in stopped.stdout
    assert server.loaded == []


async def test_an_unknown_model_is_a_sentence(llmstack: Program) -> None:
    async with running(usual_ollama("tiny:latest")) as (url,):
        for line in (["show"], ["start"], ["stop"], ["rm", "--yes"], ["chat"]):
            done = await run(
                llmstack, *line, "no\x1b[31m", *(["hi"] if line == ["chat"] else []), "--host", url
            )
            assert (done.returncode, done.stdout) == (1, "")
            assert done.stderr == (
                f"llmstack: There is no model 'no\\x1b[31m' at {url}: "
                "`llmstack ls` lists the installed ones.\n"
            )


@pytest.mark.parametrize("name", ["qwen", "QWEN", "qwen:1.5b", "qwn:1.5b-q4"])
async def test_a_name_that_is_nearly_one_is_suggested(llmstack: Program, name: str) -> None:
    async with running(usual_ollama("tiny:latest", "qwen:1.5b-q4")) as (url,):
        done = await run(llmstack, "start", name, "--host", url)
    assert done.returncode == 1
    assert done.stderr.endswith(": did you mean qwen:1.5b-q4?\n")


async def test_show_tells_all(llmstack: Program) -> None:
    async with running(usual_ollama("tiny:latest")) as (url,):
        document = json.loads((await run(llmstack, "show", "tiny", "--json", "--host", url)).stdout)
        text = (await run(llmstack, "show", "tiny", "--host", url)).stdout
    expected = {
        "host": url,
        "name": "tiny:latest",
        "state": "inactive",
        "parameters": "7.6B",
        "context_length": 32768,
        "capabilities": ["completion", "tools"],
        "options": "temperature 0.2",
    }
    assert {key: document[key] for key in expected} == expected
    assert "name          tiny:latest\n" in text
    changed = ago_text(datetime.fromisoformat(document["modified_at"]), datetime.now(UTC))
    assert f"changed       {changed}\n" in text
    assert "template\n  {{ .Prompt }}\ufffd[2J\n  second line\n" in text


async def test_show_says_why_another_template_answers(llmstack: Program) -> None:
    server = usual_ollama("tiny:latest")
    server.shown |= {"prompt_template": {"source": "file", "name": "", "notes": "The file's answers."}}
    async with running(server) as (url,):
        document = json.loads((await run(llmstack, "show", "tiny", "--json", "--host", url)).stdout)
        text = (await run(llmstack, "show", "tiny", "--host", url)).stdout
    assert document["template_notes"] == "The file's answers."
    assert "\ntemplate notes\n  The file's answers.\n" in text


async def test_start_passes_what_was_asked_for_and_nothing_else(llmstack: Program) -> None:
    server = usual_ollama("tiny:latest")
    async with running(server) as (url,):
        done = await run(llmstack, "start", "tiny", "--keep-alive", "7m", "--ctx", "2048", "--host", url)
        told = f"tiny:latest is loaded at {url}.\nIt stays for 7m after its last request.\n"
        assert (done.returncode, done.stdout) == (0, told)
        await run(llmstack, "stop", "tiny", "--host", url)
        await run(llmstack, "start", "tiny", "--host", url)
    with_options, unload, without = (body for path, body in server.asked if path == "/api/generate")
    assert (with_options["keep_alive"], with_options["options"]) == ("7m0s", {"num_ctx": 2048})
    assert unload["keep_alive"] == 0
    assert "options" not in without


async def test_a_cloud_model_is_not_loaded(llmstack: Program) -> None:
    server = usual_ollama("far:cloud")
    server.cloud.add("far:cloud")
    async with running(server) as (url,):
        done = await run(llmstack, "start", "far:cloud", "--host", url)
    assert (done.returncode, done.stdout) == (1, "")
    assert "runs in the cloud" in done.stderr
    assert "/api/generate" not in [path for path, _ in server.asked]


async def test_stop_tells_what_became_of_each(llmstack: Program) -> None:
    async with running(usual_ollama("a:1", "b:1", loaded=("a:1", "b:1"))) as (url,):
        stopped = only(await run(llmstack, "stop", "a:1", "b:1", "--json", "--host", url), "models")
        assert stopped == [
            {"host": url, "name": "a:1", "state": "inactive", "shares": []},
            {"host": url, "name": "b:1", "state": "inactive", "shares": []},
        ]
        none = await run(llmstack, "stop", "--all", "--host", url)
        assert (none.returncode, none.stderr) == (0, "llmstack: No model is loaded.\n")


async def test_rm_stops_first_and_says_what_it_frees(llmstack: Program) -> None:
    server = usual_ollama("a:1", "b:1", loaded=("a:1",))
    server.weights["b:1"] = OTHER_WEIGHTS
    async with running(server) as (url,):
        removed = only(await run(llmstack, "rm", "a:1", "--yes", "--json", "--host", url), "removed")
        assert removed == [{"host": url, "name": "a:1", "freed": 4_683_087_332}]
        assert ([*server.installed], server.loaded) == (["b:1"], [])
        done = await run(llmstack, "rm", "b:1", "-y", "--host", url)
        assert done.stdout == "Removed b:1: frees 4.7 GB.\n"


async def test_rm_says_when_another_model_keeps_the_weights(llmstack: Program) -> None:
    server = usual_ollama("a:1", "copy:1")
    async with running(server) as (url,):
        removed = only(
            await run(llmstack, "rm", "a:1", "copy:1", "--yes", "--json", "--host", url), "removed"
        )
    assert [each["freed"] for each in removed] == [None, 4_683_087_332]


async def test_rm_removes_nothing_when_one_name_is_wrong(llmstack: Program) -> None:
    server = usual_ollama("a:1")
    async with running(server) as (url,):
        done = await run(llmstack, "rm", "a:1", "b:1", "--yes", "--host", url)
    assert done.returncode == 1
    assert [*server.installed] == ["a:1"]


async def test_chat_streams_the_answer(llmstack: Program) -> None:
    server = usual_ollama("tiny:latest")
    server.answer = ("Hello\n", "\x1b[31m", " there.")
    async with running(server) as (url,):
        asked = await run(llmstack, "chat", "tiny", "Who", "are you?", "--system", "Be brief.", "--host", url)
        piped = await run(llmstack, "chat", "tiny", "--host", url, stdin="Who?\n")
    assert (asked.stdout, asked.stderr, asked.returncode) == ("Hello\n\ufffd[31m there.\n", "", 0)
    assert piped.stdout == asked.stdout
    first, second = (body["messages"] for path, body in server.asked if path == "/api/chat")
    assert first == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Who are you?"}]
    assert second == [{"role": "user", "content": "Who?"}]


async def test_chat_as_a_document(llmstack: Program) -> None:
    async with running(usual_ollama("tiny:latest")) as (url,):
        done = await run(llmstack, "chat", "tiny", "Who?", "--json", "--host", url)
    assert json.loads(done.stdout) == {
        "host": url,
        "name": "tiny:latest",
        "answer": "Hello there.",
        "thinking": "",
        "done_reason": "stop",
        "usage": {
            "prompt_tokens": 7,
            "answer_tokens": 10,
            "total": 2.0,
            "load": 0.5,
            "prompt": 0.5,
            "answer": 1.0,
            "tokens_per_second": 10.0,
        },
    }


@pytest.mark.parametrize("arguments", [[], ["--json"]])
async def test_an_answer_that_breaks_off_is_a_failure(llmstack: Program, arguments: list[str]) -> None:
    server = usual_ollama("tiny:latest")
    server.then = Then.CUT
    async with running(server) as (url,):
        done = await run(llmstack, "chat", "tiny", "Who?", *arguments, "--host", url)
    assert done.returncode == 1
    assert done.stdout == ("" if arguments else "Hello there.\n")
    assert re.fullmatch(rf"llmstack: .*{re.escape(url)}.*\n", done.stderr)


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
async def test_ctrl_c_during_an_answer_closes_the_request(llmstack: Program) -> None:
    little = usual_ollama("tiny:latest")
    little.then = Then.HANG
    async with serving(little) as server:
        process = llmstack.start("chat", "tiny", "Who?", "--host", server.url)
        assert process.stdout
        with process:
            answer = await asyncio.to_thread(process.stdout.read, len("Hello there."))
            process.send_signal(signal.SIGINT)
            rest, errors = await asyncio.to_thread(process.communicate)
            await wait_until(lambda: server.open == 0, what="the client's connections are closed")
    assert (answer + rest, errors, process.returncode) == ("Hello there.\n", "", 130)


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
async def test_ctrl_c_while_a_server_hangs(llmstack: Program) -> None:
    async with serving(always(Reply(then=Then.HANG))) as server:
        process = llmstack.start("ls", "--host", server.url)
        with process:
            await wait_until(lambda: server.requests, what="the command asks")
            process.send_signal(signal.SIGINT)
            _, errors = await asyncio.to_thread(process.communicate)
    assert (errors, process.returncode) == ("", 130)


async def test_several_hosts_are_listed_and_one_that_is_away_is_a_warning(llmstack: Program) -> None:
    async with running(usual_ollama("a:1"), usual_ollama("b:1")) as (one, two):
        line = ["--host", one, "--host", NOWHERE, "--host", two]
        models = await run(llmstack, *line, "ls", "--json")
        assert [(each["host"], each["name"]) for each in only(models, "models")] == [
            (one, "a:1"),
            (two, "b:1"),
        ]
        assert models.stderr.startswith(f"llmstack: Nothing answers at {NOWHERE}.")
        table = await run(llmstack, *line, "ls")
        assert two in table.stdout
        started = await run(llmstack, *line, "start", "b:1")
        assert started.stdout.startswith(f"b:1 is loaded at {two}.\n")


async def test_hosts_of_the_settings_are_used(llmstack: Program) -> None:
    async with running(usual_ollama("a:1")) as (url,):
        models = await run(llmstack.given(LLMSTACK_HOSTS=url), "ls", "--json")
    assert [each["host"] for each in only(models, "models")] == [url]


@pytest.mark.parametrize("command", ["ps", "status", "stop --all", "update --check", "guard status"])
def test_without_any_server_a_command_says_what_to_start(llmstack: Program, command: str) -> None:
    done = llmstack(*command.split())
    assert done.returncode == 1
    assert done.stderr == (
        f"llmstack: No server answers at {NOWHERE}: start Ollama, or the built-in engine with "
        "`llmstack engine start`.\n"
    )


def test_without_ollama_a_command_says_how_to_get_it(llmstack: Program) -> None:
    done = llmstack.given(PATH="")("ps", "--engine", "ollama")
    assert done.returncode == 1
    assert done.stderr.startswith(f"llmstack: No server answers at {NOWHERE}. Ollama is not installed")


def test_without_the_engine_a_command_says_how_to_start_it(llmstack: Program) -> None:
    done = llmstack("ps", "--engine", "builtin")
    assert done.returncode == 1
    assert done.stderr == (
        "llmstack: The built-in engine is not running: start it with `llmstack engine start`.\n"
    )


@pytest.mark.parametrize(
    "reply",
    [
        Reply((b"<html>",), 200, "text/html"),
        Reply((b'{"models": [{"na',)),
        Reply((b"[]",)),
        Reply(then=Then.CUT),
        Reply(then=Then.RESET),
        Reply(raw=b"SSH-2.0-OpenSSH_9.6\r\n", then=Then.CUT),
        Reply((b'{"error": "\x1b[31mno"}',), 500),
    ],
)
async def test_a_server_that_is_none_is_a_sentence(llmstack: Program, reply: Reply) -> None:
    async with serving(always(reply)) as server:
        done = await run(llmstack, "ls", "--json", "--host", server.url)
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"llmstack: [^\x1b\n]+\.\n|llmstack: [^\x1b\n]+\?\n", done.stderr), done.stderr


def test_a_wrong_ollama_host_is_a_sentence(llmstack: Program) -> None:
    done = llmstack.given(OLLAMA_HOST="127.0.0.1:port")("ls")
    assert done.returncode == 1
    assert "port" in done.stderr


async def test_what_a_command_does_is_on_record(llmstack: Program) -> None:
    async with running(usual_ollama("tiny:latest")) as (url,):
        assert (await run(llmstack, "start", "tiny", "--host", url)).stderr == ""
        await run(llmstack, "stop", "tiny", "--host", url)
        await run(llmstack, "ls", "--host", url)
    (file,) = llmstack.home.rglob("state.db")
    async with await Store.open(file) as store:
        stop, start = await store.events.newest()
        (activation,) = await store.activations.history(url, "tiny:latest")
    assert [(each.kind, each.details["asked_by"]) for each in (start, stop)] == [
        ("activate", "cli"),
        ("deactivate", "cli"),
    ]
    assert (activation.asked_by, activation.ended_by) == (Actor.CLI, Actor.CLI)


async def test_what_a_command_changes_on_the_disk_is_on_record(llmstack: Program, tmp_path: Path) -> None:
    file = tmp_path / "new.gguf"
    file.write_bytes(b"GGUFxyz")
    async with fake_ollama(a_1="a", b_1="b") as (fake, server):
        host = ("--host", server.url)
        fake.load("a:1")
        assert (await run(llmstack, "import", file, "new:1", *host)).stderr == ""
        assert (await run(llmstack, "rm", "a:1", "new:1", "--yes", *host)).stderr == ""
        fake.begin_request("b:1")
        busy = await run(llmstack, "rm", "b:1", "--yes", *host)
        assert (busy.returncode, [*fake.installed]) == (1, ["b:1"])
    (state,) = llmstack.home.rglob("state.db")
    async with await Store.open(state) as store:
        events = await store.events.newest()
    told = [(each.kind, each.model, each.details["end"]) for each in reversed(events)]
    assert told == [
        ("import", "new:1", "done"),
        ("deactivate", "a:1", "gone"),
        ("remove", "a:1", "done"),
        ("remove", "new:1", "done"),
        ("deactivate", "b:1", "leaving"),
        ("failed", "b:1", "failed"),
    ]
    assert {each.details["asked_by"] for each in events} == {"cli"}


def is_listed(stack: Stack, wanted: set[str]) -> bool:
    return {each.name for each in stack.state.hosts[0].snapshot.installed} == wanted


async def kinds_of_commands(stack: Stack) -> list[str]:
    return [
        each.kind for each in reversed(await stack.records.events()) if each.details.get("asked_by") == "cli"
    ]


async def test_a_dashboard_tells_of_a_command(llmstack: Program, tmp_path: Path) -> None:
    file = tmp_path / "new.gguf"
    file.write_bytes(b"GGUFxyz")
    async with fake_ollama(a_1="a") as (__, server):
        host = ("--host", server.url)
        await run(llmstack, "start", "a:1", *host)  # It makes the state file.
        (state,) = llmstack.home.rglob("state.db")
        async with following(
            [OllamaHost(server.url)], StackOptions(machine_every_s=60, state_file=state)
        ) as stack:
            await wait_until(lambda: stack.state.hosts[0].snapshot.reachable, 30)
            for *line, kind in (
                ("stop", "a:1", "deactivate"),
                ("import", str(file), "new:1", "import"),
                ("rm", "new:1", "--yes", "remove"),
            ):
                assert (await run(llmstack, *line, *host)).returncode == 0
                async with asyncio.timeout(30), aclosing(stack.watch()) as states:
                    async for _ in states:
                        if kind in await kinds_of_commands(stack):
                            break
                # The list is read every 30 seconds, unless there is news.
                wanted = {"a:1", "new:1"} if kind == "import" else {"a:1"}
                await wait_until(partial(is_listed, stack, wanted), 20, f"what is there after {kind}")
            assert await kinds_of_commands(stack) == ["activate", "deactivate", "import", "remove"]


async def test_a_state_that_cannot_be_kept_is_no_obstacle(llmstack: Program) -> None:
    async with running(usual_ollama("tiny:latest")) as (url,):
        await run(llmstack, "start", "tiny", "--host", url)
        (file,) = llmstack.home.rglob("state.db")
        for each in file.parent.glob("state.db*"):
            each.unlink()
        file.write_text("this is no database " * 100)
        done = await run(llmstack, "stop", "tiny", "--host", url)
    assert (done.returncode, done.stdout) == (0, "tiny:latest is unloaded.\n")
    assert "damaged" in done.stderr


async def test_ps_tells_how_long_a_model_is_idle_where_that_can_be_known(llmstack: Program) -> None:
    async with fake_ollama(a_1="a", b_1="b", c_1="c") as (fake, server):
        host = ("--host", server.url)
        await run(llmstack, "start", "a:1", "--keep-alive", "10m", *host)
        unguarded = llmstack.given(LLMSTACK_GUARD_ENABLED="false")
        await run(unguarded, "start", "b:1", *host)  # The server knows for how long, and we do not.
        roomy = llmstack.given(LLMSTACK_GUARD_MAX_LOADED="9")
        await run(roomy, "start", "c:1", "--keep-alive", "10m", *host)
        runners = {runner.name: runner for runner in fake.runners}
        runners["c:1"].expires_at = fake.now() + timedelta(seconds=60)  # Another client had it its way.
        loaded_at = runners["a:1"].expires_at - timedelta(minutes=10)
        models = only(await run(llmstack, "ps", "--json", *host), "models")
        longest = (fake.now() - loaded_at).total_seconds()
    idle = {model["name"]: model["idle"] for model in models}
    assert 0 <= idle.pop("a:1") <= longest
    assert idle == {"b:1": None, "c:1": None}


async def test_ps_knows_a_model_that_outstays_its_time_for_busy(llmstack: Program) -> None:
    async with fake_ollama(a_1="a", b_1="b") as (fake, server):
        fake.load("b:1")
        runner = fake.begin_request("a:1")
        runner.expires_at = fake.now() - timedelta(seconds=3)
        models = only(await run(llmstack, "ps", "--json", "--host", server.url), "models")
    assert {model["name"]: model["busy"] for model in models} == {"a:1": True, "b:1": None}


async def test_another_server_has_its_program_in_status_and_what_it_tells_in_lists(llmstack: Program) -> None:
    async with serving(FakeRouter(("a", "b"), loaded=["a"])) as server:
        other = ("--host", server.url)
        status = json.loads((await run(llmstack, *other, "status", "--json")).stdout)
        assert status["hosts"] == [
            {
                "url": server.url,
                "kind": "openai",
                "server": "llama-router",
                "version": "b10488-fake",
                "reachable": True,
            }
        ]
        (loaded,) = json.loads((await run(llmstack, *other, "ps", "--json")).stdout)["models"]
        assert (loaded["name"], loaded["requests"], loaded["context_length"]) == ("a", 0, 512)
        assert loaded["memory"] == {"server": None, "device": None, "estimate": None}
        listed = json.loads((await run(llmstack, *other, "ls", "--json")).stdout)["models"]
        assert [(each["name"], each["state"], each["size"]) for each in listed] == [
            ("a", "active", 98_000_000),
            ("b", "inactive", None),
        ]
        refused = await run(llmstack, *other, "rm", "-y", "a")
        assert refused.returncode == 1
        assert "llama-server (router)" in refused.stderr
