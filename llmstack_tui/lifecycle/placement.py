"""Where a loaded model is: its memory by the server and by the devices, and why it is on the CPU. Pure."""

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

# Figures that differ by more are both shown. A process has some memory of its own that no server counts.
_APART, _APART_AT_LEAST = 0.10, 64 * 2**20


def model_devices(machine: MachineReading) -> tuple[Device, ...]:
    """The devices that models are loaded into: the cards, or the main memory if there is no card."""
    cards = tuple(device for device in machine.devices if not device.lost)
    # A card and its slices are the same memory.
    sliced = {card.parent for card in cards}
    return tuple(card for card in cards if card.id not in sliced) or (machine.ram,)


def device_bytes_on(device: Device, running: RunningModel) -> int | None:
    """Bytes of ``device`` that a model's process on this machine holds; None if unknown."""
    if device.kind == "ram":
        return running.resident
    if device.processes is None or running.pid is None:
        return None
    return device.processes.get(running.pid, 0)


def device_bytes(running: RunningModel, machine: MachineReading) -> int | None:
    """Bytes that the model takes on all devices, by the devices; None if one of them does not tell."""
    found = [device_bytes_on(device, running) for device in model_devices(machine)]
    known = [held for held in found if held is not None]
    # A process that holds nothing on a card runs on the CPU, or has another id there, as in a container.
    return sum(known) or None if len(known) == len(found) else None


def server_bytes_on(device: Device, running: RunningModel) -> int | None:
    """Bytes that a model takes on all devices of this kind together, by the server; None if unknown."""
    return running.size if device.kind == "ram" else running.size_vram


def server_bytes(running: RunningModel, machine: MachineReading) -> int | None:
    """The server's figure for the same memory as `device_bytes`."""
    return server_bytes_on(model_devices(machine)[0], running)


def differ(said: int | None, measured: int | None) -> bool:
    """Whether two figures for the same memory differ so much that one of them must be wrong."""
    if said is None or measured is None:
        return False
    return abs(said - measured) > max(_APART * max(said, measured), _APART_AT_LEAST)


class Fallback(Struct, frozen=True):
    """A model that computes on the CPU, in whole or in part, though there is a card.

    Attributes:
        percent: share of its memory that is not on a card, 1 to 100.
        cause: the probable cause, and the remedy.
    """

    percent: int
    cause: Sentence


def fallback(running: RunningModel, snapshot: Snapshot, machine: MachineReading | None) -> Fallback | None:
    """Whether a model fell back to the CPU; None if not, or if that is not known.

    A model in main memory is in order on a machine without a card, and with the built-in engine's CPU wheel,
    which the engine reports when it starts.
    """
    size, on_card = running.size, running.size_vram
    if not size or on_card is None or on_card >= size:
        return None
    cards = machine.devices if machine is not None and is_loopback(snapshot.url) else ()
    if on_card == 0:
        is_ollama = snapshot.server is not None and snapshot.server.kind is HostKind.OLLAMA
        if not cards or not is_ollama:
            return None
        return Fallback(100, _why_none(size, cards))
    return Fallback(
        max(100 - 100 * on_card // size, 1), Sentence("fallback.partly", {"missing": size - on_card})
    )


def fallbacks(
    snapshot: Snapshot, machine: MachineReading | None
) -> tuple[tuple[RunningModel, Fallback], ...]:
    """The loaded models of a host that fell back to the CPU."""
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
