"""The list of the catalog: its rows, order and columns."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.languages import later, number, tr
from llmstack_tui.base.names import model_key
from llmstack_tui.base.units import UNKNOWN, bytes_text
from llmstack_tui.catalog.rules import LONG, EntryFit, engine_runs, hardware_for, needs, search
from llmstack_tui.catalog.types import EntryKind
from llmstack_tui.tui.draw.figures import rate_text
from llmstack_tui.tui.widgets.list import RowList
from llmstack_tui.tui.widgets.table import ColumnHeading, SortOrder, known_first

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from rich.segment import Segment

    from llmstack_tui.catalog.rules import Needs
    from llmstack_tui.catalog.types import Catalog, Entry, File, PublishedSpeed, Quality, Use
    from llmstack_tui.tui.draw.text import Pen

_FITS = {
    EntryFit.LONG: later("fits"),
    EntryFit.SHORT: later("tight"),
    EntryFit.NO: later("no"),
    EntryFit.UNKNOWN: UNKNOWN,
}


class CatalogColumn(StrEnum):
    """What the list can be sorted by; RANK puts recommended models first."""

    RANK = later("rank")
    NAME = later("name")
    PARAMETERS = later("parameters")
    DOWNLOAD = later("download")
    MEMORY = later("memory")
    LONG_MEMORY = later("memory at 32k")
    FIT = later("fit")
    CONTEXT = later("context")
    LICENSE = later("licence")
    SPEED = later("speed")
    KIND = later("kind")
    HARDWARE = later("hardware")


class CatalogOrder(SortOrder[CatalogColumn], frozen=True):
    column: CatalogColumn = CatalogColumn.RANK


_BY_RANK = CatalogOrder()


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogRow:
    """One entry, as text.

    Attributes:
        key: its name.
        memory: estimates at 4k and at 32k tokens.
        fits: the word for ``fit``.
        hardware: the graphics card that it wants.
        servers: which servers run it.
        quality: a benchmark, and what it reached in it.
        speed: tokens per second, and the card they were measured on.
        figures: the sort keys; None means not known.
    """

    key: str
    kind: EntryKind
    installed: bool
    parameters: str
    download: str
    memory: tuple[str, str]
    fits: str
    fit: EntryFit
    hardware: str
    servers: str
    quality: str
    context: str
    license: str
    speed: str
    good_for: str
    figures: Mapping[CatalogColumn, float | None] = field(default_factory=dict, compare=False, repr=False)


class Shelf(Struct, frozen=True):
    """The catalog, prepared for listing.

    Attributes:
        keys: by the name of an entry, the names (as `model_key`) that hosts may list its variants under.
        needs: by its name, the memory that its first variant needs.
    """

    catalog: Catalog
    keys: Mapping[str, frozenset[str]]
    needs: Mapping[str, Needs]

    def entry(self, name: str) -> Entry | None:
        return next((entry for entry in self.catalog.entries if entry.name == name), None)


def make_shelf(catalog: Catalog) -> Shelf:
    """Prepare the catalog. Takes some 50 ms: not on the event loop."""
    return Shelf(
        catalog,
        {entry.name: frozenset(map(model_key, entry.names)) for entry in catalog.entries},
        {entry.name: needs(entry, entry.file) for entry in catalog.entries if entry.file},
    )


class CatalogQuery(Struct, frozen=True):
    """Which entries are wanted, and what is known of the machine that they are for.

    Attributes:
        text: the entries have all words of it, are good for ``use``, and run where ``kind`` says.
        installed: the models that hosts have, as `model_key`.
        budget: bytes that models may take here; None means not known.
        card: the name of this machine's card; a speed measured on it is preferred.
    """

    text: str = ""
    use: Use | None = None
    kind: EntryKind | None = None
    order: CatalogOrder = _BY_RANK
    installed: frozenset[str] = frozenset()
    budget: int | None = None
    card: str = ""


def catalog_rows(shelf: Shelf, query: CatalogQuery) -> tuple[CatalogRow, ...]:
    found = search(shelf.catalog.entries, query.text)
    rows = [
        _row(shelf, each, query)
        for each in found
        if (query.use is None or query.use in each.uses) and (not query.kind or each.kind.has(query.kind))
    ]
    return _ordered(rows, query.order)


def fit_word(file: File | None, known: Needs | None, budget: int | None) -> tuple[str, EntryFit]:
    if file is None or known is None:
        return tr(EntryKind.CLOUD), EntryFit.UNKNOWN
    if file.parts > 1:
        return tr("split"), EntryFit.UNKNOWN
    found = known.fit(budget)
    return tr(_FITS[found]), found


def card_text(known: Needs | None) -> str:
    """The card that a variant wants: "8 GB"; "" for a model that runs in the cloud only."""
    if known is None:
        return ""
    if known.short is None:
        return UNKNOWN
    card_gb = hardware_for(known.short).card_gb
    return tr("several") if card_gb is None else f"{card_gb} GB"


def servers_text(entry: Entry) -> str:
    return tr("Ollama, engine") if engine_runs(entry) else "Ollama"


def quality_text(quality: Quality) -> str:
    return f"{quality.benchmark} {number(f'{quality.value:g}')}"


def memory_texts(entry: Entry, known: Needs | None) -> tuple[str, str]:
    """The estimates at 4k and at 32k tokens; "" for a length beyond the model's context, and in the cloud."""
    if known is None:
        return "", ""
    short, long = (UNKNOWN if size is None else f"~{bytes_text(size)}" for size in (known.short, known.long))
    return short, long if entry.reads(LONG) else ""


