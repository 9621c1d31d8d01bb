from __future__ import annotations

import pytest

from llmstack_tui.engine.runners.upstream import complete_events

STREAM = 'data: {"a": "ä\\n"}\n\n: ping\n\ndata: {"b": 1}\n\n\nerror: {"c": 2}\n\ndata: [DONE]\n\n'.encode()
EVENTS = ['{"a": "ä\\n"}'.encode(), b'{"b": 1}', b'{"c": 2}', b"[DONE]"]


@pytest.mark.parametrize("size", range(1, len(STREAM) + 1))
def test_events_are_whole_however_the_bytes_come(size: int) -> None:
    found, rest = list[bytes](), b""
    for start in range(0, len(STREAM), size):
        events, rest = complete_events(rest + STREAM[start : start + size])
        found += events
    assert (found, rest) == (EVENTS, b"")


def test_what_is_not_complete_is_kept_back() -> None:
    for cut in (b'data: {"a"', b'data: {"a": 1}\n'):
        assert complete_events(cut) == ([], cut)
    assert complete_events(b'data: {"a": 1}\n\n: p') == ([b'{"a": 1}'], b": p")
