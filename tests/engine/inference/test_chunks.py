"""The events are what llama.cpp's server sent, shortened where it repeats itself."""

from __future__ import annotations

import pytest

from llmstack_tui.engine.errors import UpstreamError
from llmstack_tui.engine.inference.chunks import (
    CompletionChunk,
    CompletionUsage,
    FunctionPart,
    TokenLogprob,
    ToolCallPart,
    answer_tokens,
    decode,
    joined,
)
from llmstack_tui.ollama.wire import WirePrefill

CHAT = (
    b'{"choices":[{"finish_reason":null,"index":0,"delta":{"role":"assistant","content":null}}],"created":1,'
    b'"id":"x","model":"m","prompt_progress":{"total":21,"cache":2,"processed":10,"time_ms":0}}',
    b'{"choices":[{"finish_reason":null,"index":0,"delta":{"reasoning_content":"Hm."}}],"created":1}',
    b'{"choices":[{"finish_reason":null,"index":0,"delta":{"content":"Hello"},"logprobs":{"content":[{"id":263,'
    b'"token":"Hello","bytes":[72,101],"logprob":-0.5,"top_logprobs":[{"id":263,"token":"Hello",'
    b'"bytes":[72,101],"logprob":-0.5},{"id":0,"token":"","bytes":[],"logprob":-15.9}]}]}}]}',
    b'{"choices":[{"finish_reason":null,"index":0,"delta":{"content":" \\u00e4"}}]}',
    b'{"choices":[{"finish_reason":"stop","index":0,"delta":{}}]}',
    b'{"choices":[],"usage":{"completion_tokens":9},"timings":{"cache_n":2,"prompt_n":19,"prompt_ms":0.557,'
    b'"prompt_per_token_ms":0.02,"predicted_n":9,"predicted_ms":0.983,"predicted_per_second":8138.35}}',
)
COMPLETION = (
    b'{"index":0,"content":"","tokens":[0],"stop":false,"id_slot":-1,"tokens_predicted":0,"tokens_evaluated":7,'
    b'"prompt_progress":{"total":7,"cache":0,"processed":7,"time_ms":0}}',
    b'{"index":0,"content":".","tokens":[50],"stop":false,"completion_probabilities":[{"id":50,"token":".",'
    b'"bytes":[46],"logprob":-0.25,"top_logprobs":[]}]}',
    b'{"index":0,"content":"","tokens":[],"id_slot":0,"stop":true,"model":"m","generation_settings":{"seed":1},'
    b'"prompt":"hi","truncated":false,"stop_type":"limit","stopping_word":"","tokens_cached":8,'
    b'"timings":{"cache_n":0,"prompt_n":7,"prompt_ms":0.311,"predicted_n":2,"predicted_ms":0.156}}',
)


def added(*events: bytes) -> CompletionChunk:
    return joined(list(map(decode, events)))


def logprob(text: str, value: float, *codes: int, top: tuple[TokenLogprob, ...] = ()) -> TokenLogprob:
    return TokenLogprob(token=text, logprob=value, bytes=codes, top=top)


def test_a_chat_comes_together() -> None:
    answer = added(*CHAT)
    assert (answer.text, answer.thinking, answer.finish) == ("Hello ä", "Hm.", "stop")
    assert answer.usage == CompletionUsage(
        prompt_tokens=21, prompt_ns=557_000, answer_tokens=9, answer_ns=983_000
    )
    top = (logprob("Hello", -0.5, 72, 101), logprob("", -15.9))
    assert answer.logprobs == (logprob("Hello", -0.5, 72, 101, top=top),)
    assert answer.tool_calls == ()


