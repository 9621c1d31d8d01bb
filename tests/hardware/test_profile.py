from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.base.structs import replace
from llmstack_tui.core.wording import text, words
from llmstack_tui.hardware.profile import Profile, UnknownProfile, detect, marketed_gb, named
from llmstack_tui.hardware.readings import Device, DeviceKind, MachineReading

GIB = 2**30
MIB = 2**20


def machine(*devices: Device, ram: int | None = 32 * GIB) -> MachineReading:
    return MachineReading(
        taken_at=0.0, ram=Device(kind=DeviceKind.RAM, id="ram", name="RAM", total=ram), devices=devices
    )


def card(
    mib: float, kind: DeviceKind = DeviceKind.NVIDIA, *, name: str = "A card", lost: bool = False
) -> Device:
    return Device(kind=kind, id=f"{name} {mib}", name=name, total=None if lost else int(mib * MIB), lost=lost)


def mac(chip: str, limit: int | None) -> Device:
    return Device(kind=DeviceKind.APPLE, id="apple-gpu", name=chip, total=limit, shared=True)


@pytest.mark.parametrize(
    ("mib", "gb"),
    [
        # As nvidia-smi shows the memory of real cards.
        (2048, 2),
        (3072, 3),
        (6144, 6),
        (5927, 6),
        (8192, 8),
        (8188, 8),
        (10240, 10),
        (11264, 11),
        (12288, 12),
        (15360, 16),
        (16376, 16),
        (22731, 24),
        (23034, 24),
        (24564, 24),
        (32607, 32),
        (40960, 40),
        (46068, 48),
        (49140, 48),
        (81559, 80),
        (95830, 94),
        (97887, 96),
        (143771, 141),
        (183359, 180),
        # Slices of an A100 of 40 and of an H100 of 80.
        (4864, 5),
        (9856, 10),
        (19968, 20),
        (40192, 40),
        # AMD cards tell a few MiB less.
        (16368, 16),
        (24560, 24),
        # Nobody sells these.
        (100, 1),
        (13.5 * 1024, 14),
        (1000 * 1024, 1000),
    ],
)
def test_cards_are_called_by_the_size_that_they_are_sold_as(mib: float, gb: int) -> None:
    assert marketed_gb(int(mib * MIB)) == gb


def test_a_card_of_8_gb() -> None:
    profile = detect(machine(card(8192, name="NVIDIA GeForce RTX 2070 SUPER")))
    assert profile == Profile(
        name="nvidia_8gb",
        max_loaded=2,
        memory_budget=8 * GIB - GIB // 2,
        reserve=GIB // 2,
        context_length=4096,
        cache_type="f16",
        memory_word="VRAM",
        reason=Sentence(
            "profile.cards", {"names": ("NVIDIA GeForce RTX 2070 SUPER",), "size_gb": 8, "reserve_gib": 0.5}
        ),
    )
    assert text(profile.reason) == (
        "NVIDIA GeForce RTX 2070 SUPER with 8 GB of VRAM, of which 0.5 GiB are kept for the desktop."
    )


@pytest.mark.parametrize(
    ("mib", "name", "max_loaded", "cache"),
    [
        (4096, "nvidia_4gb", 1, "q8_0"),
        (5700, "nvidia_6gb", 2, "q8_0"),
        (6144, "nvidia_6gb", 2, "q8_0"),
        (24564, "nvidia_24gb", 2, "f16"),
    ],
)
def test_one_model_on_a_small_card(mib: int, name: str, max_loaded: int, cache: str) -> None:
    profile = detect(machine(card(mib)))
    assert (profile.name, profile.max_loaded, profile.cache_type) == (name, max_loaded, cache)


def test_the_budget_is_of_what_the_card_has_and_not_of_what_it_is_sold_as() -> None:
    profile = detect(machine(card(23034)))
    assert profile.name == "nvidia_24gb"
    assert profile.memory_budget is not None
    assert profile.memory_budget + profile.reserve == 23034 * MIB


def test_several_cards_count_together() -> None:
    profile = detect(machine(card(24564, name="RTX 4090"), card(24564, name="RTX 4090"), ram=64 * GIB))
    assert (profile.name, profile.memory_budget) == ("nvidia_48gb", 2 * (24564 * MIB - GIB))
    assert profile.reason.params["names"] == ("RTX 4090", "RTX 4090")
    assert detect(machine(card(4096), card(4096))).max_loaded == 1


def test_of_slices_the_largest_counts_and_beside_a_whole_card_none() -> None:
    slices = [replace(card(mib, name=f"MIG {mib}"), parent="GPU-a100") for mib in (4864, 19968, 4864)]
    assert detect(machine(*slices)).name == "nvidia_20gb"
    assert detect(machine(*slices, card(24564))).name == "nvidia_24gb"


def test_the_maker_with_the_most_memory_counts() -> None:
    amd = card(24560, DeviceKind.AMD, name="Radeon")
    assert detect(machine(card(8192), amd)).name == "amd_24gb"
    assert detect(machine(card(8192), card(4080, DeviceKind.AMD))).name == "nvidia_8gb"


def test_a_part_of_a_processor_does_not_count_beside_a_card() -> None:
    apu = Device(kind=DeviceKind.AMD, id="apu", name="Radeon 780M", total=16 * GIB, shared=True)
    assert detect(machine(apu, card(8192))).name == "nvidia_8gb"
    profile = detect(machine(apu))
    assert (profile.name, profile.memory_word) == ("amd_16gb", "unified memory")
    assert profile.memory_budget == 16 * GIB
    profile = detect(machine(apu, ram=16 * GIB))
    assert (profile.memory_budget, profile.reserve) == (12 * GIB, 4 * GIB)