def download_text(file: File | None) -> str:
    return "" if file is None else f"{'~' if file.rounded else ''}{bytes_text(file.bytes)}"


def tokens_text(count: int | None) -> str:
    """``32k``: the usual notation, in units of 1024 tokens."""
    if count is None:
        return UNKNOWN
    return f"{count // 1024}k" if count >= 1024 else str(count)


def best_speed(entry: Entry, card: str) -> PublishedSpeed | None:
    """The speed on this machine's card if it was measured there, else the first known one."""
    own = card.casefold()
    mine = (speed for speed in entry.speeds if own and speed.card.casefold() in own)
    return next(mine, None) or next(iter(entry.speeds), None)


def _row(shelf: Shelf, entry: Entry, query: CatalogQuery) -> CatalogRow:
    file, known = entry.file, shelf.needs.get(entry.name)
    fits, found = fit_word(file, known, query.budget)
    speed = best_speed(entry, query.card)
    return CatalogRow(
        key=entry.name,
        kind=entry.kind,
        installed=not shelf.keys[entry.name].isdisjoint(query.installed),
        parameters=entry.size,
        download=download_text(file),
        memory=memory_texts(entry, known),
        fits=fits,
        fit=found,
        hardware=card_text(known),
        servers=servers_text(entry),
        quality=quality_text(entry.qualities[0]) if entry.qualities else "",
        context=tokens_text(entry.most_tokens),
        license=entry.license.value if entry.license else UNKNOWN,
        speed=f"{rate_text(speed.tokens_per_second)} {speed.card}" if speed else "",
        good_for=tr(entry.good_for),
        figures={
            CatalogColumn.PARAMETERS: _count(entry.size),
            CatalogColumn.DOWNLOAD: file.bytes if file else None,
            CatalogColumn.MEMORY: known.short if known else None,
            CatalogColumn.LONG_MEMORY: known.long if known and entry.reads(LONG) else None,
            CatalogColumn.FIT: None if found is EntryFit.UNKNOWN else (*EntryFit,).index(found),
            CatalogColumn.CONTEXT: -entry.most_tokens if entry.most_tokens else None,
            CatalogColumn.KIND: (*EntryKind,).index(entry.kind),
            CatalogColumn.HARDWARE: known.short if known else None,
            CatalogColumn.SPEED: -speed.tokens_per_second if speed else None,
        },
    )


def _ordered(rows: Sequence[CatalogRow], order: CatalogOrder) -> tuple[CatalogRow, ...]:
    """Sort: the smallest download or the largest context first, unknown values always last."""
    if order.column is CatalogColumn.RANK:
        return tuple(reversed(rows)) if order.reverse else tuple(rows)
    if order.column is CatalogColumn.NAME:
        return tuple(sorted(rows, key=lambda row: row.key, reverse=order.reverse))
    if order.column is CatalogColumn.LICENSE:
        return tuple(sorted(rows, key=lambda row: row.license.casefold(), reverse=order.reverse))
    return known_first(rows, lambda row: row.figures[order.column], reverse=order.reverse)


def _count(parameters: str) -> float | None:
    """The number meant by "7B", "0.5B", "137M" or "1.6T"; None for anything else."""
    number, unit = parameters[:-1], parameters[-1:].upper()
    try:
        return float(number) * {"T": 1e12, "B": 1e9, "M": 1e6}[unit]
    except (ValueError, KeyError):
        return None


