"""What is in the engine's models folder, as lines. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.text import clean
from llmstack_tui.base.units import bytes_text
from llmstack_tui.tui.draw.text import lines_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from llmstack_tui.library.disk import FolderUse, Leftover

_NAME = 300


class DiskRow(Struct, frozen=True, kw_only=True):
    """A line: a name, sizes, and a remark."""

    key: str
    name: str
    size: str = ""
    shared: str = ""
    alone: str = ""
    note: str = ""
    removable: bool = False
    is_heading: bool = False


def disk_rows(use: FolderUse) -> Iterator[DiskRow]:
    """The models by their size, and then what no model uses."""
    yield DiskRow(key="models", name="Models", size="Size", shared="Shared", alone="Alone", is_heading=True)
    for model in sorted(use.models, key=lambda model: -model.size):
        missing = f"{model.missing} of its files missing" if model.missing else ""
        yield DiskRow(
            key=f"model {model.name}",
            name=clean(model.name, limit=_NAME),
            size=bytes_text(model.size),
            shared=bytes_text(model.shared) if model.shared else "",
            alone=bytes_text(model.alone),
            note=missing,
        )
    if not use.models:
        yield DiskRow(key="none", name="No model is here.")
    yield DiskRow(key="leftovers", name="Used by no model", is_heading=True)
    for leftover in use.leftovers:
        kind = {"orphan": "whole file", "partial": "unfinished"}[leftover.kind.value]
        note = f"kept: {leftover.kept}" if leftover.kept else f"{kind}, goes with a clean-up"
        yield DiskRow(
            key=f"file {leftover.path.name}",
            name=clean(leftover.path.name, limit=_NAME),
            size=bytes_text(leftover.size),
            note=note,
            removable=not leftover.kept,
        )
    if not use.leftovers:
        yield DiskRow(key="nothing", name="Nothing: all of it is in use.")
    for path in use.unreadable:
        yield DiskRow(
            key=f"unreadable {path}",
            name=clean(str(path), limit=_NAME),
            note="no manifest that can be read: nothing is removed while it is there",
        )


def disk_title(use: FolderUse) -> str:
    free = sum(leftover.size for leftover in use.removable)
    could = f", {bytes_text(free)} to be freed" if free else ""
    return f"Disk  {bytes_text(use.size)} in {clean(str(use.path), limit=120)}{could}"


def clean_text(chosen: Sequence[Leftover]) -> str:
    """What a clean-up would remove."""
    named = lines_text(
        [f"{clean(each.path.name, limit=40)}  {bytes_text(each.size)}, {each.kind}" for each in chosen]
    )
    return f"{named}\n\nNo model names them. This frees {bytes_text(sum(each.size for each in chosen))}."
