"""Catalogs for tests."""

from __future__ import annotations

from datetime import date

from llmstack_tui.catalog.types import Catalog, Entry, File, Number, Text, Use


def catalog_of(name: str, size: int) -> Catalog:
    """One entry."""
    source = "https://example.org"
    entry = Entry(
        name=name,
        family="Tiny",
        uses=(Use.SMALL,),
        good_for="a test",
        priority=1,
        parameters=Text("1M", source),
        context=Number(4096, source),
        files=(File(tag="latest", bytes=size, source=source, quantization="F16"),),
    )
    return Catalog(tags_as_of=date(2026, 8, 22), sources={}, entries=(entry,))
