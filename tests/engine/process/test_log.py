"""The engine's log: who may read it, and what is not in it."""

from __future__ import annotations

import logging
import os
import signal
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from llmstack_tui.engine.process.log import CleanFormatter
from llmstack_tui.engine.runners.endings import without_text
from tests.support.engine import HI, model_process, serving
from tests.support.waiting import wait_until_sync

if TYPE_CHECKING:
    from pathlib import Path

posix = pytest.mark.skipif(sys.platform == "win32", reason="modes and signals of POSIX")


def logs(home: Path) -> Path:
    return home / ".local/share/llmstack/logs"


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@posix
def test_only_its_owner_reads_it_and_those_before_it(tmp_path: Path) -> None:
    folder = logs(tmp_path)
    folder.mkdir(parents=True)
    for name in ("engine.log", "engine.log.1"):
        (folder / name).write_text("x" * 999_990)
        (folder / name).chmod(0o644)
    before = os.umask(0)
    try:
        with serving(tmp_path):
            assert "answers at" in (folder / "engine.log").read_text(), "it was full, and another was begun"
            assert {path.name: mode(path) for path in folder.iterdir()} == {
                "engine.log": 0o600,
                "engine.log.1": 0o600,
            }
    finally:
        os.umask(before)


def formatted(message: str, *arguments: object, **record: object) -> str:
    made = logging.LogRecord("name", logging.INFO, "file", 1, message, arguments, None)
    made.__dict__.update(record)
    return CleanFormatter("%(levelname)s %(message)s").format(made)


def test_a_message_is_one_harmless_line() -> None:
    forged = "x\n2026-01-01 ERROR all is lost\x1b]52;c;aGk=\x07\u202e\u200b"
    assert (
        formatted("Unknown: %s", forged)
        == "INFO Unknown: x 2026-01-01 ERROR all is lost\ufffd]52;c;aGk=\ufffd\ufffd\ufffd"
    )
    assert len(formatted("%s", "x" * 10_000)) < 3000


def test_a_traceback_keeps_its_lines() -> None:
    try:
        raise ValueError("a\x1b[31mb")
    except ValueError:
        text = formatted("It failed", exc_info=sys.exc_info())
    assert text.startswith("INFO It failed\nTraceback")
    assert text.endswith("ValueError: a\ufffd[31mb")


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        (
            'E srv  operator(): got exception: {"error":{"message":"bad: my secret prompt"}}',
            "E srv  operator():",
        ),
        ("W common_chat_parse: failed at: my secret prompt", "W common_chat_parse:"),
        ("my secret prompt", ""),
        ("/src/ggml.c:12: GGML_ASSERT(a == b) failed", "GGML_ASSERT(a == b) failed"),
        ("  what():  std::bad_alloc", "what():  std::bad_alloc"),
        ("  what():  [json.exception] last read: 'my secret", ""),
    ],
)
def test_what_a_model_says_while_it_answers_is_not_kept(line: str, kept: str) -> None:
    stamped = f"0.00.263.198 {line}" if line[0] in "EW" else line
    found = without_text(stamped)
    assert found.removeprefix("0.00.263.198 ").startswith(kept)
    assert "secret" not in found
    assert bool(found) == bool(kept)


@posix
def test_prompts_and_answers_are_not_in_it(tmp_path: Path, tiny_model: Path) -> None:
    word = "quite-unusual-word"
    with serving(tmp_path) as engine:
        engine.import_file("tiny", tiny_model)
        engine.answered("/api/create", model="told", **{"from": "tiny"}, system=word)
        engine.chat(word, model="told")
        engine.post("/api/chat", model=f"no\n{word}", messages=HI)
        schema = {"type": "object", "properties": {"a": {"type": "string", "pattern": f"({word}"}}}
        engine.post("/api/chat", model="tiny", messages=HI, format=schema)
        engine.post("/api/generate", model="tiny", prompt=word, context=[-1])
        engine.post("/api/generate", model="tiny", prompt=word, options={"num_ctx": 16})
        engine.chat(word, model="told")
        process = model_process(engine)
        os.kill(process.pid, signal.SIGABRT)
        wait_until_sync(lambda: not psutil.pid_exists(process.pid) or not engine.ps())
        text = (logs(tmp_path) / "engine.log").read_text()
    assert "The process of told:latest crashed (SIGABRT)" in text
    assert word not in text
