"""The screen of the API keys."""
