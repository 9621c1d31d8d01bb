"""One GGUF file behind a small HTTP API, without any other set-up: ``llmstack engine run --gguf FILE``."""
