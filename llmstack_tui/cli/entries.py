"""Entries of a catalog on the terminal: their variants as a table, and as a document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import asdict

from llmstack_tui.base.languages import tr
from llmstack_tui.base.units import bytes_text
from llmstack_tui.catalog.rules import LONG, SHORT, engine_runs, estimate, fit, hardware
from llmstack_tui.catalog.types import EntryKind
from llmstack_tui.cli import output

if TYPE_CHECKING:
    from collections.abc import Callable

    from llmstack_tui.catalog.types import Entry, File, Number, PublishedSpeed, Quality, Text
    from llmstack_tui.hardware.profile import Profile


def write_variants(entry: Entry, profile: Profile) -> None:
    output.write_table(
        [
            tr("PULL"),
            tr("QUANTIZATION"),
            tr(">DOWNLOAD"),
            tr(">AT 4K"),
            tr(">AT 32K"),
            tr("FITS HERE"),
            tr(">CARD"),
            tr(">RAM"),
        ],
        [*(_variant(entry, file, profile) for file in entry.files), *_in_the_cloud(entry)],
    )
    if any(file.parts > 1 for file in entry.files):
        output.write(tr("What is split into several files cannot be pulled: hf.co hands it out to nobody."))


def servers(entry: Entry) -> list[str]:
    """The servers that run all of a model, by the words of ``--json``."""
    return ["ollama", *(["engine"] if engine_runs(entry) else [])]


def _variant(entry: Entry, file: File, profile: Profile) -> list[str]:
    wants = hardware(entry, file)
    sizes = ("?" if gb is None else f"{gb} GB" for gb in (wants.card_gb, wants.ram_gb))
    return [entry.name_to_pull(file), file.quantization or "?", *memory_cells(entry, file, profile), *sizes]


def _in_the_cloud(entry: Entry) -> list[list[str]]:
    """The row of its cloud model, if it has one."""
    return [[entry.cloud_name, *["-"] * 4, tr(EntryKind.CLOUD), "-", "-"]] if entry.cloud_name else []


def memory_cells(entry: Entry, file: File | None, profile: Profile) -> list[str]:
    """The cells of a file: its download, its memory with 4k and 32k tokens, and whether it fits here."""
    if file is None:
        return [*["-"] * 3, tr(EntryKind.CLOUD)]
    sizes = ["-" if size is None else bytes_text(size) for size in (file.bytes, *_bytes(entry, file))]
    return [*sizes, tr("split") if file.parts > 1 else tr(fit(entry, file, profile.memory_budget))]


def _bytes(entry: Entry, file: File) -> tuple[int | None, int | None]:
    """The memory with 4k and 32k tokens; None if unknown, or if the model does not take 32k."""
    short, long = estimate(entry, file, SHORT), estimate(entry, file, LONG)
    reaches = entry.reads(LONG)
    return short.total if short else None, long.total if long and reaches else None


def entry_document(entry: Entry, budget: int | None, page: Callable[[str], str] = str) -> dict[str, object]:
    """The document of an entry; ``page`` makes an address of a source."""

    def sourced(known: Text | Number | PublishedSpeed | Quality | None) -> dict[str, object] | None:
        return None if known is None else asdict(known) | {"source": page(known.source)}

    def file(file: File) -> dict[str, object]:
        at_4k, at_32k = _bytes(entry, file)
        return {
            "name": entry.name_to_pull(file),
            "quantization": file.quantization,
            "download": file.bytes,
            "rounded": file.rounded,
            "parts": file.parts,
            "source": page(file.source),
            "memory": {
                "4096": at_4k,
                "32768": at_32k,
                "basis": "estimate" if entry.attention else "file size",
            },
            "hardware": asdict(hardware(entry, file)),
            "fit": fit(entry, file, budget).name.lower(),
        }

    return {
        "name": entry.name,
        "family": entry.family,
        "kind": entry.kind,
        "cloud": entry.cloud_name,
        "servers": servers(entry),
        "uses": entry.uses,
        "good_for": entry.good_for,
        "priority": entry.priority,
        "parameters": sourced(entry.parameters),
        "license": sourced(entry.license),
        "context": sourced(entry.context),
        "files": [file(each) for each in entry.files],
        "speeds": [sourced(each) for each in entry.speeds],
        "quality": [sourced(each) for each in entry.qualities],
    }
