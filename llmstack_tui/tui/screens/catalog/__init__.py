"""Models worth having, what they take, and which of them fit here."""

from llmstack_tui.tui.screens.catalog.screen import CatalogScreen

SCREEN = CatalogScreen

__all__ = ["SCREEN", "CatalogScreen"]
