"""GGUF files: their headers, read and checked without loading the weights."""
