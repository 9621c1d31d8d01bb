"""One entry of the catalog: its variants, its tags in the registry, and the sources of its figures."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct
from rich.cells import cell_len
from textual import on
from textual.widgets import Static

from llmstack_tui.base.languages import later, tr
from llmstack_tui.base.names import DEFAULT_HOST, DEFAULT_NAMESPACE, ModelName, model_key
from llmstack_tui.base.sentences import Failure
from llmstack_tui.base.text import brief
from llmstack_tui.base.units import UNKNOWN, bytes_text
from llmstack_tui.catalog.rules import LONG, SHORT, EntryFit, engine_runs, hardware, needs
from llmstack_tui.catalog.types import Use
from llmstack_tui.core.wording import words
from llmstack_tui.tui.catalog import ENTRY_KEYS
from llmstack_tui.tui.catalog.list import FIT_STYLES, download_text, fit_word, memory_texts, quality_text
from llmstack_tui.tui.draw.figures import rate_text, when_text
from llmstack_tui.tui.draw.text import content_of
from llmstack_tui.tui.screen import FramedScreen
from llmstack_tui.tui.shell import start
from llmstack_tui.tui.widgets.list import RowList
from llmstack_tui.tui.widgets.pane import Pane
from llmstack_tui.tui.widgets.section import rows_content

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from rich.segment import Segment
    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.content import Content

    from llmstack_tui.catalog.types import Catalog, Entry, File, Offer
    from llmstack_tui.core.state import StackState
    from llmstack_tui.tui.draw.text import Pen
    from llmstack_tui.tui.stack import DashboardCatalog
    from llmstack_tui.tui.view import View

_REST_S = 0.2
_MOST_TAGS = 1000
_DOWNLOAD, _MEMORY, _FITS, _QUANTIZATION, _PUSHED = 10, 9, 9, 11, 14

_FITS_HERE = {
    EntryFit.LONG: later("it fits here"),
    EntryFit.SHORT: later("it fits here, but not with a long context"),
    EntryFit.NO: later("that is more than there is here"),
    EntryFit.UNKNOWN: later("whether it fits here is not known"),
}

_IN_THE_CLOUD = later(
    "It runs in Ollama's cloud, for which Ollama wants an account: what you write is sent there."
)

_SPLIT = later("It is split into several files, which hf.co hands out to nobody: choose another variant.")

Offered = tuple[str, int | None, str]


class Variant(Struct, frozen=True, kw_only=True):
    """A variant that can be pulled, as text; ``key`` is its name."""

    key: str
    installed: bool = False
    quantization: str = ""
    download: str = ""
    memory: tuple[str, str] = ("", "")
    fits: str = ""
    fit: EntryFit = EntryFit.UNKNOWN
    pushed: str = ""


class Fact(Struct, frozen=True, kw_only=True):
    """A line of text that is not a variant."""

    key: str
    text: str
    is_heading: bool = False


Line = Variant | Fact


class VariantList(RowList[Line]):
    """Lists variants with their figures, tags, and plain lines."""

    def is_heading(self, row: Line) -> bool:
        return isinstance(row, Fact) and row.is_heading

    def draw(self, row: Line, line: int, width: int, pen: Pen) -> list[Segment]:
        if isinstance(row, Fact):
            tone = "heading" if row.is_heading else "muted"
            return [pen.pointer(), pen.cell(f" {row.text}", width - 1, tone)]
        pushed = _PUSHED if width >= 90 else 0
        rest = 3 + _QUANTIZATION + _DOWNLOAD + 2 * _MEMORY + _FITS + pushed
        name = min(max(width - rest, 16), 48)
        # The title has the model's name; variants differ at the end of theirs.
        shown = row.key if cell_len(row.key) <= name else f":{row.key.rpartition(':')[2]}"
        return [
            pen.pointer(),
            pen.cell(pen.marks.tick if row.installed else "", 2, "good"),
            pen.cell(shown, name, "name"),
            pen.cell(f"  {row.quantization}", _QUANTIZATION, "muted"),
            pen.cell(row.download, _DOWNLOAD, "plain", right=True),
            pen.cell(row.memory[0], _MEMORY, "plain", right=True),
            pen.cell(row.memory[1], _MEMORY, "plain", right=True),
            pen.cell(f"  {row.fits}", _FITS, FIT_STYLES[row.fit]),
            pen.cell(row.pushed, pushed, "muted", right=True),
        ]


class EntryScreen(FramedScreen):
    """Asks the registry for the tags when it opens, and for a tag's size when the cursor rests on it."""

    DEFAULT_CSS = """
    EntryScreen #facts { height: auto; max-height: 10; padding: 0 1; margin-bottom: 1; }
    EntryScreen #said { height: auto; max-height: 3; padding: 0 2; color: $text-muted; }
    """
    AUTO_FOCUS = "VariantList"
    BINDINGS: ClassVar[list[BindingType]] = [*ENTRY_KEYS]

    def __init__(self, catalog: Catalog, entry: Entry, *, asks: bool = True, refused: str = "") -> None:
        """A screen of an entry.

        Args:
            asks: ask the registry; a repository of many files is not asked for each of them.
            refused: why nothing of it can be pulled.
        """
        super().__init__(Pane(entry.name, id="frame"))
        self._catalog = catalog
        self._entry = entry
        self._variants: dict[str, File | None] = {entry.name_to_pull(file): file for file in entry.files}
        self._needs = {name: needs(entry, file) for name, file in self._variants.items() if file}
        if entry.cloud_name:
            self._variants[entry.cloud_name] = None
        self._facts = Static("", id="facts", markup=False)
        self.list = VariantList()
        self._said = Static("", id="said", markup=False)
        self._tags: tuple[str, ...] = ()
        self._offers: dict[str, Offer | None] = {}
        self._asks = asks
        self._refused = refused

    def compose_body(self) -> ComposeResult:
        yield self._facts
        yield self.list
        yield self._said

    def on_mount(self) -> None:
        self._facts.update(facts_content(self._entry))
        self._say(self._refused)
        self.action_ask()

    def follow_language(self) -> None:
        self.on_mount()

    def show(self, view: View) -> None:
        installed = {model_key(model.name) for model in view.models() if model.model}
        budget, now = budget_of(view.state), view.moment.now
        heading = tr("Variants: download, memory at 4k and 32k tokens, here")
        lines: list[Line] = [Fact(key="variants", text=heading, is_heading=True)]
        for name, file in self._variants.items():
            lines.append(self._variant(name, file, installed, budget, now))
        if self._tags:
            count = len(self._tags)
            heading = tr("Tags of the registry: {count:,}", count=count)
            if count > _MOST_TAGS:
                heading = tr(
                    "Tags of the registry: the first {most:,} of {count:,}", most=_MOST_TAGS, count=count
                )
            lines.append(Fact(key="tags", text=heading, is_heading=True))
            lines += [self._variant(name, None, installed, budget, now) for name in self._tags[:_MOST_TAGS]]
        lines += sources(self._catalog, self._entry)
        self.list.show(lines)

    def _variant(
        self, name: str, file: File | None, installed: set[str], budget: int | None, now: datetime
    ) -> Variant:
        offer, known = self._offers.get(name), name in self._variants
        fits, fit = fit_word(file, self._needs.get(name), budget) if known else ("", EntryFit.UNKNOWN)
        if not known and offer is not None and budget is not None and offer.download > budget:
            fits, fit = tr(EntryFit.NO), EntryFit.NO
        download = bytes_text(offer.download) if offer else download_text(file)
        return Variant(
            key=name,
            installed=model_key(name) in installed,
            quantization=(file.quantization or UNKNOWN) if file else "",
            download=download,
            memory=memory_texts(self._entry, self._needs.get(name)),
            fits=fits,
            fit=fit,
            pushed=when_text(offer.pushed_at, now) if offer and offer.pushed_at else "",
        )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only where the registry is asked, it can be asked again."""
        return self._asks if action == "ask" else super().check_action(action, parameters)

    # What is asked

    def action_ask(self) -> None:
        stack = self.shell.stack
        if not self._asks:
            return
        if stack is None:
            self._say(tr("There is no server yet."))
            return
        registry = brief(ModelName.parse(self._entry.name).host, 80)
        self._say(tr("Asking {registry} for its tags", registry=registry) + self.shell.marks.dots)
        ask = partial(self._ask, stack.catalog)
        start(self, tr("The tags of {model}", model=self._entry.name), ask, group="ask", exclusive=True)

    async def _ask(self, browsing: DashboardCatalog) -> None:
        """Ask for the tags and current variants; if the registry does not answer, say so."""

        async def offer(name: str) -> Failure | None:
            try:
                self._offers[name] = await browsing.offer(name)
            except Failure as error:
                return error
            return None

        async def tags() -> tuple[str, ...] | Failure | None:
            try:
                return await browsing.tags(self._entry.name)
            except Failure as error:
                return error

        found, *problems = await asyncio.gather(tags(), *map(offer, self._variants))
        problem = next((each for each in problems if isinstance(each, Failure)), None)
        if isinstance(found, Failure):
            self._say(words(problem or found))
        else:
            self._heard(found, problem)
        self.show(self.shell.view)

    def _heard(self, tags: Sequence[str] | None, problem: Exception | None) -> None:
        name = ModelName.parse(self._entry.name)
        if tags is None:
            said = [words(problem), tr("{registry} lists no tags.", registry=name.host)]
            if name.host == DEFAULT_HOST and name.namespace == DEFAULT_NAMESPACE:
                said.append(tr("All of them: {url}", url=f"https://ollama.com/library/{name.model}/tags"))
            self._say(brief(" ".join(filter(None, said)), 400))
            return
        named = (_with_tag(name, tag) for tag in tags)
        self._tags = tuple(each for each in named if each and each not in self._variants)
        self._say(words(problem) if problem else "")

    @on(RowList.Moved)
    def _moved(self) -> None:
        item = self.list.row
        if isinstance(item, Variant) and item.key not in self._offers and item.key in self._tags:
            look = partial(self._look_at, item.key)
            start(self, tr("A tag of the registry"), look, group="tag", exclusive=True)

    async def _look_at(self, name: str) -> None:
        await asyncio.sleep(_REST_S)
        stack = self.shell.stack
        if stack is not None:
            self._offers[name] = None
            try:
                self._offers[name] = await stack.catalog.offer(name)
            except Failure as error:
                self._say(words(error))
            self.show(self.shell.view)

    def _say(self, text: str) -> None:
        self._said.update(content_of(text))
        self._said.display = bool(text)

    # Keys

    @on(RowList.Opened)
    def action_pull(self) -> None:
        item = self.list.row
        if not isinstance(item, Variant):
            return
        file = self._variants.get(item.key)
        if refused := self._refused or (tr(_SPLIT) if file and file.parts > 1 else ""):
            self._say(refused)
            return
        offer = self._offers.get(item.key)
        download = offer.download if offer else None
        offered: Offered = (item.key, download, "")
        if item.key in self._variants:
            offered = wanted(self._entry, file, budget_of(self.shell.view.state), download)
        self.shell.act("downloads.offer", *offered)


def wanted(entry: Entry, file: File | None, budget: int | None, download: int | None = None) -> Offered:
    """The arguments of `DownloadController.offer`; ``download`` is the size that the registry gives."""
    if file is None:
        return entry.cloud_name or entry.name, download, tr(_IN_THE_CLOUD)
    known = needs(entry, file)
    short, long = memory_texts(entry, known)
    memory = tr("{short} of memory at 4k tokens", short=short)
    if long:
        memory = tr("{short} of memory at 4k tokens, {long} at 32k", short=short, long=long)
    fits = tr(_FITS_HERE[fit_word(file, known, budget)[1]])
    about = tr("{memory} (an estimate): {fits}.", memory=memory, fits=fits)
    return entry.name_to_pull(file), download or file.bytes, about


def facts_content(entry: Entry) -> Content:
    """The catalog's facts on an entry, apart from the variants."""
    family = tr("{family}, {count} parameters", family=entry.family, count=entry.size)
    rows = (
        (tr("Good for"), entry.good_for and tr(entry.good_for)),
        (tr("Uses"), ", ".join(map(tr, entry.uses))),
        (tr("Family"), family),
        (tr("Kind"), tr(entry.kind)),
        (tr("Hardware"), _hardware_text(entry)),
        (tr("Servers"), _servers_text(entry)),
        (tr("Context"), _context_text(entry)),
        (tr("Licence"), entry.license.value if entry.license else UNKNOWN),
    )
    return rows_content(((name, brief(value, 200)) for name, value in rows if value), 11)


