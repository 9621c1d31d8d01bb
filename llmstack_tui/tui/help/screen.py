"""The help, written for who sees the dashboard for the first time."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct
from rich.segment import Segment
from textual.geometry import Size
from textual.screen import ModalScreen
from textual.scroll_view import ScrollView
from textual.strip import Strip

from llmstack_tui.tui import keys
from llmstack_tui.tui.widgets.keybar import Hint
from llmstack_tui.tui.widgets.pane import Pane

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from textual.app import ComposeResult
    from textual.binding import Binding, BindingType

    from llmstack_tui.tui.draw.glyphs import Marks


class HelpSection(Struct, frozen=True):
    """A title over lines of a name, which may be empty, and what is said of it."""

    title: str
    lines: tuple[tuple[str, str], ...]


class HelpScreen(ModalScreen[None]):
    """Any of the usual keys closes it."""

    CSS_PATH = "screen.tcss"
    AUTO_FOCUS = "HelpText"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.READING]

    def __init__(
        self,
        marks: Marks,
        bindings: Mapping[str, Sequence[Binding]],
        shown_keys: Mapping[str, str],
        places: tuple[tuple[str, str], ...] = (),
    ) -> None:
        """``bindings`` are those of each title, ``shown_keys`` the keys by their ids, ``places`` files."""
        super().__init__()
        self._marks = marks
        self._all_bindings = bindings
        self._keys = shown_keys
        self._places = places

    def compose(self) -> ComposeResult:
        with Pane("Help", id="dialog"):
            yield HelpText(self._sections())
            yield Hint(("arrows", "scroll"), ("help.close", "back"))

    def _sections(self) -> tuple[HelpSection, ...]:
        marks, key = self._marks, self._key
        return (
            HelpSection(
                "What this is",
                (
                    (
                        "",
                        "The models that are on this machine, which of them are in memory, and what that "
                        "costs. Other programs reach an active model at the addresses under Details: OpenAI "
                        "clients take the one that ends in /v1.",
                    ),
                ),
            ),
            HelpSection(
                "First steps",
                (
                    (
                        key("models.import"),
                        "Pull a model by its name, or import a GGUF file.",
                    ),
                    (
                        key("models.activate"),
                        f"Load the model under the cursor: {marks.inactive} turns into {marks.loading} "
                        f"and then {marks.active}.",
                    ),
                    (key("models.copy_url"), "Copy the address, and give it to your program."),
                    (key("models.deactivate"), "Take the model out of memory again."),
                ),
            ),
            HelpSection(
                "The marks",
                (
                    (marks.active, "active: in memory, ready to answer"),
                    (marks.loading, f"loading: you activated it; {key('models.cancel')} cancels"),
                    (marks.stopping, "stopping: leaves memory as soon as its running request has ended"),
                    (marks.inactive, "inactive: on the disk only"),
                    (marks.cloud, "cloud: listed here, runs elsewhere"),
                    (
                        marks.newer,
                        f"stale: the registry has a newer version; {key('models.update')} fetches it, "
                        f"{key('models.updates')} shows what changed",
                    ),
                    (marks.pulling, "on its way: how much of it is there"),
                ),
            ),
            HelpSection(
                "The columns",
                (
                    (
                        "Update",
                        f"What fetching the newer version costs; {marks.at_most} where it may be less.",
                    ),
                    ("Version", "The beginning of the model's digest, and the day it was changed."),
                    ("Quant.", "How much the weights are compressed: Q4 is smaller and less exact than Q8."),
                    ("Size", "On the disk, in decimal units as Ollama counts: 1 GB is 1,000,000,000 bytes."),
                    (
                        "Memory",
                        "What the server says that the model takes while it is active; after "
                        f"{marks.warning} it runs on the CPU, at least in part, and is slow.",
                    ),
                    (
                        "State",
                        "An active model is busy, or idle for so long; + means at least.",
                    ),
                    ("tok/s", "Tokens per second of the last answer that was timed here."),
                    (
                        "Leaves",
                        "When the server drops the model if nobody asks it; a request starts anew.",
                    ),
                ),
            ),
            HelpSection(
                "The panes",
                (
                    ("Models", "All that the server lists; the mark and the word for each say its state."),
                    (
                        "Memory",
                        "Who has the memory of this machine, as it says itself, and what the server counts.",
                    ),
                    ("Details", "What is known of the model under the cursor, and its addresses."),
                    ("Activity", "What happened, newest first."),
                ),
            ),
            HelpSection(
                "The other screens",
                (
                    (
                        f"{key('app.downloads')} Downloads",
                        f"What is pulled ({marks.coming}), waits ({marks.inactive}) or is paused "
                        f"({marks.paused}), and the result: done ({marks.tick}), failed "
                        f"({marks.failed}) with the reason, cancelled ({marks.dot}).",
                    ),
                    (
                        f"{key('app.catalog')} Catalog",
                        "Models worth having. The memory at 4k and 32k tokens is an estimate; under Here, "
                        "tight means that it fits with a short context only.",
                    ),
                    (
                        f"{key('app.disk')} Disk",
                        "What the built-in engine's models take and share, and files that no model uses.",
                    ),
                ),
            ),
            *(
                HelpSection(title, tuple((key(each.id or ""), f"{each.tooltip}.") for each in bindings))
                for title, bindings in self._all_bindings.items()
            ),
            *((HelpSection("This machine", self._places),) if self._places else ()),
            HelpSection(
                "In the details of a model",
                (
                    (
                        "",
                        "What the server and the file of the model say, each load with who asked for it, the "
                        "memory that it took, and what happened to it. Long texts are folded.",
                    ),
                ),
            ),
            HelpSection(
                "Good to know",
                (
                    ("", "No running request is ever cut: a model that you deactivate answers to the end."),
                    (
                        "",
                        "When you quit, an engine that the dashboard started ends as soon as nobody uses it; "
                        "a running Ollama is left alone.",
                    ),
                    (
                        "",
                        "Other keys can be set in the settings, under [ui.keys]; they count as soon as the "
                        "file is saved. llmstack config --example shows all settings.",
                    ),
                ),
            ),
        )

    def _key(self, binding_id: str) -> str:
        return self._keys.get(binding_id, "")


class HelpText(ScrollView, can_focus=True):
    """Wraps the second column under itself, at any width; only the lines that are seen are drawn."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"help--title", "help--name"}

    def __init__(self, sections: Sequence[HelpSection]) -> None:
        super().__init__()
        self._sections = sections
        self._lines: tuple[_Line, ...] = ()

    def on_resize(self) -> None:
        width = self.scrollable_content_region.width
        self._lines = tuple(line for section in self._sections for line in _wrapped(section, width))
        self.virtual_size = Size(width, len(self._lines))

    def render_line(self, y: int) -> Strip:
        line = y + self.scroll_offset.y
        plain = self.rich_style
        if line >= len(self._lines):
            return Strip.blank(self.size.width, plain)
        name, text = self._lines[line]
        tone = "help--title" if text is None else "help--name"
        segments = [Segment(name, self.get_visual_style(tone).rich_style), Segment(text or "", plain)]
        return Strip(segments).adjust_cell_length(self.size.width, plain)


# A name and what is said of it, or a title alone.
_Line = tuple[str, str | None]


def _wrapped(section: HelpSection, width: int) -> Iterator[_Line]:
    yield "", ""
    yield section.title, None
    indent = max((len(name) + 2 for name, _ in section.lines if name), default=0)
    for name, text in section.lines:
        head = name
        for line in textwrap.wrap(text, max(20, width - 1 - indent)):
            yield head.ljust(indent), line
            head = ""
