"""The log of Ollama: its lines as values, what the known ones mean, and following it where it is written."""
