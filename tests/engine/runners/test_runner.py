"""A model answers, and nothing of it stays."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from contextlib import aclosing
from typing import TYPE_CHECKING

import aiohttp
import psutil
import pytest

from llmstack_tui.engine.errors import RunnerDied, UpstreamError
from llmstack_tui.engine.runners.messages import RunnerConfig
from llmstack_tui.engine.runners.runner import Runner
from llmstack_tui.engine.runners.scheduler import Scheduler
from tests.engine.runners.real_runners import (
    CHAT,
    ask,
    busy,
    chat,
    config,
    posix,
    running,
    until_text,
    wait_until_busy,
    wait_until_free,
)
from tests.support.gguf import models
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path


async def test_a_model_is_loaded_answers_and_is_gone(tiny_model: Path, folder: Path) -> None:
    async with running(tiny_model, folder) as runner:
        answer = await ask(runner)
        assert (answer.text, answer.finish) == (models.ANSWER, "stop")
        assert answer.usage is not None
        assert answer.usage.answer_tokens == 9
        assert answer.usage.prompt_tokens > 9
        assert answer.usage.answer_ns > 0
        assert runner.memory_bytes() > 10 * 2**20
        leaving = asyncio.create_task(runner.wait_exit())
    assert await leaving == "was stopped"
    assert runner.memory_bytes() == 0
    assert list(folder.iterdir()) == []
    await runner.stop()
    with pytest.raises(RunnerDied, match="was stopped"):
        await runner.call("/health")


@pytest.mark.skipif(sys.platform != "linux", reason="it is glibc that keeps a heap for each thread")
async def test_long_requests_do_not_add_up(tiny_model: Path, folder: Path) -> None:
    async with running(tiny_model, folder, context_length=16_384) as runner:

        async def read(tokens: int) -> int:
            await ask(runner, content=" locally" * tokens, max_tokens=1)
            return runner.memory_bytes()

        sizes = [await read(tokens) for tokens in range(15_000, 15_014)]
        # A heap for each thread would make it 30 MB.
        assert sizes[-1] - sizes[0] < 12 * 10**6


@posix
async def test_the_socket_is_its_owner_s_alone(tiny_model: Path, folder: Path) -> None:
    inner = folder / "sockets"
    async with running(tiny_model, inner):
        (socket,) = inner.iterdir()
        assert socket.stat().st_mode & 0o077 == 0
        assert inner.stat().st_mode & 0o077 == 0


async def test_on_a_port_it_answers_to_those_with_its_key_only(tiny_model: Path) -> None:
    async with running(tiny_model, None) as runner:
        assert (await ask(runner)).text == models.ANSWER
        port = next(
            connection.laddr.port
            for connection in psutil.Process(runner.pid).net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN
        )
        url = f"http://127.0.0.1:{port}{CHAT}"
        origin = {"Origin": "https://evil.example"}
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, json=chat(), headers=origin) as answer,
        ):
            assert answer.status == 401
            assert answer.headers.get("Access-Control-Allow-Origin") not in ("*", origin["Origin"])


@posix
async def test_it_runs_under_the_server_s_event_loop_too(tiny_model: Path, folder: Path) -> None:
    # In a process of its own: a loop of another kind would take over this one's children.
    code = """if True:
        import asyncio, pathlib, sys, uvloop
        from llmstack_tui.engine.runners.messages import RunnerConfig
        from llmstack_tui.engine.runners.runner import Runner
        async def cycle():
            config = RunnerConfig(weights=sys.argv[1], context_length=512, threads=1)
            runner = await Runner.start(config, folder=pathlib.Path(sys.argv[2]))
            await runner.call("/health")
            await runner.stop()
            print(await runner.wait_exit())
        uvloop.run(cycle())
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "error", "-c", code, str(tiny_model), str(folder),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, errors = await process.communicate()
    assert (output.strip(), errors) == (b"was stopped", b"")


async def test_32_chats_at_once_are_all_answered(tiny_model: Path, folder: Path) -> None:
    async with running(tiny_model, folder) as runner:
        answers = await asyncio.gather(*(ask(runner) for _ in range(32)))
        assert {answer.text for answer in answers} == {models.ANSWER}


async def test_each_of_two_requests_at_once_has_the_whole_context(tiny_model: Path, folder: Path) -> None:
    async with running(tiny_model, folder, parallel=2, context_length=1024) as runner:
        slots = (await runner.call("/slots"))["data"]
        assert [slot["n_ctx"] for slot in slots] == [1024, 1024]
        answers = await asyncio.gather(*(ask(runner, content="x" * 800) for _ in range(4)))
        assert {answer.text for answer in answers} == {models.ANSWER}


