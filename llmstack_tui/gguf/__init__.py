"""GGUF files: what their headers say, read without loading anything."""
