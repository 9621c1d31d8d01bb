"""Server-sent events, as far as llama.cpp's server uses them."""

from __future__ import annotations

_DATA = b"data: "
_ERROR = b"error: "


class EventReader:
    """Takes the bytes of a stream as they come, and gives the data of each event that is complete."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        *events, self._rest = (self._rest + data).split(b"\n\n")
        return [found for event in events if (found := _data(event))]


def _data(event: bytes) -> bytes:
    """What an event carries; nothing for a comment, which only keeps the connection open."""
    event = event.lstrip(b"\n")
    # llama.cpp writes JSON on one line. Its older versions send a failure as a field of its own.
    for field in (_DATA, _ERROR):
        if event.startswith(field):
            return event[len(field) :]
    return b""
