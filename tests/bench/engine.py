"""The built-in engine: what it adds to llama.cpp, and its speed beside a real Ollama's on the same file."""

from __future__ import annotations

import http.client
import os
import random
import socket
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import msgspec

from tests.bench.figures import Figure
from tests.contract.conftest import create_from_file
from tests.support.engine_process import MODEL, engine_process, running
from tests.support.gguf import models

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Body = dict[str, Any]
    Request = tuple[str, Body]

REQUESTS = 100
PAIRS = 9
THREADS = 2
NAME = "llmstack-bench:shape"
HI = [{"role": "user", "content": "Hi"}]
# As the tiny model's template writes it.
PROMPT = "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
# How often the pairs are drawn anew for an interval, and how many of the medians are outside at each end.
DRAWN, OUTSIDE = 2000, 50


def figures() -> Iterator[Figure]:
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        url = opened.enter_context(engine_process(folder))
        ours = opened.enter_context(httpx.Client(base_url=url, timeout=600, trust_env=False))
        tiny = models.scripted(folder / "tiny.gguf")
        shape = models.shaped(folder / "shape.gguf", "smollm2-135m", "Q4_1")
        for name, path in {"tiny": tiny, NAME: shape}.items():
            ours.post("/api/import", json={"model": name, "path": str(path)}).raise_for_status()
        for what, request, direct in one_token():
            yield Figure(f"added to {what}", added_ms(url, folder, request, direct), "ms", 3.0)
        ours.post("/api/generate", json={"model": "tiny", "keep_alive": 0})
        yield from speeds(ours, shape)


def one_token() -> Iterator[tuple[str, Request, list[Request]]]:
    """Requests for one token, each with the requests to llama.cpp that make its answer."""
    chat: Body = {"messages": HI, "temperature": 0, "max_tokens": 1}
    plain: Body = {"prompt": PROMPT, "temperature": 0, "n_predict": 1}
    # The context: the tokens of prompt and answer.
    written = ("/apply-template", {"messages": HI})
    counted = ("/tokenize", {"content": f"{PROMPT}Hello", "parse_special": True})
    for stream in (False, True):
        how: Body = {"stream": stream}
        ours: Body = {"model": "tiny", **how, "options": {"temperature": 0, "num_predict": 1}}
        kind = ", streamed" if stream else ""
        direct = [("/v1/chat/completions", chat | how)]
        yield f"/api/chat{kind}", ("/api/chat", ours | {"messages": HI}), direct
        yield f"/v1/chat/completions{kind}", ("/v1/chat/completions", chat | how | {"model": "tiny"}), direct
        direct = [written, ("/completion", plain | how), counted]
        yield f"/api/generate{kind}", ("/api/generate", ours | {"prompt": "Hi"}), direct
    embed: Body = {"input": "Hi"}
    yield "/api/embed", ("/api/embed", embed | {"model": "tiny"}), [("/v1/embeddings", embed)]


class ModelConnection(http.client.HTTPConnection):
    """A connection to the Unix socket of a model's process, which answers one request on it."""

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.host)


def added_ms(url: str, home: Path, request: Request, direct: Sequence[Request]) -> float:
    """Wall time of a request less that of the requests to the model's process, in turns: the median."""
    ours = http.client.HTTPConnection(url.removeprefix("http://"))
    # It may load the model anew.
    wall_ms(ours, request)
    [process] = running(MODEL, home)
    [address] = filter(None, {str(each.laddr) for each in process.net_connections("unix")})

    def one() -> float:
        return wall_ms(ours, request) - sum(wall_ms(ModelConnection(address), each) for each in direct)

    try:
        return statistics.median(one() for _ in range(REQUESTS))
    finally:
        ours.close()


def wall_ms(connection: http.client.HTTPConnection, request: Request) -> float:
    path, body = request
    begin = time.perf_counter()
    connection.request("POST", path, msgspec.json.encode(body), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    text = answer.read()
    taken_s = time.perf_counter() - begin
    assert answer.status == 200, text
    if isinstance(connection, ModelConnection):
        connection.close()
    return taken_s * 1000


def decode(http: httpx.Client) -> float:
    """Tokens per second of one long answer."""
    answer = generated(http, "Hi", num_predict=200, ignore_eos=True)
    return float(answer["eval_count"] / (answer["eval_duration"] / 1e9))


def prefill(http: httpx.Client) -> float:
    """Tokens per second of a long prompt, of which nothing is known from the one before."""
    letters = random.choices("abcdefghijklmnopqrstuvwxyz", k=1500)
    answer = generated(http, "".join(letters), num_predict=1)
    return float(answer["prompt_eval_count"] / (answer["prompt_eval_duration"] / 1e9))


def generated(http: httpx.Client, prompt: str, **options: object) -> Body:
    wanted = {"temperature": 0, "num_ctx": 4096, "num_thread": THREADS, **options}
    body = {"model": NAME, "prompt": prompt, "raw": True, "stream": False, "options": wanted}
    found: Body = http.post("/api/generate", json=body).raise_for_status().json()
    return found


def speeds(ours: httpx.Client, path: Path) -> Iterator[Figure]:
    """Decode and prefill, in turns with a real Ollama's, with the interval of 95 % of the median."""
    address = os.environ.get("LLMSTACK_TEST_OLLAMA")
    if not address:
        for speed in (decode, prefill):
            rate = statistics.median(speed(ours) for _ in range(PAIRS))
            note = f"{rate:.0f} tokens/s; LLMSTACK_TEST_OLLAMA names no Ollama to compare with"
            yield Figure(f"{speed.__name__} / a real Ollama's, {THREADS} threads", None, note=note)
        return
    with httpx.Client(base_url=address if "://" in address else f"http://{address}", timeout=600) as real:
        create_from_file(real, NAME, path)
        try:
            for speed in (decode, prefill):
                speed(ours), speed(real)
                pairs = [(speed(ours), speed(real)) for _ in range(PAIRS)]
                ratios = [one / other for one, other in pairs]
                drawn = sorted(statistics.median(random.choices(ratios, k=PAIRS)) for _ in range(DRAWN))
                rates = " / ".join(f"{statistics.median(column):.0f}" for column in zip(*pairs, strict=True))
                note = f"{drawn[OUTSIDE]:.2f} to {drawn[-OUTSIDE]:.2f}; {rates} tokens/s"
                what = f"{speed.__name__} / a real Ollama's, {THREADS} threads"
                yield Figure(what, statistics.median(ratios), budget=1.0, at_least=True, note=note)
        finally:
            real.request("DELETE", "/api/delete", json={"model": NAME})
