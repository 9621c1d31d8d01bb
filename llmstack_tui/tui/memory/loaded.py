"""What the servers of this machine say that their models take, beside what its devices say. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from textual.content import Content

from llmstack_tui.base.text import clean
from llmstack_tui.base.units import bytes_text
from llmstack_tui.lifecycle.placement import are_apart, device_bytes, fallen, homes, server_bytes
from llmstack_tui.tui.draw.figures import on_cpu_text, total_of
from llmstack_tui.tui.draw.servers import server_name
from llmstack_tui.tui.memory.gauges import DIM, cut

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmstack_tui.core import StackState
    from llmstack_tui.hardware.readings import MachineReading
    from llmstack_tui.hosts.types import Snapshot
    from llmstack_tui.tui.draw.glyphs import Marks

_GAP = "   "


def loaded_line(state: StackState, width: int, marks: Marks) -> Content:
    """One line: each server's figure, models that fell back to the processor, room on the disk."""
    from llmstack_tui.base.address import is_loopback

    snapshots = [host.snapshot for host in state.hosts]
    here = [each for each in snapshots if is_loopback(each.url) and each.read_at is not None]
    elsewhere = sum(len(each.running) for each in snapshots if not is_loopback(each.url))
    cards = state.machine.devices if state.machine else ()
    word = cards[0].memory_word if cards else ""
    long, short = _servers(here, word), _servers(here, "", short=True)
    slow, slow_short = _on_the_processor(here, state.machine)
    apart = _apart(here, state.machine)
    disk = state.machine.disk if state.machine else None
    room = "" if disk is None else f"{bytes_text(disk.free)} free on the disk"
    plural = "model" if elsewhere == 1 else "models"
    away = f"{elsewhere} {plural} on other machines" if elsewhere else ""
    ways = (
        (long, apart, slow, away, room),
        (long, apart, slow, away, ""),
        (long, apart, slow, "", room),
        (long, apart, slow, "", ""),
        (short, apart, slow, "", ""),
        (short, "", slow, "", ""),
        (short, "", slow_short, "", ""),
    )
    fitting = next((way for way in ways if _length(way) <= width), ways[-1])
    tones = (DIM, "$text-warning", "$text-warning", DIM, DIM)
    parts = [Content.styled(text, tone) for text, tone in zip(fitting, tones, strict=True) if text]
    return cut(Content(" ") + Content(_GAP).join(parts), width, marks)


def _length(texts: Sequence[str]) -> int:
    shown = [Content(text).cell_length for text in texts if text]
    return 1 + sum(shown) + len(_GAP) * max(len(shown) - 1, 0)


def _servers(snapshots: Sequence[Snapshot], word: str, *, short: bool = False) -> str:
    if not any(each.running for each in snapshots):
        # Of a server that is away nobody knows.
        known = bool(snapshots) and all(each.reachable for each in snapshots)
        return "no model loaded" if known else ""
    names = Counter(server_name(each.server) for each in snapshots)
    texts = []
    for each in snapshots:
        if each.running:
            name = server_name(each.server)
            port = f" {each.url.rpartition(':')[2]}" if names[name] > 1 else ""
            texts.append(f"{name}{clean(port, limit=7)} {_figure(each, word, short=short)}")
    return ", ".join(texts)


def _figure(snapshot: Snapshot, word: str, *, short: bool) -> str:
    """``says 5.1 GB, 3.2 GB of it VRAM, in 2 models``."""
    running = snapshot.running
    size = total_of(model.size for model in running)
    text = f"{'says' if snapshot.reachable else 'said'} {bytes_text(size)}"
    if short:
        return text
    on_card = total_of(model.size_vram for model in running)
    if word and on_card is not None and size is not None:
        text += f" of {word}" if on_card >= size else f", {bytes_text(on_card)} of it {word},"
    return f"{text} for {len(running)} {'model' if len(running) == 1 else 'models'}"


def _apart(snapshots: Sequence[Snapshot], machine: MachineReading | None) -> str:
    """What the devices say where it is not what the servers say; empty where it is, or nobody knows."""
    if machine is None:
        return ""
    running = [each for snapshot in snapshots for each in snapshot.running]
    said = total_of(server_bytes(each, machine) for each in running)
    measured = total_of(device_bytes(each, machine) for each in running)
    if not are_apart(said, measured):
        return ""
    who = "the system" if homes(machine)[0] is machine.ram else "the card"
    return f"{who} says {bytes_text(measured)}"


def _on_the_processor(snapshots: Sequence[Snapshot], machine: MachineReading | None) -> tuple[str, str]:
    """What to say of models that fell back to the processor, long and short; empty when none did."""
    found = [each for snapshot in snapshots for each in fallen(snapshot, machine)]
    if not found:
        return "", ""
    if len(found) > 1:
        return f"{len(found)} models partly on the CPU: slow", f"{len(found)} on the CPU"
    model, why = found[0]
    text = on_cpu_text(why.percent)
    return f"{clean(model.name, limit=40)} {text}", text
