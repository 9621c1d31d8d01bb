"""Graphics cards: whether they can be used, and whether they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.address import is_loopback
from llmstack_tui.base.kinds import Capability
from llmstack_tui.base.sentences import Sentence
from llmstack_tui.doctor.types import Finding, FindingState
from llmstack_tui.hardware.pci import AMD, NVIDIA
from llmstack_tui.hosts.types import ServerVersion, Snapshot
from llmstack_tui.lifecycle.placement import fallback

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmstack_tui.doctor.facts import CardFacts, EngineFacts, ServerFacts
    from llmstack_tui.hardware.readings import MachineReading
    from llmstack_tui.hosts.types import RunningModel

_MAKERS = {NVIDIA: "NVIDIA", AMD: "AMD"}
_DRIVERS = {NVIDIA: ("nvidia",), AMD: ("amdgpu",)}
# The device files through which programs compute.
_FILES = {NVIDIA: ("nvidiactl", "nvidia0", "dxg"), AMD: ("kfd",)}


def driver(id_: str, machine: MachineReading, cards: CardFacts) -> Iterator[Finding]:
    """Whether each card has the driver that models need, and it answers."""
    if trouble := tuple(each for each in machine.errors if each.kind.startswith("card.")):
        says = Sentence("doctor.card_trouble")
        yield Finding(id=id_, state=FindingState.BROKEN, says=says, evidence=trouble)
        return
    bare = [card for card in cards.cards if card.driver not in (*_DRIVERS[card.vendor], "")]
    bare += [card for card in cards.cards if not card.driver and not cards.in_container]
    if bare:
        seen = tuple(
            Sentence("doctor.driver_of", {"maker": _MAKERS[card.vendor], "driver": card.driver})
            if card.driver
            else Sentence("doctor.no_driver_of", {"maker": _MAKERS[card.vendor], "slot": card.slot})
            for card in bare
        )
        advice = (Sentence("doctor.install_driver"),)
        says = Sentence("doctor.no_driver")
        yield Finding(id=id_, state=FindingState.WARNING, says=says, evidence=seen, advice=advice)
        return
    found = [each for each in machine.devices if not each.lost]
    if not found:
        yield Finding(id=id_, state=FindingState.DOES_NOT_APPLY, says=Sentence("doctor.no_card"))
        return
    seen = tuple(
        Sentence("doctor.card_with_driver", {"name": each.name, "driver": each.driver, "cuda": each.cuda})
        if each.driver and each.cuda
        else Sentence("doctor.card", {"name": each.name})
        for each in found
    )
    yield Finding(id=id_, state=FindingState.FINE, says=Sentence("doctor.cards_fine"), evidence=seen)


def used(id_: str, machine: MachineReading, servers: tuple[ServerFacts, ...]) -> Iterator[Finding]:
    """Whether models are computed on the card, by what is loaded, or else by the last loads on record."""
    if not any(not each.lost for each in machine.devices):
        yield Finding(id=id_, state=FindingState.DOES_NOT_APPLY, says=Sentence("doctor.no_card"))
        return
    here = [server for server in servers if is_loopback(server.url)]
    loaded = [(each, server) for server in here for each in server.loaded]
    parts = loaded or [(each, server) for server in here for each in server.measured]
    if not parts:
        yield Finding(id=id_, state=FindingState.DOES_NOT_APPLY, says=Sentence("doctor.use_unknown"))
        return
    slow = [why.cause for each, server in parts if (why := fallback(each, _snapshot(server), machine))]
    seen = tuple(on_card(each) for each, _ in parts)
    if slow:
        says = Sentence("doctor.card_not_used") if loaded else Sentence("doctor.card_was_not_used")
        advice = tuple(dict.fromkeys(slow))
        yield Finding(id=id_, state=FindingState.WARNING, says=says, evidence=seen, advice=advice)
    elif all(each.size_vram for each, _ in parts):
        yield Finding(id=id_, state=FindingState.FINE, says=Sentence("doctor.card_used"), evidence=seen)
    else:
        says = Sentence("doctor.on_processor")
        yield Finding(id=id_, state=FindingState.DOES_NOT_APPLY, says=says, evidence=seen)


def on_card(running: RunningModel) -> Sentence:
    """How much of a model is on the card, by its server."""
    part, size = running.size_vram or 0, running.size or 0
    return Sentence("doctor.on_card", {"model": running.name, "part": part, "size": size})


def _snapshot(server: ServerFacts) -> Snapshot:
    known = None if server.kind is None else ServerVersion(kind=server.kind, version=server.version)
    return Snapshot(url=server.url, capabilities=Capability(0), server=known)


def asleep(id_: str, machine: MachineReading) -> Iterator[Finding]:
    """Whether a laptop's card is suspended, which is as it should be while nothing computes."""
    names = tuple(each.name for each in machine.devices if each.asleep)
    if names:
        says, advice = Sentence("doctor.asleep", {"names": names}), (Sentence("doctor.wakes"),)
        yield Finding(id=id_, state=FindingState.FINE, says=says, advice=advice)
    else:
        yield Finding(id=id_, state=FindingState.DOES_NOT_APPLY, says=Sentence("doctor.none_asleep"))


def container(id_: str, cards: CardFacts) -> Iterator[Finding]:
    """Whether a container has access to the cards of its machine."""
    if not cards.in_container:
        yield Finding(id=id_, state=FindingState.DOES_NOT_APPLY, says=Sentence("doctor.no_container"))
        return
    shut = tuple(dict.fromkeys(_MAKERS[each.vendor] for each in cards.cards if _is_shut(each.vendor, cards)))
    if shut:
        says = Sentence("doctor.container_without_card", {"makers": shut})
        advice = (Sentence("doctor.open_container"),)
        yield Finding(id=id_, state=FindingState.WARNING, says=says, advice=advice)
    elif cards.cards:
        yield Finding(id=id_, state=FindingState.FINE, says=Sentence("doctor.container_with_card"))
    else:
        yield Finding(id=id_, state=FindingState.DOES_NOT_APPLY, says=Sentence("doctor.no_card"))


def _is_shut(vendor: str, cards: CardFacts) -> bool:
    return not cards.files.intersection(_FILES[vendor])


def engine_build(id_: str, engine: EngineFacts) -> Iterator[Finding]:
    """Whether the build of the built-in engine can use the cards that are there."""
    if engine.idle_cards:
        says = Sentence("doctor.engine_on_cpu", {"makers": engine.idle_cards})
        advice = (Sentence("doctor.engine_for_card"),)
        yield Finding(id=id_, state=FindingState.ADVICE, says=says, advice=advice, opens=("install",))
    else:
        yield Finding(id=id_, state=FindingState.FINE, says=Sentence("doctor.engine_build_fine"))
