"""Completions and embeddings: from a request to llama.cpp and back."""
