"""Shares of a whole as blocks: a bar of one figure, and the last minutes of a figure as a line of heights."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from textual.content import Content

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmstack_tui.hardware.readings import MachineReading
    from llmstack_tui.tui.draw.glyphs import Marks

# Also what lies between two readings while nobody looks.
SLOT_S = 10.0
SLOTS = 30


def bar(share: float, cells: int, marks: Marks, *, tone: str) -> Content:
    """``share`` of ``cells``, from 0 to 1. It is empty only at nothing, and full only when all is done."""
    full = max(1 if share > 0 else 0, min(cells, int(share * cells)))
    return Content.assemble((marks.full * full, tone), (marks.empty * (cells - full), "$pane-border"))


class UsageHistory:
    """How full each device was in the last `SLOTS` times `SLOT_S` seconds: one figure a slot, its highest.

    A slot is one cell of a sparkline, so that the line stands still until a new slot begins. What is kept is
    bounded by the number of slots and devices, however long the dashboard is open.
    """

    def __init__(self) -> None:
        self._slots: dict[str, deque[tuple[int, float]]] = {}

    def add(self, reading: MachineReading) -> None:
        newest = _slot(reading.taken_at)
        for device in (reading.ram, *reading.devices):
            if device.percent is not None:
                at = reading.taken_at if device.taken_at is None else device.taken_at
                self._put(device.id, _slot(at), device.percent)
        for gone in [id_ for id_, slots in self._slots.items() if abs(newest - slots[-1][0]) > SLOTS]:
            del self._slots[gone]

    def _put(self, device_id: str, slot: int, percent: float) -> None:
        slots = self._slots.setdefault(device_id, deque(maxlen=SLOTS))
        if slots and slot < slots[-1][0]:
            slots.clear()  # The clock went back: when the others were is no longer known.
        if slots and slot == slots[-1][0]:
            percent = max(percent, slots.pop()[1])
        slots.append((slot, percent))

    def percents(self, device_id: str, now: float) -> tuple[float | None, ...]:
        """One figure a slot up to ``now`` (monotonic seconds), oldest first; None where nothing was read."""
        known = dict(self._slots.get(device_id, ()))
        newest = _slot(now)
        return tuple(known.get(slot) for slot in range(newest - SLOTS + 1, newest + 1))


def sparkline(percents: Sequence[float | None], marks: Marks) -> str:
    """A height for each figure, 0 to 100; what is not known is blank."""
    last = len(marks.levels) - 1
    return "".join(
        " " if each is None else marks.levels[min(int(each * (last + 1) / 100), last)] for each in percents
    )


def _slot(at: float) -> int:
    return int(at // SLOT_S)
