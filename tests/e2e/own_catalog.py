"""``python -m tests.e2e.own_catalog NAME SIZE``: the dashboard with a catalog of one model.

The catalog in the package names models of registries that no test asks.
"""

from __future__ import annotations

import sys

from llmstack_tui.__main__ import main
from llmstack_tui.base.structs import replace
from llmstack_tui.catalog import service
from llmstack_tui.catalog.types import Attention, Catalog, Text
from tests.support.catalogs import catalog_of

_CACHE = Attention(layers=1, kv_heads=1, key=8, value=8, source="tests")


def catalog(name: str, size: int) -> Catalog:
    found = catalog_of(name, size)
    (entry,) = found.entries
    runs_here = replace(entry, attention=_CACHE, architecture=Text("llama", "tests"))
    return replace(found, entries=(runs_here,))


if __name__ == "__main__":
    _, name, size = sys.argv
    sys.argv[1:] = []
    service.load_catalog = lambda: catalog(name, int(size))
    sys.exit(main())
