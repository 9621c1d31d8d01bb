"""Reading the catalog that the package carries."""

from __future__ import annotations

from importlib import resources

import msgspec

from llmstack_tui.catalog.types import Catalog


def load_catalog() -> Catalog:
    """All of it. Takes some 30 ms, so it is read when it is looked at, and not on an event loop."""
    content = resources.files("llmstack_tui").joinpath("data", "catalog.toml").read_bytes()
    return msgspec.toml.decode(content, type=Catalog)
