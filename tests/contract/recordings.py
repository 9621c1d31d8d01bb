"""The recorded answers of real Ollama servers, as test data."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

RECORDED = Path(__file__).parent / "recorded"
MODEL = "smollm2:135m"
# The newest one counts for the engine. A server that was built without a number says 0.0.0.
OLD, NEWEST = "ollama-0.24.0", "ollama-0.33"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer. ``lines`` are decoded JSON values, or texts where it was no JSON."""

    name: str
    method: str
    path: str
    body: object
    status: int
    content_type: str | None
    lines: tuple[object, ...]


def recording_of(version: str) -> str:
    """The recording that a real Ollama of this version is held to."""
    numbers = tuple(int(part) for part in version.partition("-")[0].split("."))
    return OLD if (0, 0, 0) < numbers < (0, 32) else NEWEST


@cache
def exchanges(recording: str) -> dict[str, Exchange]:
    """The exchanges of ``recorded/<recording>.json`` by name. Those that go together end in ``-flows``."""
    document = json.loads((RECORDED / f"{recording}.json").read_text())
    return {
        entry["name"]: Exchange(
            name=entry["name"],
            method=entry["request"]["method"],
            path=entry["request"]["path"],
            body=entry["request"]["body"],
            status=entry["response"]["status"],
            content_type=entry["response"]["content_type"],
            lines=tuple(entry["response"]["lines"]),
        )
        for entry in document["exchanges"]
    }
