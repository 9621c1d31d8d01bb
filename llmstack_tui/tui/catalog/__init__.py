"""Models worth having."""

from __future__ import annotations

from textual.binding import Binding

from llmstack_tui.tui.shell import Feature

KEYS = [
    Binding("enter", "open", "Open", id="catalog.open", tooltip="The variants of the model, and its tags"),
    Binding("p", "pull", "Pull", id="catalog.pull", tooltip="Download the model, after a question"),
    # Priority: else what is typed right after it is sent to the list, which still has the focus.
    Binding(
        "slash", "search", "Search", id="catalog.search", priority=True,
        tooltip="List only the models that have these words in name, family, use, licence or purpose",
    ),
    Binding(
        "f", "filter", "Filter by use", id="catalog.use",
        tooltip="List only models for general use, code, reasoning, vision, embedding, or small ones",
    ),
    Binding(
        "o", "sort", "Sort", id="catalog.sort",
        tooltip="Sort by the next column; after the last one, what is recommended first",
    ),
    Binding("O", "reverse", "Reverse", show=False, id="catalog.reverse", tooltip="Reverse the order"),
    Binding(
        "escape", "back", "Back", show=False, id="catalog.back",
        tooltip="Show all models again; then back to the installed ones",
    ),
]  # fmt: skip
ENTRY_KEYS = [
    Binding("enter,p", "pull", "Pull", id="entry.pull", tooltip="Download this variant, after a question"),
    Binding("r", "ask", "Ask again", id="entry.ask", tooltip="Ask the registry again now"),
    Binding("escape,q", "close", "Back", id="entry.close", tooltip="Back to the catalog"),
]  # fmt: skip

FEATURE = Feature(
    name="catalog",
    label="Catalog",
    keys={"Keys of the catalog": KEYS, "Keys in one entry of the catalog": ENTRY_KEYS},
    opened_by=Binding(
        "3", "open('catalog')", "Catalog", show=False, id="app.catalog",
        tooltip="Models worth having, what they take, and which of them fit here",
    ),
    is_tab=True,
    screen="screen.CatalogScreen",
)  # fmt: skip
