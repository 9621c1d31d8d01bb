"""Lines as a real Ollama 0.24 and 0.33 wrote them, only that folders have other names; and what they mean."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from llmstack_tui.core.wording import text
from llmstack_tui.ollama.log.lines import LONGEST, LogLevel, LogLine, parse
from llmstack_tui.ollama.log.rules import last_words, remark

HERE = Path(__file__).parent
BLOB = "/home/user/.ollama/models/blobs/sha256-b179"


def lines(version: str) -> list[LogLine]:
    return [parse(line) for line in (HERE / f"ollama-{version}.log").read_text().splitlines()]


def test_a_line_of_slog() -> None:
    line = parse(
        'time=2026-11-30T13:08:56.903Z level=WARN source=runner.go:153 msg="truncating input prompt" '
        'limit=2048 prompt=5010 "model layers"=31 error="Get \\"https://a.b\\": no"'
    )
    assert (line.time, line.level, line.source) == (
        datetime(2026, 11, 30, 13, 8, 56, 903000, UTC), LogLevel.WARNING, "runner.go:153",
    )  # fmt: skip
    assert line.message == "truncating input prompt"
    assert line.fields == {
        "limit": "2048", "prompt": "5010", "model layers": "31", "error": 'Get "https://a.b": no',
    }  # fmt: skip


def test_a_request() -> None:
    line = parse(
        '[GIN] 2026/11/30 - 13:10:21 | 500 |  6.150274497s |       127.0.0.1 | POST     "/api/generate"'
    )
    assert (line.level, line.source) == (LogLevel.ERROR, "GIN")
    assert line.time is not None
    assert line.time.replace(tzinfo=None) == datetime(2026, 11, 30, 13, 10, 21)  # noqa: DTZ001 (local)
    assert (line.fields["status"], line.fields["path"], line.fields["took"]) == (
        "500", "/api/generate", "6.150274497s",
    )  # fmt: skip


def test_what_a_slot_says_of_a_request_and_its_speed() -> None:
    prompt = parse("slot   operator(): id  0 | task 13 | new prompt, n_ctx_slot = 2048, n_keep = 4, "
                   "task.n_tokens = 1026")  # fmt: skip
    assert (prompt.source, prompt.fields["task"], prompt.fields["task.n_tokens"]) == (
        "slot operator()", "13", "1026",
    )  # fmt: skip
    speed = parse("slot print_timing: id  0 | task 13 | prompt eval time =   42419.55 ms /  1023 tokens (   "
                  "41.47 ms per token,    24.12 tokens per second)")  # fmt: skip
    assert speed.fields["tokens"] == "1023"
    assert speed.fields["tokens per second"] == "24.12"
    coming = parse("slot print_timing: id  0 | task 13 | prompt processing, n_tokens =    512, progress = "
                   "0.50, t =  19.87 s / 25.77 tokens per second")  # fmt: skip
    assert (coming.fields["progress"], coming.fields["tokens per second"]) == ("0.50", "25.77")


def test_a_line_of_our_engine() -> None:
    line = parse("2026-11-30 13:10:22,207 WARNING llmstack_tui.engine.api: slow: yes")
    assert (line.level, line.source, line.message) == (
        LogLevel.WARNING, "llmstack_tui.engine.api", "slow: yes",
    )  # fmt: skip


def test_a_line_is_harmless_and_bounded() -> None:
    assert parse("a\x1b[31m\x00b\x9b").text == "a\ufffd[31m\ufffdb\ufffd"
    assert len(parse("x" * 100_000).text) == LONGEST
    many = parse("level=INFO msg=x " + " ".join(f"k{number}=v" for number in range(500)))
    assert len(many.fields) <= 40


@pytest.mark.parametrize(
    "piece", ["a ", "a=", '"', '\\"', "/ 1 tokens ", "/", "slot x: id 1 | task 1 | a ", "= 1 "]
)
def test_no_line_takes_long(piece: str) -> None:
    for start in (
        "",
        "level=INFO msg=",
        'level=INFO msg="',
        "slot a: id 1 | task 1 | =",
        "llama_x: = tokens per second ",
    ):
        began = time.process_time()
        line = parse(start + piece * (LONGEST // len(piece)) + "permission denied")
        remark(line)
        assert time.process_time() - began < 0.1


KNOWN = [
    ("Error: listen tcp 127.0.0.1:11434: bind: address already in use", "log.port_taken"),
    ('level=WARN msg="truncating input prompt" limit=2048 prompt=5010 keep=4 new=2048', "log.cut"),
    ('level=DEBUG msg="context limit hit - shifting" id=0 limit=2048 keep=4', "log.shifted"),
    ('level=WARN msg="requested context size too large for model" num_ctx=40000000 n_ctx_train=8192',
     "log.context_over"),
    ('level=WARN source=server.go:1044 msg="model request too large for system" requested="615.4 MiB" '
     'available="415.9 MiB" total="916.8 MiB" free="415.9 MiB" swap="0 B"', "log.too_large"),
    (f'level=INFO msg="Load failed" model={BLOB} error="model requires more system memory (5.3 GiB) than is '
     'available (4.8 GiB)"', "log.too_large"),
    (f'level=INFO msg="Load failed" model={BLOB} error="exit status 1"', "log.load_failed"),
    ("ggml_backend_cuda_buffer_type_alloc_buffer: allocating 9.00 MiB on device 0: cudaMalloc failed: out of "
     "memory", "log.out_of_memory"),
    ('level=INFO msg="inference compute" id=cpu library=cpu compute="" name=cpu', "log.no_gpu"),
    ('level=INFO msg="inference compute" id=GPU-1 library=CUDA description="NVIDIA L4" total="22.0 GiB" '
     'available="21.5 GiB"', "log.gpu"),
    ('level=INFO msg="no compatible GPUs were discovered"', "log.no_gpu"),
    ('level=ERROR msg="llama runner terminated" error="exit status 2"', "log.runner_died"),
    ('level=ERROR msg="llama-server terminated" error="signal: killed"', "log.runner_killed"),
    ("llama_model_load: error loading model: unknown model architecture: 'gemma9'", "log.old_ollama"),
    ('level=ERROR msg="x" error="timed out waiting for llama-server to start: loading"', "log.load_timeout"),
    ("Error: mkdir /usr/share/ollama/.ollama: permission denied", "log.denied"),
    ('[GIN] 2026/11/30 - 13:10:21 | 503 |  1.5ms |  127.0.0.1 | POST  "/api/chat"', "log.queue_full"),
    ("slot      release: id  0 | task 0 | stop processing: n_tokens = 23, truncated = 1", "log.answer_cut"),
    ('level=INFO msg="total unused blobs removed: 3"', "log.pruned"),
    ('level=INFO msg="Listening on [::]:11434 (version 0.33.0)"', "log.listening_open"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "kind"), KNOWN)
def test_a_known_line_has_a_sentence(line: str, kind: str) -> None:
    found = remark(parse(line))
    assert found is not None
    assert found.kind == kind
    said = text(found.says, *((found.advice,) if found.advice else ()))
    assert "log." not in said
    assert "?" not in said


@pytest.mark.parametrize(
    "line",
    [
        "slot      release: id  0 | task 0 | stop processing: n_tokens = 23, truncated = 0",
        'level=INFO msg="total unused blobs removed: 0"',
        '[GIN] 2026/11/30 - 13:10:21 | 404 |  1.5ms |  127.0.0.1 | POST  "/api/chat"',
        "load_backend: loaded CPU backend from /usr/local/lib/ollama/libggml-cpu-haswell.so",
        "",
    ],
)
def test_another_line_has_none(line: str) -> None:
    assert remark(parse(line)) is None


@pytest.mark.parametrize("version", ["0.24", "0.33"])
def test_what_a_real_log_tells(version: str) -> None:
    found = [each.kind for line in lines(version) if (each := remark(line)) is not None]
    assert {"log.listening", "log.no_gpu", "log.default_context", "log.loaded", "log.cut", "log.context_over",
            "log.request_failed", "log.port_taken"} <= {*found}  # fmt: skip
    assert "log.listening_open" not in found


def test_why_a_server_has_ended() -> None:
    (why, advice) = last_words(lines("0.33"))
    assert (why.kind, why.params["address"]) == ("log.port_taken", "127.0.0.1:11434")
    assert advice.kind == "log.other_port"
    said = parse("ollama.service: Main process exited, code=exited, status=1/FAILURE", source="systemd")
    assert [
        each.params["words"] for each in last_words([parse("panic: nil"), parse("goroutine 1"), said])
    ] == ["panic: nil"]
    assert last_words([said]) == ()
