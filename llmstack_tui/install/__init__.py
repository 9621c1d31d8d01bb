"""Gets Ollama, or what the built-in engine needs, onto this machine, and chooses between versions."""
