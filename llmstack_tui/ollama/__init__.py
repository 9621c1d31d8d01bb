"""Ollama's protocol: names, types, the client of a server."""
