"""Models worth having."""

from __future__ import annotations

from llmstack_tui.tui.keys import bind, hidden
from llmstack_tui.tui.shell import Feature

KEYS = [
    bind("catalog.open", "enter", "open", "Open", "The variants of the model, and its tags"),
    bind("catalog.pull", "p", "pull", "Pull", "Download the model; asks first"),
    # Priority: otherwise the letters typed next would go to the list, which still has the focus.
    bind("catalog.search", "slash", "filter", "Search",
        "List only the models that have these words in name, family, use, licence or purpose", priority=True),
    bind("catalog.use", "f", "next_use", "Filter by use",
        "List only models for general use, code, reasoning, vision, embedding, or small ones"),
    bind("catalog.kind", "c", "next_kind", "Filter by kind",
        "List only models that run on this machine, in Ollama's cloud, or in both"),
    bind("catalog.sort", "o", "sort", "Sort",
        "Sort by the next column; after the last one, by recommendation"),
    bind("catalog.online", "n", "online", "Search online",
        "Search Hugging Face for GGUF files; it is asked only then"),
    hidden("catalog.reverse", "O", "reverse", "Reverse", "Reverse the order"),
    hidden("catalog.back", "escape", "back", "Back",
        "Show all models again; then back to the installed ones"),
]  # fmt: skip
ONLINE_KEYS = [
    bind("online.open", "enter", "open", "Open", "The quantizations of the repository, and which fit"),
    bind("online.search", "slash", "edit", "Search", "Search for other words", priority=True),
    bind("online.close", "escape", "back", "Back", "Give up what is asked; then back to the catalog"),
]  # fmt: skip
ENTRY_KEYS = [
    bind("entry.pull", "enter,p", "pull", "Pull", "Download this variant; asks first"),
    bind("entry.ask", "r", "ask", "Ask again", "Ask the registry again now"),
    bind("entry.close", "escape,q", "close", "Back", "Back to the catalog"),
]  # fmt: skip

FEATURE = Feature(
    name="catalog",
    label="Catalog",
    keys={"Keys of the catalog": KEYS, "Keys of the search online": ONLINE_KEYS,
        "Keys in one entry of the catalog": ENTRY_KEYS},
    opened_by=hidden("app.catalog", "3", "open('catalog')", "Catalog",
        "Models worth having, what they take, and which of them fit here"),
    is_tab=True,
    screen="screen.CatalogScreen",
    controller="actions.CatalogController",
)  # fmt: skip
