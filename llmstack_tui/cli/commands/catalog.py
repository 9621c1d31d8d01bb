"""``llmstack catalog``: recommended models, and which of them fit on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import asdict

from llmstack_tui.base.languages import number, tr
from llmstack_tui.base.units import bytes_text
from llmstack_tui.catalog.rules import LONG, SHORT, engine_runs, estimate, fit, hardware, search
from llmstack_tui.catalog.types import EntryKind
from llmstack_tui.cli import output
from llmstack_tui.cli.stacks import opened, read_profile

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from llmstack_tui.catalog.types import Catalog, Entry, File, Number, PublishedSpeed, Quality, Text
    from llmstack_tui.cli.parser import Parser
    from llmstack_tui.core.open import Core
    from llmstack_tui.hardware.profile import Profile


def add_options(parser: Parser) -> None:
    parser.add_argument(
        "words",
        metavar=tr("WORD"),
        nargs="*",
        help=tr("only models with all these words in their name, family, uses, licence or purpose"),
    )
    parser.add_argument(
        "--kind",
        choices=[kind.value for kind in EntryKind],
        help=tr("only models that run on this machine, in Ollama's cloud, or in both"),
    )


async def run(core: Core, options: Namespace) -> int:
    async with opened(core, ()) as stack:
        catalog = await stack.catalog.catalog()
        profile = await read_profile(stack)
    text = " ".join(options.words)
    kind = EntryKind(options.kind) if options.kind else None
    found = search(catalog.entries, text)
    entries = [entry for entry in found if kind is None or entry.kind.has(kind)]
    if options.json:
        output.write_document(document(catalog, entries, profile))
    elif len(entries) == 1:
        _write_details(catalog, entries[0], profile)
    elif entries:
        _write_table(catalog, entries, profile)
    if not entries:
        raise output.Failed(
            tr(
                "No model of the catalog has all the words {text!r}: `llmstack catalog` lists all models.",
                text=text,
            )
        )
    return 0


def _write_table(catalog: Catalog, entries: Sequence[Entry], profile: Profile) -> None:
    heads = [
        tr("NAME"),
        tr(">PARAMETERS"),
        tr(">DOWNLOAD?"),
        tr(">AT 4K?"),
        tr(">AT 32K?"),
        tr("FITS HERE"),
        tr("KIND"),
        tr(">CARD?"),
        tr("SERVERS"),
        tr("GOOD FOR"),
    ]
    rows = [
        [
            entry.name,
            entry.size,
            *_memory(entry, entry.file, profile),
            tr(entry.kind),
            _card(entry),
            ", ".join(_servers(entry)),
            tr(entry.good_for),
        ]
        for entry in entries
    ]
    output.write_table(heads, rows)
    _say_what_fits(catalog, profile)


def _write_details(catalog: Catalog, entry: Entry, profile: Profile) -> None:
    output.write(f"{entry.name} ({entry.family}): {entry.good_for}")
    output.write(tr("uses: {uses}", uses=", ".join(entry.uses)))
    output.write(tr("parameters: {parameters}", parameters=entry.size))
    output.write(tr("kind: {kind}", kind=tr(entry.kind)))
    output.write(tr("servers: {servers}", servers=", ".join(_servers(entry))))
    output.write(tr("context: {count:,} tokens", count=entry.context.value))
    output.write(tr("licence: {licence}", licence=entry.license.value if entry.license else "?"))
    output.write("")
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
    if entry.qualities:
        output.write("")
        quality = [[each.benchmark, number(f"{each.value:g}")] for each in entry.qualities]
        output.write_table([tr("BENCHMARK"), tr(">PERCENT")], quality)
    if entry.speeds:
        output.write("")
        rows = [[s.card, s.quantization or "?", number(f"{s.tokens_per_second:g}")] for s in entry.speeds]
        output.write_table([tr("MEASURED ON"), tr("QUANTIZATION"), tr(">TOKENS/S")], rows)
    output.write("")
    for source in entry.sources:
        output.write(tr("source: {page}", page=catalog.page(source)))
    _say_what_fits(catalog, profile)


def _say_what_fits(catalog: Catalog, profile: Profile) -> None:
    room = tr("It is not known how much memory this machine has.")
    if profile.memory_budget is not None:
        room = tr(
            "Models have {size} of {memory} here ({profile}).",
            size=bytes_text(profile.memory_budget),
            memory=tr(profile.memory_word),
            profile=profile.name,
        )
    estimates = tr("The memory at 4k and 32k tokens is an estimate.")
    dated = tr("The tags are those of {day}.", day=catalog.tags_as_of.isoformat())
    output.inform(f"{room} {estimates} {dated}")


def _variant(entry: Entry, file: File, profile: Profile) -> list[str]:
    wants = hardware(entry, file)
    sizes = ("?" if gb is None else f"{gb} GB" for gb in (wants.card_gb, wants.ram_gb))
    return [entry.name_to_pull(file), file.quantization or "?", *_memory(entry, file, profile), *sizes]


def _in_the_cloud(entry: Entry) -> list[list[str]]:
    """The row of its cloud model, if it has one."""
    return [[entry.cloud_name, *["-"] * 4, tr(EntryKind.CLOUD), "-", "-"]] if entry.cloud_name else []


def _card(entry: Entry) -> str:
    """The smallest card that runs it."""
    wants = hardware(entry, entry.file) if entry.file else None
    return "-" if wants is None else "?" if wants.card_gb is None else f"{wants.card_gb} GB"


def _servers(entry: Entry) -> list[str]:
    return ["ollama", *(["engine"] if engine_runs(entry) else [])]


def _memory(entry: Entry, file: File | None, profile: Profile) -> list[str]:
    """The cells of a file: its download, its memory with 4k and 32k tokens, and whether it fits here."""
    if file is None:
        return [*["-"] * 3, tr(EntryKind.CLOUD)]
    sizes = ["-" if size is None else bytes_text(size) for size in (file.bytes, *_bytes(entry, file))]
    return [*sizes, tr(fit(entry, file, profile.memory_budget))]


def _bytes(entry: Entry, file: File) -> tuple[int | None, int | None]:
    """The memory with 4k and 32k tokens; None if unknown, or if the model does not take 32k."""
    short, long = estimate(entry, file, SHORT), estimate(entry, file, LONG)
    reaches = entry.context.value >= LONG
    return short.total if short else None, long.total if long and reaches else None


def document(catalog: Catalog, entries: Sequence[Entry], profile: Profile) -> dict[str, object]:
    return {
        "tags_as_of": catalog.tags_as_of.isoformat(),
        "profile": profile.name,
        "memory_budget": profile.memory_budget,
        "models": [_entry(catalog, entry, profile.memory_budget) for entry in entries],
    }


def _entry(catalog: Catalog, entry: Entry, budget: int | None) -> dict[str, object]:
    def sourced(known: Text | Number | PublishedSpeed | Quality | None) -> dict[str, object] | None:
        return None if known is None else asdict(known) | {"source": catalog.page(known.source)}

    def file(file: File) -> dict[str, object]:
        at_4k, at_32k = _bytes(entry, file)
        return {
            "name": entry.name_to_pull(file),
            "quantization": file.quantization,
            "download": file.bytes,
            "rounded": file.rounded,
            "source": catalog.page(file.source),
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
        "servers": _servers(entry),
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
