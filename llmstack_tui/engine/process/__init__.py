"""The engine's own process: start, find and stop it, and what runs in it."""
