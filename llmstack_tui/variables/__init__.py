"""The variables of a real Ollama: which are in force, where each comes from, and how one is changed."""
