"""The memory of this machine as gauges, and the memory that servers report for their models."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from textual.geometry import Size
from textual.widget import Widget

from llmstack_tui.base.address import is_loopback
from llmstack_tui.base.languages import filled, tr, tr_n
from llmstack_tui.base.text import brief
from llmstack_tui.base.units import bytes_text
from llmstack_tui.core.wording import text
from llmstack_tui.lifecycle.placement import device_bytes, differ, fallbacks, model_devices, server_bytes
from llmstack_tui.tui.draw.figures import on_cpu_text, total_of
from llmstack_tui.tui.draw.servers import server_name
from llmstack_tui.tui.draw.text import content_of
from llmstack_tui.tui.memory.gauges import (
    DIM,
    UsageHistory,
    cut,
    device_details,
    each_line,
    gauge_lines,
    gauges,
)
from llmstack_tui.tui.memory.parts import Owner, legend, parts_of, together
from llmstack_tui.tui.screen import SidePane
from llmstack_tui.tui.shell import Controller, NoteKind, shell_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual.app import ComposeResult
    from textual.content import Content

    from llmstack_tui.core.state import StackState
    from llmstack_tui.hardware.readings import MachineReading
    from llmstack_tui.hosts.types import Snapshot
    from llmstack_tui.lifecycle.placement import Fallback
    from llmstack_tui.tui.draw.marks import Marks
    from llmstack_tui.tui.shell import Shell
    from llmstack_tui.tui.view import Key, View

    Fallbacks = Mapping[tuple[str, str, str], Fallback]
    """By the model's host, name and digest."""

_SHARE_OF_SCREEN = 6
_GAP = "   "


class MemoryGauges(Widget):
    """As high as its content, but at most a part of the screen; painted again when the content changes.

    Keeps the last minutes of each device itself, because nothing else needs them.
    """

    DEFAULT_CSS = """
    MemoryGauges { height: auto; background: $surface; color: $foreground; text-wrap: nowrap; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's own name
        super().__init__(id=id)
        self._history = UsageHistory()
        self._state: StackState | None = None
        self._now = 0.0
        self._shown: tuple[Content, ...] = ()

    def show(self, state: StackState | None, now: float) -> None:
        """Draw the state; ``now`` is in monotonic seconds, like the times of readings."""
        machine = state.machine if state else None
        if machine is not None and (self._state is None or machine is not self._state.machine):
            self._history.add(machine)
        self._state, self._now = state, now
        if not self.is_mounted:
            return
        said = device_details(machine) if machine else ""
        tooltip = content_of(said) if said else None
        if tooltip != self.tooltip:
            self.tooltip = tooltip
        self._renew()

    def on_resize(self) -> None:
        self._renew()

    def _renew(self) -> None:
        lines = self._lines(self.size.width)
        if len(lines) != len(self._shown):
            self.refresh(layout=True)
        elif not all(new.is_same(old) for new, old in zip(lines, self._shown, strict=True)):
            self.refresh()
        self._shown = lines

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._lines(width))

    def render(self) -> Content:
        return content_of("\n").join(self._shown)

    def _lines(self, width: int) -> tuple[Content, ...]:
        most = max(2, self.app.size.height // _SHARE_OF_SCREEN)
        return memory_lines(self._state, self._history, self._now, Size(width, most), shell_of(self).marks)


class MemoryPane(SidePane):
    """The gauges in their frame."""

    def __init__(self) -> None:
        super().__init__(tr("Memory"), id="memory-pane")
        self._gauges = MemoryGauges(id="memory")

    def compose(self) -> ComposeResult:
        yield self._gauges

    def show(self, view: View, selected: Key | None) -> None:
        self.show_title(tr("Memory"))
        self._gauges.show(view.state, view.moment.monotonic_s)


def memory_lines(
    state: StackState | None, history: UsageHistory, now: float, room: Size, marks: Marks
) -> tuple[Content, ...]:
    """The lines, as many as ``room`` has (at least two)."""
    width, most = room
    if state is None or state.machine is None:
        return (content_of((f" {tr('not read yet')}", DIM)),)
    machine, parts = state.machine, parts_of(state)
    shown = gauges(machine, history, now, max(most - 1, 2), parts)
    lines = [*gauge_lines(shown, width, marks)]
    if len(shown) <= len(machine.devices) and len(lines) + 1 < most:
        lines.insert(-1, each_line(machine, width, marks))
    whole = together([*parts.values()])
    if any(part.owner is Owner.MODEL for part in whole) and len(lines) + 1 < most:
        lines.insert(
            len(lines) if machine.ram.id in parts else -1, cut(legend(whole, width, marks), width, marks)
        )
    if len(lines) < most and (loaded := loaded_line(state, width, marks)).plain.strip():
        lines.append(loaded)
    if len(lines) < most and machine.errors:
        error = content_of((f" {text(machine.errors[0])}", "$text-warning"))
        lines.append(cut(error, width, marks))
    return tuple(lines)


def loaded_line(state: StackState, width: int, marks: Marks) -> Content:
    """One line: each server's figure, models that fell back to the processor, room on the disk."""
    snapshots = [host.snapshot for host in state.hosts]
    here = [each for each in snapshots if is_loopback(each.url) and each.read_at is not None]
    elsewhere = sum(len(each.running) for each in snapshots if not is_loopback(each.url))
    cards = state.machine.devices if state.machine else ()
    word = tr(cards[0].memory_word) if cards else ""
    long, short = _servers(here, word), _servers(here, "", short=True)
    slow, slow_short = _on_the_processor(here, state.machine)
    apart = _apart(here, state.machine)
    disk = state.machine.disk if state.machine else None
    room = "" if disk is None else tr("{size} free on the disk", size=bytes_text(disk.free))
    away = (
        tr_n("{count} model on other machines", "{count} models on other machines", elsewhere)
        if elsewhere
        else ""
    )
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
    parts = [content_of((text, tone)) for text, tone in zip(fitting, tones, strict=True) if text]
    return cut(content_of(" ") + content_of(_GAP).join(parts), width, marks)