@pytest.mark.parametrize(
    ("stop_type", "answer_count", "expected"),
    [
        (b"limit", 2, (50, 51)),
        (b"eos", 2, (50,)),
        (b"word", 2, None),
        # Of a letter that takes several tokens, only the last one is told.
        (b"limit", 3, None),
    ],
)
def test_the_tokens_of_an_answer_are_known_or_not(
    stop_type: bytes, answer_count: int, expected: tuple[int, ...] | None
) -> None:
    events = (
        COMPLETION[0],
        b'{"content":".","tokens":[50],"tokens_predicted":1}',
        b'{"content":"","tokens":[51],"tokens_predicted":2}',
        b'{"content":"","tokens":[],"stop_type":"%s","tokens_predicted":2,"timings":{"predicted_n":%d}}'
        % (stop_type, answer_count),
    )
    assert answer_tokens(added(*events)) == expected


def test_a_chat_does_not_tell_tokens() -> None:
    assert answer_tokens(added(*CHAT)) is None


def test_the_progress_of_prefill_is_an_empty_chunk() -> None:
    prefill = WirePrefill(read=10, total=21, cached=2)
    assert decode(CHAT[0]) == CompletionChunk(prefill=prefill)


def test_the_end_and_the_timings_may_come_in_one_event() -> None:
    chunk = decode(
        b'{"choices":[{"finish_reason":"length","index":0,"delta":{}}],'
        b'"timings":{"prompt_n":3,"prompt_ms":1,"predicted_n":4,"predicted_ms":2.5}}'
    )
    assert chunk.finish == "length"
    assert chunk.usage == CompletionUsage(
        prompt_tokens=3, prompt_ns=1_000_000, answer_tokens=4, answer_ns=2_500_000
    )


def test_a_raw_completion_comes_together() -> None:
    answer = added(*COMPLETION)
    assert (answer.text, answer.finish) == (".", "length")
    assert [(token.token, token.logprob) for token in answer.logprobs] == [(".", -0.25)]
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.answer_tokens) == (7, 2)


@pytest.mark.parametrize(
    ("stop_type", "finish"), [("eos", "stop"), ("word", "stop"), ("limit", "length"), ("none", None)]
)
def test_the_reason_of_a_raw_completion_has_the_name_that_a_chat_gives_it(
    stop_type: str, finish: str
) -> None:
    assert decode(b'{"content":"","stop":true,"stop_type":"%s"}' % stop_type.encode()).finish == finish


def test_a_text_completion_comes_together() -> None:
    answer = added(
        b'{"choices":[{"text":"Hi","index":0,"logprobs":null,"finish_reason":null}]}',
        b'{"choices":[{"text":" you","index":0,"logprobs":null,"finish_reason":null}]}',
        b'{"choices":[{"text":"","index":0,"logprobs":null,"finish_reason":"stop"}]}',
    )
    assert (answer.text, answer.finish) == ("Hi you", "stop")


def test_tool_calls_come_in_parts_and_by_index() -> None:
    answer = added(
        b'{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"one","type":"function",'
        b'"function":{"name":"weather","arguments":""}}]}}]}',
        b'{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\\"city\\": "}}]}}]}',
        b'{"choices":[{"delta":{"tool_calls":[{"index":1,"id":"two","type":"function",'
        b'"function":{"name":"time","arguments":"{}"}}]}}]}',
        b'{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"\\"Bonn\\"}"}}]}}]}',
        b'{"choices":[{"delta":{},"finish_reason":"tool_calls"}]}',
    )
    assert answer.tool_calls == (
        ToolCallPart(0, "one", FunctionPart("weather", '{"city": "Bonn"}')),
        ToolCallPart(1, "two", FunctionPart("time", "{}")),
    )
    assert answer.finish == "tool_calls"


@pytest.mark.parametrize(
    "event", [b"", b"{", b"[]", b'{"choices":3}', b'{"choices":[{"delta":{"content":1}}]}']
)
def test_what_is_no_event_is_an_error_with_its_text(event: bytes) -> None:
    with pytest.raises(UpstreamError, match="not understood") as caught:
        decode(event)
    assert str(caught.value).endswith(f": {event.decode()}")