def _context_text(entry: Entry) -> str:
    return tr("{count:,} tokens", count=entry.most_tokens) if entry.most_tokens else UNKNOWN


def _hardware_text(entry: Entry) -> str:
    if entry.file is None:
        return tr("none: it runs in Ollama's cloud")
    short, long = (hardware(entry, entry.file, context) for context in (SHORT, LONG))
    if short.card_gb is None or short.ram_gb is None:
        return tr("several graphics cards")
    figures = {"card": short.card_gb, "ram": short.ram_gb}
    if long.card_gb and entry.reads(LONG) and long.card_gb > short.card_gb:
        return tr(
            "a card of {card} GB ({long} GB at 32k tokens), or {ram} GB of RAM", **figures, long=long.card_gb
        )
    return tr("a card of {card} GB, or {ram} GB of RAM", **figures)


def _servers_text(entry: Entry) -> str:
    if engine_runs(entry):
        return tr("Ollama and the built-in engine")
    if not entry.files:
        return tr("Ollama, with an account there")
    if Use.VISION in entry.uses:
        return tr("Ollama; the built-in engine reads no pictures")
    return tr("Ollama: its files are packaged for Ollama alone")


def sources(catalog: Catalog, entry: Entry) -> Iterator[Fact]:
    """Benchmarks, measured speeds, and the source of each figure, named once."""
    if entry.qualities:
        yield Fact(key="qualities", text=tr("Quality, in percent of a benchmark"), is_heading=True)
    for number, quality in enumerate(entry.qualities):
        text = f"{quality_text(quality)}   {catalog.page(quality.source)}"
        yield Fact(key=f"quality {number}", text=text)
    if entry.speeds:
        yield Fact(key="speeds", text=tr("Tokens per second, measured by others"), is_heading=True)
    for number, speed in enumerate(entry.speeds):
        kind = f", {speed.quantization}" if speed.quantization else ""
        text = tr("{rate} on {card}", rate=rate_text(speed.tokens_per_second), card=f"{speed.card}{kind}")
        yield Fact(key=f"speed {number}", text=f"{text}   {catalog.page(speed.source)}")
    yield Fact(key="sources", text=tr("Where the figures are from"), is_heading=True)
    tags = tr("Tags as of {day}", day=catalog.tags_as_of.isoformat())
    yield Fact(key="tags_as_of", text=tags)
    for source in entry.sources:
        yield Fact(key=f"source {source}", text=catalog.page(source))


def _with_tag(name: ModelName, tag: str) -> str:
    """The model's name with this tag; "" if the tag is not valid."""
    with suppress(ValueError):
        return ModelName(model=name.model, tag=tag, namespace=name.namespace, host=name.host).short
    return ""


def budget_of(state: StackState | None) -> int | None:
    """The memory, in bytes, that models may take on this machine."""
    return state.profile.memory_budget if state and state.profile else None
