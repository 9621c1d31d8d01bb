"""``llmstack catalog``: recommended models, and which of them fit on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import asdict

from llmstack_tui.base.languages import number, tr
from llmstack_tui.base.units import bytes_text
from llmstack_tui.catalog.rules import LONG, SHORT, estimate, fit, search
from llmstack_tui.cli import output
from llmstack_tui.cli.stacks import opened, read_profile

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from llmstack_tui.catalog.types import Catalog, Entry, File, Number, PublishedSpeed, Text
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


async def run(core: Core, options: Namespace) -> int:
    async with opened(core, ()) as stack:
        catalog = await stack.catalog.catalog()
        profile = await read_profile(stack)
    text = " ".join(options.words)
    entries = search(catalog.entries, text)
    if options.json:
        output.write_document(document(catalog, entries, profile))
    elif len(entries) == 1:
        _write_details(catalog, entries[0], profile)
    elif entries:
        _write_table(entries, profile)
    if not entries:
        raise output.Failed(
            tr(
                "No model of the catalog has all the words {text!r}: `llmstack catalog` lists all models.",
                text=text,
            )
        )
    return 0


def _write_table(entries: Sequence[Entry], profile: Profile) -> None:
    heads = [
        tr("NAME"),
        tr(">PARAMETERS"),
        tr(">DOWNLOAD?"),
        tr(">AT 4K?"),
        tr(">AT 32K?"),
        tr("FITS HERE"),
        tr("GOOD FOR"),
    ]
    rows = [
        [entry.name, entry.parameters.value, *_memory(entry, entry.file, profile), entry.good_for]
        for entry in entries
    ]
    output.write_table(heads, rows)
    _say_what_fits(profile)


def _write_details(catalog: Catalog, entry: Entry, profile: Profile) -> None:
    output.write(f"{entry.name} ({entry.family}): {entry.good_for}")
    output.write(tr("uses: {uses}", uses=", ".join(entry.uses)))
    output.write(tr("parameters: {parameters}", parameters=entry.parameters.value))
    output.write(tr("context: {count:,} tokens", count=entry.context.value))
    output.write(tr("licence: {licence}", licence=entry.license.value if entry.license else "?"))
    output.write("")
    output.write_table(
        [tr("PULL"), tr("QUANTIZATION"), tr(">DOWNLOAD"), tr(">AT 4K"), tr(">AT 32K"), tr("FITS HERE")],
        [
            [entry.name_to_pull(file), file.quantization or "?", *_memory(entry, file, profile)]
            for file in entry.files
        ],
    )
    if entry.speeds:
        output.write("")
        rows = [[s.card, s.quantization or "?", number(f"{s.tokens_per_second:g}")] for s in entry.speeds]
        output.write_table([tr("MEASURED ON"), tr("QUANTIZATION"), tr(">TOKENS/S")], rows)
    output.write("")
    for source in _sources(entry):
        output.write(tr("source: {page}", page=catalog.page(source)))
    _say_what_fits(profile)


def _sources(entry: Entry) -> list[str]:
    """All sources of the entry, without duplicates."""
    figures = (entry.parameters, entry.license, entry.context, entry.attention, *entry.files, *entry.speeds)
    return list(dict.fromkeys(figure.source for figure in figures if figure is not None))


def _say_what_fits(profile: Profile) -> None:
    room = tr("It is not known how much memory this machine has.")
    if profile.memory_budget is not None:
        room = tr(
            "Models have {size} of {memory} here ({profile}).",
            size=bytes_text(profile.memory_budget),
            memory=tr(profile.memory_word),
            profile=profile.name,
        )
    output.inform(f"{room} {tr('The memory at 4k and 32k tokens is an estimate.')}")


def _memory(entry: Entry, file: File, profile: Profile) -> list[str]:
    """The cells of a file: its download, its memory with 4k and 32k tokens, and whether it fits here."""
    sizes = ["-" if size is None else bytes_text(size) for size in (file.bytes, *_bytes(entry, file))]
    return [*sizes, tr(fit(entry, file, profile.memory_budget))]


def _bytes(entry: Entry, file: File) -> tuple[int | None, int | None]:
    """The memory with 4k and 32k tokens; None if unknown, or if the model does not take 32k."""
    short, long = estimate(entry, file, SHORT), estimate(entry, file, LONG)
    reaches = entry.context.value >= LONG
    return short.total if short else None, long.total if long and reaches else None


def document(catalog: Catalog, entries: Sequence[Entry], profile: Profile) -> dict[str, object]:
    return {
        "profile": profile.name,
        "memory_budget": profile.memory_budget,
        "models": [_entry(catalog, entry, profile.memory_budget) for entry in entries],
    }


def _entry(catalog: Catalog, entry: Entry, budget: int | None) -> dict[str, object]:
    def sourced(known: Text | Number | PublishedSpeed | None) -> dict[str, object] | None:
        return None if known is None else asdict(known) | {"source": catalog.page(known.source)}

    def file(file: File) -> dict[str, object]:
        at_4k, at_32k = _bytes(entry, file)
        return {
            "name": entry.name_to_pull(file),
            "quantization": file.quantization,
            "download": file.bytes,
            "rounded": file.rounded,
            "source": catalog.page(file.source),
            "memory": {"4096": at_4k, "32768": at_32k, "basis": "estimate"},
            "fit": fit(entry, file, budget).name.lower(),
        }

    return {
        "name": entry.name,
        "family": entry.family,
        "uses": entry.uses,
        "good_for": entry.good_for,
        "priority": entry.priority,
        "parameters": sourced(entry.parameters),
        "license": sourced(entry.license),
        "context": sourced(entry.context),
        "files": [file(each) for each in entry.files],
        "speeds": [sourced(each) for each in entry.speeds],
    }
