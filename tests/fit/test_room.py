"""The room of machines of several kinds."""

from __future__ import annotations

from llmstack_tui.base.structs import replace
from llmstack_tui.fit.room import repacked_on, room_of
from llmstack_tui.hardware.profile import detect, named
from llmstack_tui.hardware.readings import Device, DeviceKind, MachineReading

GIB = 2**30
RAM = Device(kind=DeviceKind.RAM, id="ram", name="RAM", total=32 * GIB, used=8 * GIB)
CARD = Device(kind=DeviceKind.NVIDIA, id="GPU-1", name="RTX", index=0, total=8 * GIB, used=3 * GIB)


def reading(*devices: Device, ram: Device = RAM) -> MachineReading:
    return MachineReading(taken_at=0.0, ram=ram, devices=devices)


def test_without_a_card_it_is_the_main_memory_less_a_reserve() -> None:
    machine = reading()
    room = room_of(detect(machine), machine, taken=GIB)
    assert (room.budget, room.taken, room.free, room.overflow) == (24 * GIB, GIB, 24 * GIB, 0)


def test_a_card_has_the_main_memory_beside_it() -> None:
    machine = reading(CARD)
    room = room_of(detect(machine), machine)
    assert room.budget is not None
    assert 7 * GIB < room.budget < 8 * GIB
    assert (room.free, room.overflow) == (5 * GIB, 24 * GIB)


def test_what_a_driver_says_is_free_counts_before_a_difference() -> None:
    machine = reading(replace(CARD, free=4 * GIB))
    assert room_of(detect(machine), machine).free == 4 * GIB


def test_several_cards_add_up_and_slices_of_them_do_not_count_again() -> None:
    second = replace(CARD, id="GPU-2", index=1)
    part = replace(CARD, id="MIG-1", parent="GPU-1", used=0)
    machine = reading(CARD, second, part)
    assert room_of(detect(machine), machine).free == 10 * GIB


def test_a_card_that_is_lost_or_silent_or_only_chosen_leaves_it_unknown() -> None:
    profile = detect(reading(CARD))
    assert room_of(profile, reading(replace(CARD, lost=True))).free is None
    assert room_of(profile, reading(replace(CARD, used=None))).free is None
    chosen = named("nvidia_24gb", reading())
    room = room_of(chosen, reading())
    assert room.budget == chosen.memory_budget
    assert room.free is None


def test_weights_are_rearranged_only_where_the_processor_computes() -> None:
    assert repacked_on(detect(reading(CARD))) == frozenset()
    assert repacked_on(named("apple_m3", reading())) == frozenset()
