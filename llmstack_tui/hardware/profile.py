"""Works out a machine's limits for models from a reading of it. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.languages import later
from llmstack_tui.base.sentences import Failure, Sentence
from llmstack_tui.base.structs import replace
from llmstack_tui.hardware import mac as apple
from llmstack_tui.hardware.readings import DeviceKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmstack_tui.hardware.readings import Device, MachineReading

_GIB = 2**30
# The sizes in which cards and slices are sold, in GiB (called GB). Drivers report a little less, or much less
# if error correction takes a part: a T4 of 16 has 15.0, an A10 of 24 has 22.2.
_SIZES = (1, 2, 3, 4, 5, 6, 8, 10, 11, 12, 16, 20, 24, 32, 40, 48, 64, 72, 80)
_SERVER_SIZES = (94, 96, 128, 141, 180, 192, 256, 288)
_RAM_SIZES = (4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)
_LEAST_SHARE = 0.915
_LEAST_CARD_GB = 2
_ONE_MODEL_BELOW_GB = 6
_VENDORS = {DeviceKind.NVIDIA: "NVIDIA", DeviceKind.AMD: "AMD"}


class UnknownProfile(Failure):
    """There is no profile of that name."""


class Profile(Struct, frozen=True, kw_only=True):
    """The limits of a machine.

    Attributes:
        name: ``cpu``, ``nvidia_8gb``, ``amd_16gb``, ``apple_m3``, …
        max_loaded: models loaded at once.
        memory_budget: bytes that all models together may take; None when the machine's size is unknown.
        reserve: bytes kept for the desktop, other programs and the driver.
        context_length: tokens of context that suit the machine.
        cache_type: of the KV cache, "f16" or "q8_0".
        memory_word: what its memory is called: "VRAM", "unified memory" or "RAM".
        reason: how the profile was determined.
    """

    name: str
    max_loaded: int
    memory_budget: int | None
    reserve: int
    context_length: int
    cache_type: str
    memory_word: str
    reason: Sentence


def detect(reading: MachineReading) -> Profile:
    """The profile of the machine. Lost cards do not count."""
    ram = reading.ram
    for device in reading.devices:
        if device.kind is DeviceKind.APPLE:
            return _apple(_generation(device.name), device, ram, device.name)
    cards = _best_cards(reading.devices)
    if cards:
        return _cards(cards[0].kind, [card.total or 0 for card in cards], [card.name for card in cards])
    for device in reading.devices:
        if device.shared and not device.lost and device.kind in _VENDORS:
            return _shared(device, ram)
    return _cpu(ram, Sentence("profile.cpu"))


def named(name: str, reading: MachineReading) -> Profile:
    """The profile of that name, with the figures that the name leaves open from the machine.

    Raises:
        UnknownProfile: if there is none.
    """
    found = detect(reading)
    reason = Sentence("profile.chosen", {"found": found.name})
    if name == found.name:
        return replace(found, reason=Sentence("profile.chosen_and_found", {"reason": (found.reason,)}))
    if name == "cpu":
        return _cpu(reading.ram, reason)
    if match := re.fullmatch(r"(nvidia|amd)_([1-9][0-9]{0,3})gb", name):
        return replace(_cards(DeviceKind(match[1]), [int(match[2]) * _GIB], ()), reason=reason)
    if re.fullmatch(r"apple(_[a-z][0-9]{1,2})?", name):
        gpus = [device for device in reading.devices if device.kind is DeviceKind.APPLE]
        return replace(_apple(name, gpus[0] if gpus else None, reading.ram, ""), reason=reason)
    raise UnknownProfile("profile.unknown", name=name[:60])


def marketed_gb(size: int) -> int:
    """The size that a card of ``size`` bytes is sold as: 8 for 8,192 MiB, 24 for 23,034 MiB."""
    gib = size / _GIB
    for sold in _SIZES + _SERVER_SIZES:
        if gib <= sold * 1.005:
            return sold if gib >= sold * _LEAST_SHARE else max(round(gib), 1)
    return round(gib)


def smallest_card_gb(size: int) -> int | None:
    """The smallest size of a card that has room for a model of ``size`` bytes; None if no card has."""
    sizes = (gb for gb in _SIZES + _SERVER_SIZES if gb >= _LEAST_CARD_GB)
    return next((gb for gb in sizes if gb * _GIB - _card_reserve(gb * _GIB) >= size), None)


def smallest_ram_gb(size: int) -> int | None:
    """The smallest usual main memory that has room for a model of ``size`` bytes; None if none has."""
    return next((gb for gb in _RAM_SIZES if _ram_room(gb * _GIB) >= size), None)


def _best_cards(devices: Sequence[Device]) -> list[Device]:
    """The cards of the vendor with the most memory: a server runs a model on cards of one vendor only."""
    best: list[Device] = []
    for kind in _VENDORS:
        cards = [d for d in devices if d.kind is kind and not d.shared and not d.lost]
        cards = [card for card in cards if marketed_gb(card.total or 0) >= _LEAST_CARD_GB]
        # A model can use several cards, but only one slice of a card.
        whole = [card for card in cards if card.parent is None]
        cards = whole or sorted(cards, key=lambda card: card.total or 0)[-1:]
        if sum(card.total or 0 for card in cards) > sum(card.total or 0 for card in best):
            best = cards
    return best


def _cards(kind: DeviceKind, totals: Sequence[int], names: Sequence[str]) -> Profile:
    sizes_gb = [marketed_gb(total) for total in totals]
    size_gb = sum(sizes_gb)
    reserve = sum(map(_card_reserve, totals))
    return Profile(
        name=f"{kind.value}_{size_gb}gb",
        max_loaded=1 if max(sizes_gb) < _ONE_MODEL_BELOW_GB else 2,
        memory_budget=sum(totals) - reserve,
        reserve=reserve,
        context_length=_context(size_gb),
        cache_type="q8_0" if size_gb < 8 else "f16",
        memory_word=later("VRAM"),
        reason=Sentence(
            "profile.cards", {"names": tuple(names), "size_gb": size_gb, "reserve_gib": reserve / _GIB}
        ),
    )


def _apple(name: str, gpu: Device | None, ram: Device, what: str) -> Profile:
    memory = ram.total
    limit = gpu.total if gpu is not None else None
    if limit is None and memory is not None:
        limit = apple.gpu_limit(memory, None, None)
    budget = limit
    if limit is not None and memory is not None:
        # The user can raise the limit for graphics until nothing is left for the system.
        budget = min(limit, memory - max(2 * _GIB, memory // 8))
    budget = None if budget is None else max(budget, 0)
    budget_gb = 0 if budget is None else budget // _GIB
    reserve = 0 if budget is None or memory is None else memory - budget
    reason = Sentence("profile.apple_unknown", {"name": what})
    if memory is not None and budget is not None:
        figures = {"memory_gb": round(memory / _GIB), "budget_gib": budget / _GIB}
        reason = Sentence("profile.apple", {"name": what, **figures})
    return Profile(
        name=name,
        max_loaded=1,
        memory_budget=budget,
        reserve=reserve,
        context_length=_context(budget_gb),
        cache_type="q8_0" if budget_gb < 8 else "f16",
        memory_word=later("unified memory"),
        reason=reason,
    )


def _shared(device: Device, ram: Device) -> Profile:
    """The profile of integrated graphics that are not Apple's."""
    of_ram = ram_budget(ram)
    budget = min((limit for limit in (device.total, of_ram) if limit is not None), default=None)
    size = marketed_gb(device.total or ram.total or 0)
    return Profile(
        name=f"{device.kind.value}_{size}gb",
        max_loaded=1 if size < _ONE_MODEL_BELOW_GB else 2,
        memory_budget=budget,
        reserve=0 if ram.total is None or of_ram is None else ram.total - of_ram,
        context_length=_context(size),
        cache_type="q8_0" if size < 8 else "f16",
        memory_word=later("unified memory"),
        reason=Sentence("profile.shared", {"name": device.name, "size_gb": size}),
    )


def _cpu(ram: Device, reason: Sentence) -> Profile:
    budget = ram_budget(ram)
    return Profile(
        name="cpu",
        max_loaded=2,
        memory_budget=budget,
        reserve=0 if ram.total is None or budget is None else ram.total - budget,
        context_length=4096,
        cache_type="f16",
        memory_word=later("RAM"),
        reason=reason,
    )


def ram_budget(ram: Device) -> int | None:
    """The main memory for models: all but a quarter, which is at least 1 GiB, at most 8 GiB, at most half."""
    return None if ram.total is None else _ram_room(ram.total)


def _ram_room(total: int) -> int:
    return total - min(max(total // 4, _GIB), 8 * _GIB, total // 2)


def _card_reserve(total: int) -> int:
    """What is kept of a card: a twentieth, at least 512 MiB and at most 1 GiB."""
    return min(max(total // 20, _GIB // 2), _GIB)


def _context(size_gb: int) -> int:
    for below, tokens in ((10, 4096), (24, 8192), (48, 16384)):
        if size_gb < below:
            return tokens
    return 32768


def _generation(chip_name: str) -> str:
    """``apple_m3`` for every variant of the M3."""
    return "_".join((apple.chip(chip_name) or "apple").split("_")[:2])
