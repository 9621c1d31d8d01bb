"""The memory of this machine's devices, from readings to lines of text. Pure."""

from __future__ import annotations

from collections import deque
from itertools import groupby
from types import MappingProxyType
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.languages import later, tr
from llmstack_tui.base.structs import replace
from llmstack_tui.base.text import brief
from llmstack_tui.base.units import UNKNOWN, bytes_text, duration_text
from llmstack_tui.core.wording import text
from llmstack_tui.tui.draw.figures import percent_text, total_of, used_text
from llmstack_tui.tui.draw.text import bar, content_of
from llmstack_tui.tui.memory.parts import held, parts_bar, together

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from textual.content import Content

    from llmstack_tui.hardware.readings import Device, MachineReading
    from llmstack_tui.tui.draw.marks import Marks
    from llmstack_tui.tui.memory.parts import MemoryShare

# Seconds per cell of a sparkline; also the time between two readings while the dashboard is not visible.
SLOT_S = 10.0
SLOTS = 30
# Longer than the 10 s between readings while the dashboard is not visible, or by the tools of a Mac.
STALE_S = 15.0
DIM = "$text-muted"
_LEAST_CELLS, _USUAL_BAR, _MOST_BAR = 8, 24, 40
_SHORT_HISTORY = 4
_HIGH, _FULL = 75, 90
NO_PARTS: Mapping[str, tuple[MemoryShare, ...]] = MappingProxyType({})
_MAKERS = {"nvidia": "NVIDIA", "amd": "AMD", "apple": "Apple"}
_PRESSURES = {"warning": later("memory is short"), "critical": later("memory has run out")}