FIT_STYLES = {EntryFit.LONG: "good", EntryFit.SHORT: "warning", EntryFit.NO: "bad", EntryFit.UNKNOWN: "muted"}
_BEFORE = 3
_NAME, _WIDEST_NAME = 22, 34


class _Cell(Struct, frozen=True):
    """A column: ``text`` makes its content, ``sorts`` is what a click on its name sorts by."""

    title: str
    width: int
    text: Callable[[CatalogRow], str]
    sorts: CatalogColumn | None = None
    right: bool = True
    gap: str = ""


_ALWAYS = (
    _Cell(later("Size"), 7, lambda row: row.parameters, CatalogColumn.PARAMETERS),
    _Cell(later("Download"), 10, lambda row: row.download, CatalogColumn.DOWNLOAD),
    _Cell(later("At 4k"), 9, lambda row: row.memory[0], CatalogColumn.MEMORY),
    _Cell(later("At 32k"), 9, lambda row: row.memory[1], CatalogColumn.LONG_MEMORY),
    _Cell(later("Here"), 8, lambda row: row.fits, CatalogColumn.FIT, right=False, gap="  "),
)
# Shown from the first on while there is room; the last takes the rest of the width.
_MORE = (
    _Cell(later("Kind"), 7, lambda row: tr(row.kind), CatalogColumn.KIND, right=False, gap="  "),
    _Cell(later("Needs"), 9, lambda row: row.hardware, CatalogColumn.HARDWARE),
    _Cell(later("Context"), 9, lambda row: row.context, CatalogColumn.CONTEXT),
    _Cell(later("Runs on"), 16, lambda row: row.servers, right=False, gap="  "),
    _Cell(later("Quality"), 20, lambda row: row.quality, right=False, gap="  "),
    _Cell(later("Licence"), 22, lambda row: row.license, CatalogColumn.LICENSE, right=False, gap="  "),
    _Cell(later("tok/s on"), 24, lambda row: row.speed, CatalogColumn.SPEED, right=False, gap="  "),
)
_GOOD_FOR = _Cell(later("Good for"), 0, lambda row: row.good_for, right=False, gap="  ")
_LEAST_GOOD_FOR = 30


def _columns(width: int) -> tuple[tuple[_Cell, int], ...]:
    """The columns, that of the name first, with their widths."""
    left = width - _BEFORE - _NAME - sum(cell.width for cell in _ALWAYS)
    more: list[tuple[_Cell, int]] = []
    for position, cell in enumerate(_MORE):
        # "Good for" is more useful than the licence.
        if left - cell.width < (_LEAST_GOOD_FOR if position else 0):
            break
        more.append((cell, cell.width))
        left -= cell.width
    name = _NAME
    if left >= _LEAST_GOOD_FOR + _WIDEST_NAME - _NAME:
        name, left = _WIDEST_NAME, left - (_WIDEST_NAME - _NAME)
    if left >= _LEAST_GOOD_FOR:
        more.append((_GOOD_FOR, left))
    else:
        name += min(left, _WIDEST_NAME - name)
    named = _Cell(later("Name"), name, lambda row: row.key, CatalogColumn.NAME, right=False)
    return ((named, name), *((cell, cell.width) for cell in _ALWAYS), *more)


def headings(width: int) -> Iterator[ColumnHeading[CatalogColumn]]:
    """The headings of the columns that fit."""
    yield ColumnHeading("", _BEFORE)
    for cell, cells in _columns(width):
        yield ColumnHeading(cell.gap + tr(cell.title), cells, cell.sorts, cell.right)


class CatalogList(RowList[CatalogRow]):
    """Ticks entries that are installed, and dims those that do not fit here."""

    def draw(self, row: CatalogRow, line: int, width: int, pen: Pen) -> list[Segment]:
        plain = "muted" if row.fit is EntryFit.NO else "plain"
        name = "plain" if row.fit is EntryFit.NO else "name"
        styles: dict[CatalogColumn | None, str] = {
            CatalogColumn.NAME: name,
            CatalogColumn.FIT: FIT_STYLES[row.fit],
        }
        return [
            pen.pointer(),
            pen.cell(pen.marks.tick if row.installed else "", _BEFORE - 1, "good"),
            *(
                pen.cell(cell.gap + cell.text(row), cells, styles.get(cell.sorts, plain), right=cell.right)
                for cell, cells in _columns(width)
            ),
        ]
