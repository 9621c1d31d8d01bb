"""The user's guide: a page for each topic, in every language."""