def _length(texts: Sequence[str]) -> int:
    shown = [content_of(text).cell_length for text in texts if text]
    return 1 + sum(shown) + len(_GAP) * max(len(shown) - 1, 0)


def _servers(snapshots: Sequence[Snapshot], word: str, *, short: bool = False) -> str:
    if not any(each.running for each in snapshots):
        # What a server has loaded that is away is not known.
        known = bool(snapshots) and all(each.reachable for each in snapshots)
        return tr("no model loaded") if known else ""
    names = Counter(server_name(each.server) for each in snapshots)
    texts = []
    for each in snapshots:
        if each.running:
            name = server_name(each.server)
            port = f" {each.url.rpartition(':')[2]}" if names[name] > 1 else ""
            texts.append(f"{name}{brief(port, 7)} {_figure(each, word, short=short)}")
    return ", ".join(texts)


def _figure(snapshot: Snapshot, word: str, *, short: bool) -> str:
    """``says 5.1 GB, 3.2 GB of it VRAM, in 2 models``."""
    running = snapshot.running
    size = total_of(model.size for model in running)
    says = tr("says {size}") if snapshot.reachable else tr("said {size}")
    said = bytes_text(size)
    if short:
        return filled(says, {"size": said})
    on_card = total_of(model.size_vram for model in running)
    if word and on_card is not None and size is not None:
        if on_card >= size:
            said = tr("{size} of {memory}", size=said, memory=word)
        else:
            said = tr("{size}, {part} of it {memory},", size=said, part=bytes_text(on_card), memory=word)
    models = tr_n("{size} for {count} model", "{size} for {count} models", len(running), size=said)
    return filled(says, {"size": models})


def _apart(snapshots: Sequence[Snapshot], machine: MachineReading | None) -> str:
    """The devices' figure if it differs from the servers'; "" if it does not, or is not known."""
    if machine is None:
        return ""
    running = [each for snapshot in snapshots for each in snapshot.running]
    said = total_of(server_bytes(each, machine) for each in running)
    measured = total_of(device_bytes(each, machine) for each in running)
    if not differ(said, measured):
        return ""
    if model_devices(machine)[0] is machine.ram:
        return tr("the system says {size}", size=bytes_text(measured))
    return tr("the card says {size}", size=bytes_text(measured))


def _on_the_processor(snapshots: Sequence[Snapshot], machine: MachineReading | None) -> tuple[str, str]:
    """The text on models that fell back to the CPU, long and short; "" if none did."""
    found = [each for snapshot in snapshots for each in fallbacks(snapshot, machine)]
    if not found:
        return "", ""
    if len(found) > 1:
        count = len(found)
        long = tr("{count} models partly on the CPU: slow", count=count)
        return long, tr("{count} on the CPU", count=count)
    model, why = found[0]
    text = on_cpu_text(why.percent)
    return f"{brief(model.name, 40)} {text}", text


class FallbackNotifier(Controller):
    """Warns once of each model that falls back to the CPU, and again when it is loaded again.

    What was so before the dashboard was opened is only a line in the activity, not a toast at each start.
    """

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self._told: Fallbacks | None = None

    def follow(self, state: StackState) -> None:
        if state.machine is None or not all(host.snapshot.was_polled for host in state.hosts):
            return
        before, self._told = self._told, _fallbacks(state)
        news = [(key[1], found) for key, found in self._told.items() if key not in (before or {})]
        if not news:
            return
        name, first = news[0]
        if len(news) == 1:
            slow = tr("{model} is {slow}.", model=brief(name, 60), slow=on_cpu_text(first.percent))
        else:
            names = ", ".join(brief(each, 30) for each, _ in news[:5])
            slow = tr(
                "{count} models are not wholly on the card, which is slow: {names}.",
                count=len(news),
                names=names,
            )
        said = f"{slow} {text(first.cause)}"
        self._shell.record(NoteKind.NOTE, said)
        if before is not None:
            self._shell.warn(said, title=tr("On the CPU"))


def _fallbacks(state: StackState) -> Fallbacks:
    if not any(host.snapshot.running for host in state.hosts):
        return {}
    from llmstack_tui.lifecycle.placement import fallbacks

    return {
        (host.snapshot.url, each.name, each.digest): why
        for host in state.hosts
        for each, why in fallbacks(host.snapshot, state.machine)
    }
