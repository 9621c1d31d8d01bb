"""One GGUF file, served alone."""

from __future__ import annotations

import re
import signal
import sys
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.engine.single.client import SingleClient, SingleFailed
from tests.support.waiting import wait_until_sync

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.program import Program


@contextmanager
def serving(llmstack: Program, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process of `engine run` and the address at which it says that it serves."""
    with llmstack.start("engine", "run", "--port", "0", *arguments) as process:
        try:
            assert process.stderr
            said = ""
            while not (found := re.search(r"http://127\.0\.0\.1:\d+", said)):
                line = process.stderr.readline()
                assert line, said
                said += line
            yield process, found[0]
        finally:
            process.kill()


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_it_answers_until_ctrl_c(llmstack: Program, tiny_model: Path) -> None:
    with serving(llmstack, "--gguf", str(tiny_model)) as (process, url):
        with SingleClient(url) as client:
            wait_until_sync(lambda: client.health_check().ok, 30, "the model is ready")
            assert client.chat("Who are you?").response.endswith(" model running locally.")
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "Traceback" not in errors


def test_the_file_may_be_named_by_the_environment(llmstack: Program, tiny_model: Path) -> None:
    with (
        serving(llmstack.given(LLM_MODEL_PATH=str(tiny_model))) as (_, url),
        SingleClient(url) as client,
    ):
        wait_until_sync(lambda: client.health_check().ok, 30, "the model is ready")


def test_a_missing_file_is_told_by_the_server(llmstack: Program, tmp_path: Path) -> None:
    missing = tmp_path / "none.gguf"
    with serving(llmstack, "--gguf", str(missing)) as (_, url), SingleClient(url) as client:
        wait_until_sync(lambda: client.health_check().error, 30, "the server says what is missing")
        assert str(missing) in str(client.health_check().error)


def test_with_a_key_it_answers_nobody_else(llmstack: Program, tiny_model: Path) -> None:
    key = "the-key-of-this-file"
    user = llmstack.given(LLMSTACK_ENGINE_API_KEY=key)
    with serving(user, "--gguf", str(tiny_model), "--host", "0.0.0.0") as (_, url):
        with SingleClient(url, key=key) as client:
            wait_until_sync(lambda: client.health_check().ok, 30, "the model is ready")
            assert client.chat("Who are you?").response.endswith(" model running locally.")
        with SingleClient(url) as client:
            for ask in (client.health_check, partial(client.chat, "Who are you?")):
                with pytest.raises(SingleFailed, match="needs its key") as failed:
                    ask()
                assert failed.value.status == 401


def test_a_port_in_use_is_a_sentence(llmstack: Program, tiny_model: Path) -> None:
    with serving(llmstack, "--gguf", str(tiny_model)) as (_, url):
        port = url.rpartition(":")[2]
        done = llmstack("engine", "run", "--gguf", tiny_model, "--port", port)
    assert done.returncode == 1
    assert f"Port {port} of 127.0.0.1 is in use" in done.stderr


def test_without_a_file_it_asks_for_one(llmstack: Program) -> None:
    done = llmstack("engine", "run")
    assert done.returncode == 2
    assert "--gguf" in done.stderr