async def test_a_model_that_embeds_chats_too(tiny_model: Path, folder: Path) -> None:
    async with running(tiny_model, folder, embedding=True) as runner:
        answer = await runner.call("/v1/embeddings", {"input": ["tiny model", "x" * 1500]})
        assert len(answer["data"]) == 2
        assert sum(value**2 for value in answer["data"][0]["embedding"]) == pytest.approx(1, abs=1e-3)
        assert (await ask(runner)).text == models.ANSWER


async def test_a_chat_template_replaces_the_file_s_own(tiny_model: Path, folder: Path) -> None:
    async with running(tiny_model, folder, chat_template="<{{ messages[0]['content'] }}>") as runner:
        rendered = await runner.call("/apply-template", chat("Hi"))
        assert rendered["prompt"] == "<Hi>"


async def test_keys_and_values_can_be_quantized(tiny_model: Path, folder: Path) -> None:
    async with running(tiny_model, folder, cache_type="q8_0") as runner:
        assert (await ask(runner)).text == models.ANSWER


async def test_a_prompt_that_is_too_long_is_an_error_with_the_context_length(
    tiny_model: Path, folder: Path
) -> None:
    async with running(tiny_model, folder, context_length=256) as runner:
        with pytest.raises(UpstreamError) as caught:
            await ask(runner, content="x" * 600)
        error = caught.value
        assert (error.status, error.kind) == (400, "exceed_context_size_error")
        assert "256" in str(error)
        assert (await ask(runner)).text == models.ANSWER


async def test_a_request_that_is_refused_says_why(tiny_model: Path, folder: Path) -> None:
    async with running(tiny_model, folder) as runner:
        with pytest.raises(UpstreamError, match="messages"):
            await runner.call(CHAT, {"messages": 3})
        with pytest.raises(UpstreamError, match="Not Found") as caught:
            await runner.call("/nothing", {})
        assert caught.value.status == 404


@pytest.mark.parametrize("how", ["close", "cancel"])
async def test_who_leaves_frees_the_model(endless_model: Path, folder: Path, how: str) -> None:
    async with running(endless_model, folder, context_length=8192) as runner:
        if how == "close":
            async with aclosing(runner.stream(CHAT, chat())) as events:
                await until_text(events)
                assert await busy(runner)
        else:
            task = asyncio.create_task(ask(runner))
            await wait_until_busy(runner)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        await wait_until_free(runner, within_s=8)


async def test_who_leaves_during_a_long_prompt_frees_the_model(endless_model: Path, folder: Path) -> None:
    async with running(endless_model, folder, context_length=16_384) as runner:
        async with aclosing(runner.stream(CHAT, chat("a" * 15_000))) as events:
            progress = json.loads(await anext(events))["prompt_progress"]
            assert progress["processed"] < progress["total"]
        await wait_until_free(runner, within_s=8)


async def test_who_waits_for_a_turn_can_leave_it(endless_model: Path, folder: Path) -> None:
    async with running(endless_model, folder) as runner, aclosing(runner.stream(CHAT, chat())) as first:
        await until_text(first)
        waiting = asyncio.create_task(ask(runner))
        # What takes no turn is answered meanwhile.
        await runner.call("/tokenize", {"content": "Hi"})
        assert not waiting.done()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting


@posix
async def test_a_dead_model_is_loaded_anew_by_the_scheduler(tiny_model: Path, folder: Path) -> None:
    async def start(wanted: RunnerConfig) -> Runner:
        return await Runner.start(wanted, folder=folder)

    scheduler: Scheduler[str, RunnerConfig, Runner] = Scheduler(
        start_runner=start, serves=RunnerConfig.serves
    )
    wanted = config(tiny_model)
    try:
        async with scheduler.use("tiny", wanted, model="tiny") as first:
            assert (await ask(first)).text == models.ANSWER
        os.kill(first.pid, signal.SIGKILL)
        await wait_until(lambda: not scheduler.resident())
        async with scheduler.use("tiny", wanted, model="tiny") as second:
            assert second.pid != first.pid
            assert (await ask(second)).text == models.ANSWER
    finally:
        await scheduler.close()
    assert not psutil.pid_exists(second.pid)


@pytest.mark.slow
async def test_loading_again_and_again_leaves_nothing(tiny_model: Path, folder: Path) -> None:
    async def cycle() -> None:
        async with running(tiny_model, folder, context_length=256) as runner:
            await ask(runner)

    own = psutil.Process()
    for _ in range(5):
        await cycle()
    children, tasks = own.children(), len(asyncio.all_tasks())
    files, memory = own.num_fds(), own.memory_info().rss
    for _ in range(120):
        await cycle()
    assert own.children() == children
    assert len(asyncio.all_tasks()) == tasks
    assert own.num_fds() <= files
    assert list(folder.iterdir()) == []
    assert own.memory_info().rss - memory < 4 * 2**20
