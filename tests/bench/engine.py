"""The built-in engine: speed beside a real Ollama's on the same file, and what it adds to llama.cpp."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from tests.bench.figures import Figure
from tests.contract.conftest import create_from_file
from tests.support.engine_process import engine_process
from tests.support.gguf import models

if TYPE_CHECKING:
    from collections.abc import Iterator

RUNS = 5
THREADS = 2
NAME = "llmstack-bench:shape"
TOKENS = 128


def figures() -> Iterator[Figure]:
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        url = opened.enter_context(engine_process(folder))
        ours = opened.enter_context(httpx.Client(base_url=url, timeout=120, trust_env=False))
        tiny = models.scripted(folder / "tiny.gguf")
        shape = models.shaped(folder / "shape.gguf", "smollm2-135m", "Q4_1")
        for name, path in {"tiny": tiny, NAME: shape}.items():
            ours.post("/api/import", json={"model": name, "path": str(path)}).raise_for_status()
        yield from added_per_request(ours)
        yield from decode_speed(ours, shape)


def generate(http: httpx.Client, name: str, **options: Any) -> dict[str, Any]:
    answer = http.post(
        "/api/generate",
        json={"model": name, "prompt": "Hi", "stream": False, "options": {"temperature": 0, **options}},
    )
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


def added_per_request(http: httpx.Client) -> Iterator[Figure]:
    """Wall time of a request less what llama.cpp itself says it took."""
    generate(http, "tiny", num_predict=1)
    added = []
    for _ in range(50):
        begin = time.perf_counter()
        answer = generate(http, "tiny", num_predict=1)
        wall = time.perf_counter() - begin
        added.append(wall - (answer["prompt_eval_duration"] + answer["eval_duration"]) / 1e9)
    yield Figure("added to a request, median", statistics.median(added) * 1000, "ms", 3.0)


def speed(http: httpx.Client) -> float:
    """Tokens per second of one long answer."""
    answer = generate(http, NAME, num_predict=TOKENS, num_thread=THREADS, ignore_eos=True)
    rate: float = answer["eval_count"] / (answer["eval_duration"] / 1e9)
    return rate


def decode_speed(ours: httpx.Client, path: Path) -> Iterator[Figure]:
    what = f"decode speed / a real Ollama's, {THREADS} threads"
    address = os.environ.get("LLMSTACK_TEST_OLLAMA")
    if not address:
        rate = statistics.median(speed(ours) for _ in range(RUNS))
        yield Figure(
            what, None, note=f"{rate:.0f} tokens/s; LLMSTACK_TEST_OLLAMA names no Ollama to compare with"
        )
        return
    with httpx.Client(base_url=address if "://" in address else f"http://{address}", timeout=120) as real:
        create_from_file(real, NAME, path)
        try:
            pairs = [(speed(ours), speed(real)) for _ in range(RUNS)]
        finally:
            real.request("DELETE", "/api/delete", json={"model": NAME})
    ratio = statistics.median(one / other for one, other in pairs)
    rates = [statistics.median(column) for column in zip(*pairs, strict=True)]
    yield Figure(what, ratio, budget=1.0, at_least=True, note=f"{rates[0]:.0f} / {rates[1]:.0f} tokens/s")
