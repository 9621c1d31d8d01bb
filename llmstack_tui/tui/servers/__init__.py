"""The way to the servers."""
