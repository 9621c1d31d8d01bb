"""What takes several calls: loading, keep-alive, a stop during a request, several clients at once."""

from __future__ import annotations

import concurrent.futures
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.waiting import wait_until_sync

if TYPE_CHECKING:
    from tests.contract.conftest import Server


def expires_in(server: Server) -> timedelta:
    """From now until the one loaded model expires."""
    (running,) = server.ps()
    text = str(running["expires_at"])
    # Nanoseconds are more than fromisoformat takes.
    head, _, rest = text.partition(".")
    zone = rest.lstrip("0123456789") or "Z"
    return datetime.fromisoformat(head + zone.replace("Z", "+00:00")) - datetime.now(UTC)


def load(server: Server, keep_alive: Any) -> None:
    answer = server.http.post("/api/generate", json={"model": server.model, "keep_alive": keep_alive})
    assert answer.json()["done_reason"] == "load", answer.text


def test_greedy_chat_says_what_the_model_was_made_to_say(server: Server) -> None:
    answer = server.http.post(
        "/api/chat",
        json={
            "model": server.model,
            "messages": [{"role": "user", "content": "Hi"}],
            "stream": False,
            "options": {"temperature": 0},
        },
    ).json()
    assert answer["message"] == {"role": "assistant", "content": "Hello from a tiny model running locally."}
    assert answer["done_reason"] == "stop"
    assert answer["eval_count"] in (9, 10)
    assert answer["total_duration"] >= answer["eval_duration"] > 0


def test_keep_alive_is_a_duration_or_seconds_or_for_ever(server: Server) -> None:
    def expires_between(low: timedelta, high: timedelta) -> None:
        # Ollama sets the time after it has answered.
        wait_until_sync(lambda: low < expires_in(server) <= high, 5, f"expires in {low} to {high}")

    load(server, "2m")
    expires_between(timedelta(seconds=110), timedelta(seconds=120))
    load(server, 600)
    expires_between(timedelta(seconds=590), timedelta(seconds=600))
    load(server, -1)
    expires_between(timedelta(days=365 * 200), timedelta(days=365 * 400))


def test_a_model_leaves_when_its_time_is_up(server: Server) -> None:
    load(server, "200ms")
    server.wait_gone()


def test_unload_of_a_loaded_model(server: Server) -> None:
    load(server, "5m")
    answer = server.http.post("/api/generate", json={"model": server.model, "keep_alive": 0})
    assert answer.json()["done_reason"] == "unload"
    server.wait_gone()


def test_a_stop_never_cuts_a_running_request(server: Server) -> None:
    body = {
        "model": server.endless_model,
        "prompt": "Hi",
        "options": {"temperature": 0, "num_predict": 150},
    }
    with server.http.stream("POST", "/api/generate", json=body) as running:
        received = running.iter_lines()
        next(received)
        answer = server.http.post("/api/generate", json={"model": server.endless_model, "keep_alive": 0})
        assert answer.json()["done_reason"] == "unload"
        last = json.loads([*received][-1])
    assert last["done"] is True
    assert last["eval_count"] == 150
    server.wait_gone()


def test_an_unknown_option_is_no_error(server: Server) -> None:
    answer = server.http.post(
        "/api/generate",
        json={
            "model": server.model,
            "prompt": "Hi",
            "stream": False,
            "options": {"nonsense": 1, "num_predict": 2},
        },
    )
    assert answer.status_code == 200
    assert answer.json()["eval_count"] == 2


def test_json_format_answers_json_or_its_beginning(server: Server) -> None:
    answer = server.http.post(
        "/api/chat",
        json={
            "model": server.model,
            "messages": [{"role": "user", "content": "Hi"}],
            "stream": False,
            "format": {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
            "options": {"temperature": 0, "num_predict": 40},
        },
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["message"]["content"].lstrip().startswith("{")


def test_stop_and_num_predict_are_honoured(server: Server) -> None:
    def generate(**options: Any) -> dict[str, Any]:
        answer = server.http.post(
            "/api/generate",
            json={
                "model": server.model,
                "prompt": "Hi",
                "stream": False,
                "options": {"temperature": 0} | options,
            },
        )
        found: dict[str, Any] = answer.json()
        return found

    cut = generate(num_predict=3)
    assert (cut["response"], cut["done_reason"]) == ("Hello from a", "length")
    stopped = generate(stop=[" model"])
    assert (stopped["response"], stopped["done_reason"]) == ("Hello from a tiny", "stop")


def test_first_requests_at_once_load_the_model_once(server: Server) -> None:
    server.unload_all()

    def ask(_: int) -> str:
        answer = server.http.post(
            "/api/generate",
            json={"model": server.model, "prompt": "Hi", "stream": False, "options": {"temperature": 0}},
        )
        return str(answer.json()["response"])

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(ask, range(8)))
    assert answers == {"Hello from a tiny model running locally."}
    assert len(server.ps()) == 1


def test_one_embedding_for_each_text_and_the_same_for_the_same(server: Server) -> None:
    asked = {"model": server.model, "input": ["a tiny model", "zzz", "a tiny model"]}
    response = server.http.post("/api/embed", json=asked)
    if response.status_code == 501 and not server.engine:
        pytest.skip("this Ollama has vectors of models for embedding only")
    answer = response.json()
    first, other, again = answer["embeddings"]
    assert len(first) == len(other) == len(again) > 0
    assert all(abs(x - y) < 1e-4 for x, y in zip(first, again, strict=True))
    assert answer["prompt_eval_count"] > 3


def test_a_client_that_leaves_frees_the_model(server: Server) -> None:
    server.unload_all()
    body = {
        "model": server.endless_model,
        "prompt": "Hi",
        "options": {"temperature": 0, "num_predict": 100_000},
        "keep_alive": "200ms",
    }
    with server.http.stream("POST", "/api/generate", json=body) as running:
        next(running.iter_lines())
    wait_until_sync(lambda: not server.ps(), 30, "the model leaves once its client has gone")
