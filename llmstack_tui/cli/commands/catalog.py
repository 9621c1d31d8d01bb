"""``llmstack catalog``: recommended models, and which of them fit on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.languages import number, tr
from llmstack_tui.base.units import bytes_text
from llmstack_tui.catalog.rules import hardware, search
from llmstack_tui.catalog.types import EntryKind
from llmstack_tui.cli import online, output
from llmstack_tui.cli.entries import entry_document, memory_cells, servers, write_variants
from llmstack_tui.cli.online import MOST, USUAL
from llmstack_tui.cli.options import count
from llmstack_tui.cli.stacks import opened, read_profile

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from llmstack_tui.catalog.types import Catalog, Entry
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
    parser.add_argument(
        "--online",
        action="store_true",
        help=tr(
            "search Hugging Face for GGUF files with these words in their names, which is asked only then"
        ),
    )
    parser.add_argument(
        "--limit",
        metavar="N",
        type=count,
        default=USUAL,
        help=tr(
            "look into N of what --online finds, at most {most} (default: {usual})", most=MOST, usual=USUAL
        ),
    )


async def run(core: Core, options: Namespace) -> int:
    if options.online:
        await online.search(core, options)
        return 0
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
            *memory_cells(entry, entry.file, profile),
            tr(entry.kind),
            _card(entry),
            ", ".join(servers(entry)),
            tr(entry.good_for),
        ]
        for entry in entries
    ]
    output.write_table(heads, rows)
    _say_what_fits(catalog, profile)


def _write_details(catalog: Catalog, entry: Entry, profile: Profile) -> None:
    output.write(f"{entry.name} ({entry.family}): {tr(entry.good_for)}")
    output.write(tr("uses: {uses}", uses=", ".join(map(tr, entry.uses))))
    output.write(tr("parameters: {parameters}", parameters=entry.size))
    output.write(tr("kind: {kind}", kind=tr(entry.kind)))
    output.write(tr("servers: {servers}", servers=", ".join(servers(entry))))
    if entry.most_tokens:
        output.write(tr("context: {count:,} tokens", count=entry.most_tokens))
    output.write(tr("licence: {licence}", licence=entry.license.value if entry.license else "?"))
    output.write("")
    write_variants(entry, profile)
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


def _card(entry: Entry) -> str:
    """The smallest card that runs it."""
    wants = hardware(entry, entry.file) if entry.file else None
    return "-" if wants is None else "?" if wants.card_gb is None else f"{wants.card_gb} GB"


def document(catalog: Catalog, entries: Sequence[Entry], profile: Profile) -> dict[str, object]:
    return {
        "tags_as_of": catalog.tags_as_of.isoformat(),
        "profile": profile.name,
        "memory_budget": profile.memory_budget,
        "models": [entry_document(entry, profile.memory_budget, catalog.page) for entry in entries],
    }
