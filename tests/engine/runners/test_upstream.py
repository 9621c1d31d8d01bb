from __future__ import annotations

import pytest

from llmstack_tui.engine.runners.upstream import EventReader

STREAM = 'data: {"a": "ä\\n"}\n\n: ping\n\ndata: {"b": 1}\n\n\nerror: {"c": 2}\n\ndata: [DONE]\n\n'.encode()
EVENTS = ['{"a": "ä\\n"}'.encode(), b'{"b": 1}', b'{"c": 2}', b"[DONE]"]


@pytest.mark.parametrize("size", range(1, len(STREAM) + 1))
def test_events_are_whole_however_the_bytes_come(size: int) -> None:
    reader = EventReader()
    found = [
        event for start in range(0, len(STREAM), size) for event in reader.feed(STREAM[start : start + size])
    ]
    assert found == EVENTS


def test_what_is_not_complete_is_kept_back() -> None:
    reader = EventReader()
    assert reader.feed(b'data: {"a"') == []
    assert reader.feed(b": 1}\n") == []
    assert reader.feed(b"\n") == [b'{"a": 1}']
