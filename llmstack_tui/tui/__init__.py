"""The dashboard. Everything here may know Textual; nothing outside does."""
