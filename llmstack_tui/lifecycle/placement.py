"""Where a loaded model is: what its server says of its memory, what the devices say, why on the CPU. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.address import is_loopback
from llmstack_tui.base.kinds import HostKind
from llmstack_tui.base.sentences import Sentence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmstack_tui.hardware.readings import Device, MachineReading
    from llmstack_tui.hosts.types import RunningModel, Snapshot

# Two figures that are further apart are shown; a process has some memory of its own that no server counts.
_APART, _APART_AT_LEAST = 0.10, 64 * 2**20


def homes(machine: MachineReading) -> tuple[Device, ...]:
    """The devices that models are loaded into: the cards, or the main memory where there is none."""
    cards = tuple(device for device in machine.devices if not device.lost)
    # A card and its slices are the same memory.
    sliced = {card.parent for card in cards}
    return tuple(card for card in cards if card.id not in sliced) or (machine.ram,)


def held_on(device: Device, running: RunningModel) -> int | None:
    """Bytes of ``device`` that the process of a model of this machine holds, as the device says."""
    if device.kind == "ram":
        return running.resident
    if device.processes is None or running.pid is None:
        return None
    return device.processes.get(running.pid, 0)


def device_bytes(running: RunningModel, machine: MachineReading) -> int | None:
    """What all devices together say that the model takes; None when one of them does not say it."""
    found = [held_on(device, running) for device in homes(machine)]
    known = [held for held in found if held is not None]
    # A process that is on no card is on the processor, or not known under this id, as in a container.
    return sum(known) or None if len(known) == len(found) else None


def reckoned_on(device: Device, running: RunningModel) -> int | None:
    """What the server says that a model takes of such a device's memory, of all that are alike together."""
    return running.size if device.kind == "ram" else running.size_vram


def server_bytes(running: RunningModel, machine: MachineReading) -> int | None:
    """What the server says of the same memory as `device_bytes`."""
    return reckoned_on(homes(machine)[0], running)


def are_apart(said: int | None, measured: int | None) -> bool:
    """Whether two figures of the same memory are so different that one of them must be wrong."""
    if said is None or measured is None:
        return False
    return abs(said - measured) > max(_APART * max(said, measured), _APART_AT_LEAST)


class Fallback(Struct, frozen=True):
    """A model computes on the processor though it need not.

    Attributes:
        percent: of its memory that is not on a card, 1 to 100.
        cause: why, most likely, and what helps.
    """

    percent: int
    cause: Sentence


def fallback(running: RunningModel, snapshot: Snapshot, machine: MachineReading | None) -> Fallback | None:
    """Whether a model fell back to the processor, as far as that can be known.

    A server that says nothing of cards on a machine without one is in order, and so is the built-in engine's
    wheel for processors, which says so at its start.
    """
    size, on_card = running.size, running.size_vram
    if not size or on_card is None or on_card >= size:
        return None
    here = is_loopback(snapshot.url)
    cards = machine.devices if here and machine is not None else ()
    if on_card == 0:
        is_ollama = snapshot.server is not None and snapshot.server.kind is HostKind.OLLAMA
        if not cards or not is_ollama:
            return None
        return Fallback(100, _why_none(size, cards))
    return Fallback(
        max(100 - 100 * on_card // size, 1), Sentence("fallback.partly", {"missing": size - on_card})
    )


def fallen(snapshot: Snapshot, machine: MachineReading | None) -> tuple[tuple[RunningModel, Fallback], ...]:
    """The loaded models of a host that fell back to the processor."""
    found = ((each, fallback(each, snapshot, machine)) for each in snapshot.running)
    return tuple((each, why) for each, why in found if why is not None)


def _why_none(size: int, cards: Sequence[Device]) -> Sentence:
    there = [card for card in cards if not card.lost]
    if not there:
        return Sentence("fallback.lost_card")
    total = sum(card.total or 0 for card in there)
    if total and size > total:
        return Sentence("fallback.too_large")
    if all(card.kind == "nvidia" for card in there):
        return Sentence("fallback.unused_nvidia")
    return Sentence("fallback.unused_card")