def test_a_card_that_tells_no_memory_uses_the_main_memory() -> None:
    spark = Device(kind=DeviceKind.NVIDIA, id="x", name="NVIDIA GB10", shared=True)
    profile = detect(machine(spark, ram=127600748 * 1024))
    assert (profile.name, profile.memory_word) == ("nvidia_128gb", "unified memory")
    assert profile.memory_budget == 127600748 * 1024 - 8 * GIB


def test_a_card_too_small_for_any_model_does_not_count() -> None:
    assert detect(machine(card(1024))).name == "cpu"
    assert detect(machine(card(0, lost=True))).name == "cpu"


@pytest.mark.parametrize(
    ("ram", "budget"),
    [(GIB, GIB // 2), (3 * GIB, 2 * GIB), (16 * GIB, 12 * GIB), (32 * GIB, 24 * GIB), (256 * GIB, 248 * GIB)],
)
def test_a_machine_without_a_card(ram: int, budget: int) -> None:
    profile = detect(machine(ram=ram))
    assert (profile.name, profile.max_loaded, profile.memory_word) == ("cpu", 2, "RAM")
    assert (profile.memory_budget, profile.reserve) == (budget, ram - budget)


def test_a_machine_of_unknown_size() -> None:
    profile = detect(machine(ram=None))
    assert (profile.name, profile.memory_budget, profile.reserve) == ("cpu", None, 0)
    profile = detect(machine(mac("Apple M1", None), ram=None))
    assert (profile.name, profile.memory_budget) == ("apple_m1", None)


def test_a_mac() -> None:
    limit = 14302248960
    profile = detect(machine(mac("Apple M3 Pro", limit), ram=18 * GIB))
    assert (profile.name, profile.max_loaded, profile.memory_word) == ("apple_m3", 1, "unified memory")
    assert (profile.memory_budget, profile.reserve) == (limit, 18 * GIB - limit)
    assert text(profile.reason) == "Apple M3 Pro with 18 GB of unified memory, of which models get 13.3 GiB."


@pytest.mark.parametrize(
    ("chip", "name"),
    [
        ("Apple M1", "apple_m1"),
        ("Apple M2 Ultra", "apple_m2"),
        ("Apple M5 Max", "apple_m5"),
        ("Apple processor", "apple"),
    ],
)
def test_macs_by_generation(chip: str, name: str) -> None:
    assert detect(machine(mac(chip, 10 * GIB), ram=16 * GIB)).name == name


def test_a_mac_whose_limit_was_raised_keeps_something_for_the_system() -> None:
    assert detect(machine(mac("Apple M4", 16 * GIB), ram=16 * GIB)).memory_budget == 14 * GIB
    assert detect(machine(mac("Apple M4 Max", 112 * GIB), ram=128 * GIB)).memory_budget == 112 * GIB


def test_a_name_from_the_settings() -> None:
    here = machine(card(24564), ram=32 * GIB)
    chosen = named("nvidia_8gb", here)
    assert (chosen.name, chosen.memory_budget) == ("nvidia_8gb", 8 * GIB - GIB // 2)
    assert chosen.reason == Sentence("profile.chosen", {"found": "nvidia_24gb"})
    assert named("cpu", here).memory_budget == 24 * GIB
    assert named("amd_4gb", here).max_loaded == 1
    same = named("nvidia_24gb", here)
    assert same.memory_budget == detect(here).memory_budget
    assert text(same.reason).startswith("Chosen in the settings, and found. ")


def test_a_mac_from_the_settings() -> None:
    there = machine(mac("Apple M3 Pro", 14302248960), ram=18 * GIB)
    assert named("apple_m1", there).memory_budget == 14302248960
    # On a machine that is none, its limit follows from the memory.
    assert named("apple_m1", machine(ram=16 * GIB)).memory_budget == 11453251584


@pytest.mark.parametrize(
    "name", ["", "gpu", "nvidia_8", "nvidia_0gb", "nvidia_08gb", "apple_m", "CPU", "[b]" * 99]
)
def test_a_name_that_is_none_is_told_what_there_is(name: str) -> None:
    with pytest.raises(UnknownProfile) as caught:
        named(name, machine())
    assert len(words(caught.value)) < 250


sizes = st.none() | st.integers(0, 2**64 - 1)
anything = st.builds(
    # Its fields are named here: the strategy cannot read the types of a struct.
    lambda kind, uuid, name, total, shared, lost: Device(
        kind=kind, id=uuid, name=name, total=total, shared=shared, lost=lost
    ),
    st.sampled_from([DeviceKind.NVIDIA, DeviceKind.AMD, DeviceKind.APPLE]),
    st.text(max_size=5),
    st.text(max_size=20) | st.sampled_from(["Apple M3", "Apple"]),
    sizes,
    st.booleans(),
    st.booleans(),
)


@given(st.lists(anything, max_size=4), sizes)
def test_every_machine_has_one_profile(devices: list[Device], ram: int | None) -> None:
    reading = machine(*devices, ram=ram)
    profile = detect(reading)
    assert profile == detect(reading)
    assert profile.max_loaded in (1, 2)
    assert profile.memory_budget is None or profile.memory_budget >= 0
    assert profile.reserve >= 0
    assert text(profile.reason).endswith(".")
    assert named(profile.name, reading).memory_budget == profile.memory_budget