class UsageHistory:
    """How full each device was in the last `SLOTS` times `SLOT_S` seconds: the maximum of each slot.

    A slot is one cell of a sparkline, so the line only moves when a new slot begins. Memory is bounded by the
    number of slots and devices, however long the dashboard is open.
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
            slots.clear()  # The clock went back, so the times of the other slots are no longer known.
        if slots and slot == slots[-1][0]:
            percent = max(percent, slots.pop()[1])
        slots.append((slot, percent))

    def percents(self, device_id: str, now: float) -> tuple[float | None, ...]:
        """A figure per slot up to ``now`` (monotonic seconds), oldest first; None without a reading."""
        known = dict(self._slots.get(device_id, ()))
        newest = _slot(now)
        return tuple(known.get(slot) for slot in range(newest - SLOTS + 1, newest + 1))


def sparkline(percents: Sequence[float | None], marks: Marks) -> str:
    """A bar for each figure, 0 to 100; blank for None."""
    last = len(marks.levels) - 1
    return "".join(
        " " if each is None else marks.levels[min(int(each * (last + 1) / 100), last)] for each in percents
    )


def _slot(at: float) -> int:
    return int(at // SLOT_S)


class Gauge(Struct, frozen=True, kw_only=True):
    """One line of the pane.

    Attributes:
        name: ``GPU 0``; ``product`` is its maker's name for it, ``word`` the name of its memory.
        notes: further texts, each with its colour.
        history: percentages, oldest first, None if unknown.
        parts: who uses the memory, if that is known.
        old: the age of the figures if they are old, else "".
        temperature: °C, without the unit.
        lost: the device does not answer, so there are no figures.
    """

    name: str
    word: str
    figures: str
    percent: float | None
    history: tuple[float | None, ...]
    parts: tuple[MemoryShare, ...] = ()
    product: str = ""
    temperature: str = ""
    power: str = ""
    notes: tuple[tuple[str, str], ...] = ()
    old: str = ""
    lost: bool = False

    @property
    def said(self) -> tuple[tuple[str, str], ...]:
        """The notes, first of them the age of old figures."""
        return ((self.old, "$text-warning"), *self.notes) if self.old else self.notes


def gauges(
    reading: MachineReading,
    history: UsageHistory,
    now: float,
    most: int,
    parts: Mapping[str, tuple[MemoryShare, ...]] = NO_PARTS,
) -> tuple[Gauge, ...]:
    """At most ``most`` gauges (which is at least two): one for each device, the main memory last.

    If there are more cards than lines, those of each maker are summed up.

    Args:
        parts: the parts of each device, by its id.
    """
    ram = ram_gauge(reading, history, now, parts.get(reading.ram.id, ()))
    names = device_names(reading.devices)
    cards = [
        replace(_card(each, names[each.id], reading, history, now), parts=parts.get(each.id, ()))
        for each in reading.devices
    ]
    if len(cards) < most:
        return (*cards, ram)
    summed: list[Gauge] = []
    for _, group in groupby(zip(reading.devices, cards, strict=True), key=lambda pair: pair[1].word):
        devices, alike = zip(*group, strict=True)
        summed.append(alike[0] if len(alike) == 1 else _sum(devices, alike))
    return (*summed[: most - 1], ram)


def ram_gauge(
    reading: MachineReading, history: UsageHistory, now: float, parts: tuple[MemoryShare, ...] = ()
) -> Gauge:
    ram, swap = reading.ram, reading.swap
    # Includes the mapped files of models, which the system counts as free.
    used = held(parts) if parts else ram.used
    notes = []
    if reading.pressure in _PRESSURES:
        notes.append((tr(_PRESSURES[reading.pressure]), "$text-warning"))
    if swap is not None and swap.used:
        notes.append((tr("swap {used}", used=used_text(swap.used, swap.total)), DIM))
    return Gauge(
        name="",
        word=tr(ram.memory_word),
        figures=used_text(used, ram.total),
        percent=100 * used / ram.total if used is not None and ram.total else None,
        history=history.percents(ram.id, now),
        parts=parts,
        old=_old(ram, reading, now),
        notes=tuple(notes),
    )


def gauge_lines(shown: Sequence[Gauge], width: int, marks: Marks) -> tuple[Content, ...]:
    """A line for each gauge, in common columns; a column that does not fit is left out of all lines."""
    columns = _columns(shown, width, marks)
    return tuple(cut(_line(each, columns, marks), width, marks) for each in shown)


def cut(content: Content, width: int, marks: Marks) -> Content:
    """``content`` in at most ``width`` cells."""
    if content.cell_length <= width:
        return content
    return content.truncate(max(width - 1, 0)) + content_of(marks.ellipsis)


class _Columns(Struct, frozen=True, kw_only=True):
    """Widths in cells; 0 for a column that is not shown."""

    product: bool
    label: int
    bar: int
    figures: int
    temperature: int
    power: int
    history: int

    @property
    def cells(self) -> int:
        """The total width, with the gaps and the five cells of the percentage."""
        optional = (self.temperature, self.power, self.history)
        return 11 + self.label + self.bar + self.figures + sum(each + 2 for each in optional if each)


def _columns(shown: Sequence[Gauge], width: int, marks: Marks) -> _Columns:
    """The columns that fit beside the longest notes; the bar and the history take the rest."""
    notes = max((sum(len(text) + 2 for text, _ in each.said) for each in shown if not each.lost), default=0)
    ways = [_without(dropped, shown, marks) for dropped in range(6)]
    columns = next((way for way in ways if way.cells + notes <= width), ways[-1])
    spare = max(width - columns.cells - notes, 0)
    if columns.history:
        grown = min(SLOTS, columns.history + spare - min(spare // 2, _USUAL_BAR - _LEAST_CELLS))
        spare -= grown - columns.history
        columns = replace(columns, history=grown)
    return replace(columns, bar=min(_MOST_BAR, _LEAST_CELLS + spare))


def _without(dropped: int, shown: Sequence[Gauge], marks: Marks) -> _Columns:
    """All columns but the first ``dropped`` of product, power, half the history, history, temperature."""
    history = (_LEAST_CELLS, _LEAST_CELLS, _LEAST_CELLS, _SHORT_HISTORY, 0, 0)
    return _Columns(
        product=dropped < 1,
        label=_widest(_label(each, dropped < 1) for each in shown),
        bar=_LEAST_CELLS,
        figures=_widest(each.figures for each in shown),
        temperature=_widest(_heat(each, marks) for each in shown) if dropped < 5 else 0,
        power=_widest(each.power for each in shown) if dropped < 2 else 0,
        history=history[dropped],
    )


def _line(gauge: Gauge, columns: _Columns, marks: Marks) -> Content:
    label = _label(gauge, columns.product).ljust(columns.label)
    notes = [(f"  {text}", style) for text, style in gauge.said]
    if gauge.lost:
        return content_of((f" {label}", "bold"), *notes)
    percent, tone = gauge.percent, "$text-primary"
    if percent is not None and percent >= _HIGH:
        tone = "$text-error" if percent >= _FULL else "$text-warning"
    filled = bar((percent or 0) / 100, columns.bar, marks, tone=DIM if gauge.old else tone)
    if gauge.parts and not gauge.old:
        filled = parts_bar(gauge.parts, columns.bar, marks)
    said = "" if percent is None else percent_text(percent)
    parts: list[Content | tuple[str, str] | str] = [
        (f" {label} ", "bold"),
        filled,
        f"  {gauge.figures:>{columns.figures}}",
        (f"  {said:>5}", DIM if gauge.old or tone == "$text-primary" else tone),
    ]
    for figure, cells in ((_heat(gauge, marks), columns.temperature), (gauge.power, columns.power)):
        if cells:
            parts.append(f"  {figure:>{cells}}")
    if columns.history:
        parts.append((f"  {sparkline(gauge.history[-columns.history :], marks)}", DIM))
    return content_of(*parts, *notes)


def _heat(gauge: Gauge, marks: Marks) -> str:
    return f"{gauge.temperature} {marks.celsius}" if gauge.temperature else ""


def _label(gauge: Gauge, with_product: bool) -> str:
    parts = (gauge.name, gauge.product if with_product else "", gauge.word)
    return " ".join(part for part in parts if part)


def _widest(texts: Iterable[str]) -> int:
    return max((len(text) for text in texts), default=0)


def _card(device: Device, name: str, reading: MachineReading, history: UsageHistory, now: float) -> Gauge:
    gauge = Gauge(
        name=name,
        product=product(device),
        word=tr(device.memory_word),
        figures=used_text(device.used, device.total),
        percent=device.percent,
        history=history.percents(device.id, now),
        temperature="" if device.temperature is None else f"{device.temperature:.0f}",
        power="" if device.power is None else f"{device.power:.0f} W",
        old=_old(device, reading, now),
    )
    if device.lost:
        lost = (tr("lost: it does not answer"), "$text-error")
        return replace(gauge, notes=(lost,), old="", lost=True, figures="")
    if device.asleep:
        return replace(gauge, notes=((tr("asleep"), DIM),), old="", lost=True, figures="")
    if device.throttles:
        slowed = tr("slowed: {why}", why=", ".join(map(tr, device.throttles)))
        return replace(gauge, notes=((slowed, "$text-warning"),))
    return gauge


def _sum(devices: Sequence[Device], parts: Sequence[Gauge]) -> Gauge:
    """Several cards in one line: their sums, and the highest temperature."""
    there = [device for device in devices if not device.lost]
    used, total = total_of(each.used for each in there), total_of(each.total for each in there)
    heats = [each.temperature for each in there if each.temperature is not None]
    powers = [each.power for each in there]
    lost = len(devices) - len(there)
    slowed = sum(bool(each.throttles) for each in there)
    notes = (
        (lost, tr("{count} lost", count=lost), "$text-error"),
        (slowed, tr("{count} slowed", count=slowed), "$text-warning"),
    )
    watts = [power for power in powers if power is not None]
    return Gauge(
        name=tr("{count} GPUs", count=len(devices)),
        word=parts[0].word,
        figures=used_text(used, total),
        percent=100 * used / total if used is not None and total else None,
        history=tuple(_mean(slot) for slot in zip(*(part.history for part in parts), strict=True)),
        parts=together([part.parts for part in parts]),
        temperature=tr("max {heat:.0f}", heat=max(heats)) if heats else "",
        power=f"{sum(watts):.0f} W" if watts and len(watts) == len(powers) else "",
        old=next((part.old for part in parts if part.old), ""),
        notes=tuple((said, tone) for count, said, tone in notes if count),
    )


def each_line(reading: MachineReading, width: int, marks: Marks) -> Content:
    """How full each card is, for a view that shows only their sum."""
    names = device_names(reading.devices)
    texts = ((names[device.id].removeprefix("GPU "), _fullness(device)) for device in reading.devices)
    return cut(content_of(("   " + "   ".join(map(" ".join, texts)), DIM)), width, marks)


def _fullness(device: Device) -> str:
    if device.asleep:
        return tr("asleep")
    return tr("lost") if device.lost else percent_text(device.percent)


def _old(device: Device, reading: MachineReading, now: float) -> str:
    age = reading.age(device, now)
    return tr("{age} old", age=duration_text(age)) if age >= STALE_S else ""


def _mean(percents: Sequence[float | None]) -> float | None:
    known = [percent for percent in percents if percent is not None]
    return sum(known) / len(known) if known else None


def device_details(reading: MachineReading) -> str:
    """Details that the lines have no room for: full names, drivers, limits, and failed readings."""
    lines = []
    for device in reading.devices:
        driver = f", {tr('driver {version}', version=brief(device.driver, 40))}" if device.driver else ""
        cuda = f", CUDA {brief(device.cuda, 20)}" if device.cuda else ""
        limit = (
            "" if device.power_limit is None else f", {tr('{power:.0f} W at most', power=device.power_limit)}"
        )
        size = UNKNOWN if device.total is None else bytes_text(device.total)
        memory = tr("{size} of {memory}", size=size, memory=tr(device.memory_word))
        lines.append(f"{brief(device.name, 80)}: {memory}{limit}{driver}{cuda}")
    return "\n".join((*lines, *(text(error) for error in reading.errors)))


def device_names(devices: Sequence[Device]) -> dict[str, str]:
    """Names by id: ``GPU 0``, with the maker if there are several, and a number for each slice."""
    several = len({device.kind for device in devices}) > 1
    slices: dict[str, int] = {}
    names = {}
    for device in devices:
        name = _MAKERS.get(device.kind, "GPU") if several else "GPU"
        name += "" if device.index is None or device.kind == "apple" else f" {device.index}"
        if device.parent is not None:
            slices[device.parent] = slices.get(device.parent, 0) + 1
            name += f" {tr('slice {number}', number=slices[device.parent])}"
        names[device.id] = name
    return names


def product(device: Device) -> str:
    """The product name of a device, without its maker's name."""
    return brief(device.name, 40).removeprefix("NVIDIA ").removeprefix("GeForce ")
