"""The memory of a device by owner: each model, other programs, free, and kept free. Pure."""

from __future__ import annotations

from enum import StrEnum
from itertools import chain
from typing import TYPE_CHECKING

from msgspec import Struct
from rich.cells import cell_len

from llmstack_tui.base.address import is_loopback
from llmstack_tui.base.languages import later, tr
from llmstack_tui.base.structs import replace
from llmstack_tui.base.text import brief
from llmstack_tui.base.units import bytes_text
from llmstack_tui.lifecycle.placement import device_bytes_on, model_devices, server_bytes_on
from llmstack_tui.tui.draw.text import content_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual.content import Content

    from llmstack_tui.core.state import StackState
    from llmstack_tui.hardware.readings import Device
    from llmstack_tui.hosts.types import RunningModel
    from llmstack_tui.tui.draw.marks import Marks

_MODEL_TONES = ("$text-primary", "$text-accent", "$text-success", "$text-secondary")
_GAP = "   "
# Cells of an entry beside its text: the gap before it, its mark and a space.
_BESIDE = len(_GAP) + 2


class Owner(StrEnum):
    MODEL = "model"
    OTHERS = "others"
    FREE = "free"
    RESERVE = "reserve"


_ORDER = tuple(Owner)
_WORDS = {Owner.OTHERS: later("others"), Owner.FREE: later("free"), Owner.RESERVE: later("kept free")}
_TONES = {Owner.OTHERS: "$text-muted", Owner.FREE: "$pane-border", Owner.RESERVE: "$text-muted"}


class MemoryShare(Struct, frozen=True):
    """The bytes of one owner; a model has a ``name``, and by its ``number`` the same mark everywhere."""

    owner: Owner
    size: int
    name: str = ""
    number: int = 0


def parts_of(state: StackState) -> Mapping[str, tuple[MemoryShare, ...]]:
    """The parts of each device that models are loaded into, by its id; empty if too little is known.

    If devices do not tell what a model takes, its server's figure is used, provided there is only one device.
    """
    machine = state.machine
    if machine is None:
        return {}
    devices = model_devices(machine)
    running = [
        each
        for host in state.hosts
        if is_loopback(host.snapshot.url) and host.snapshot.error is None
        for each in host.snapshot.running
    ]
    reserve = state.profile.reserve if state.profile else 0
    everything = sum(device.total or 0 for device in devices)
    return {
        device.id: _parts(device, running, reserve * device.total // everything, alone=len(devices) == 1)
        for device in devices
        if device.total and device.used is not None
    }


def _parts(
    device: Device, running: Sequence[RunningModel], reserve: int, *, alone: bool
) -> tuple[MemoryShare, ...]:
    total, used = device.total or 0, device.used or 0
    models: list[MemoryShare] = []
    for number, each in enumerate(running):
        size = device_bytes_on(device, each)
        if size is None and alone:
            size = server_bytes_on(device, each)
        if size:
            models.append(MemoryShare(Owner.MODEL, size, each.name, number))
            # The system counts mapped files as free, although they are slow to read back.
            used += min(each.mapped, size) if device.kind == "ram" else 0
    used = min(used, total)
    # Scaled to the memory that the device says is used, should servers reckon with more.
    if (reckoned := sum(part.size for part in models)) > used:
        models = [replace(part, size=part.size * used // reckoned) for part in models]
    taken = sum(part.size for part in models)
    kept = min(reserve, total - used)
    return (
        *models,
        MemoryShare(Owner.OTHERS, used - taken),
        MemoryShare(Owner.FREE, total - used - kept),
        MemoryShare(Owner.RESERVE, kept),
    )


def held(parts: Sequence[MemoryShare]) -> int:
    """Bytes used by models and other programs."""
    return sum(part.size for part in parts if part.owner in {Owner.MODEL, Owner.OTHERS})


def together(devices: Sequence[Sequence[MemoryShare]]) -> tuple[MemoryShare, ...]:
    """The parts of several devices added up; empty if those of one are not known."""
    if not all(devices):
        return ()
    sums: dict[tuple[Owner, int], MemoryShare] = {}
    for part in sorted(chain(*devices), key=lambda part: (_ORDER.index(part.owner), part.number)):
        key = (part.owner, part.number)
        sums[key] = replace(part, size=sums[key].size + part.size) if key in sums else part
    return tuple(sums.values())


def parts_bar(parts: Sequence[MemoryShare], cells: int, marks: Marks) -> Content:
    """A bar of all parts, in order. Every part has at least one cell if there are enough."""
    shares = zip(parts, _widths([part.size for part in parts], cells), strict=True)
    return content_of(*((_mark(part, marks) * width, _tone(part)) for part, width in shares))


def legend(parts: Sequence[MemoryShare], width: int, marks: Marks) -> Content:
    """The names and sizes of the parts; if they do not all fit, the free ones are left out first."""
    told = [(part, _said(part)) for part in parts if part.size]
    for least in (Owner.RESERVE, Owner.FREE, Owner.OTHERS):
        if sum(_BESIDE + cell_len(said) for _, said in told) <= width:
            break
        told = [(part, said) for part, said in told if part.owner is not least]
    texts: list[tuple[str, str] | str] = []
    for part, said in told:
        texts += (" " if not texts else _GAP, (_mark(part, marks), _tone(part)), f" {said}")
    return content_of(*texts)


def _said(part: MemoryShare) -> str:
    name = brief(part.name, 40) if part.owner is Owner.MODEL else tr(_WORDS[part.owner])
    return f"{name} {bytes_text(part.size)}"


def _mark(part: MemoryShare, marks: Marks) -> str:
    if part.owner is Owner.MODEL:
        return marks.parts[part.number % len(marks.parts)]
    return {Owner.OTHERS: marks.others, Owner.FREE: marks.empty, Owner.RESERVE: marks.reserve}[part.owner]


def _tone(part: MemoryShare) -> str:
    if part.owner is Owner.MODEL:
        return _MODEL_TONES[part.number % len(_MODEL_TONES)]
    return _TONES[part.owner]


def _widths(sizes: Sequence[int], cells: int) -> list[int]:
    """``cells`` divided in proportion to ``sizes``, by largest remainders."""
    total = sum(sizes)
    if not total or cells <= 0:
        return [0] * len(sizes)
    exact = [size * cells / total for size in sizes]
    widths = [max(int(share), 1 if size else 0) for share, size in zip(exact, sizes, strict=True)]
    while sum(widths) < cells:
        most = max(range(len(sizes)), key=lambda at: exact[at] - widths[at])
        widths[most] += 1
    while sum(widths) > cells:
        widest = max(range(len(sizes)), key=lambda at: widths[at])
        widths[widest] -= 1
    return widths
