"""A real llama-server with one model: the process that the built-in engine starts for each of its own."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import msgspec
import pytest

from llmstack_tui.base.kinds import Capability, ServerKind
from llmstack_tui.base.secret import Secret
from llmstack_tui.core.auto_host import AutoHost
from llmstack_tui.engine.runners.messages import ReadyMessage, RunnerConfig, StartMessage
from llmstack_tui.hosts.errors import Refused
from llmstack_tui.hosts.types import Message
from tests.ollama.clients import read
from tests.support.gguf import models

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

KEY = Secret("the-key-of-this-child-0123")


@asynccontextmanager
async def llama_server(weights: Path) -> AsyncIterator[str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "llmstack_tui.engine.runners.child",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    config = RunnerConfig(weights=str(weights), context_length=512, threads=1)
    message = StartMessage(config=config, socket=None, key=KEY.text, parent=os.getpid(), confine=False)
    process.stdin.write(msgspec.json.encode(message) + b"\n")
    try:
        ready = msgspec.json.decode(await process.stdout.readline(), type=ReadyMessage)
        yield ready.address
    finally:
        process.stdin.close()
        await process.wait()


async def test_its_one_model_is_loaded_and_answers(tiny_model: Path) -> None:
    async with llama_server(tiny_model) as url:
        host = AutoHost(url, key=KEY)
        version = await host.version()
        assert version.server is ServerKind.LLAMA_SERVER
        (model,) = await host.installed()
        assert (model.format, model.context_length) == ("gguf", 32768)
        assert 0 < (model.size or 0) <= tiny_model.stat().st_size
        (running,) = await host.running()
        assert (running.name, running.context_length, running.size) == (model.name, 512, None)
        hello = [Message(role="user", content="Hi")]
        chunks = await read(host.chat(model.name, hello, options={"temperature": 0}))
        assert "".join(each.text for each in chunks) == models.ANSWER
        usage = chunks[-1].usage
        assert usage is not None
        assert usage.tokens_per_second
        assert "{%" in (await host.show(model.name)).template
        assert not host.capabilities & (Capability.LOAD | Capability.UNLOAD)
        await host.aclose()


async def test_it_is_recognized_by_whoever_lacks_its_key_which_is_asked_for(tiny_model: Path) -> None:
    async with llama_server(tiny_model) as url:
        host = AutoHost(url, key=Secret("another-key-0123456789"))
        with pytest.raises(Refused) as caught:
            await host.version()
        assert caught.value.kind == "host.wrong_key"
        await host.aclose()
