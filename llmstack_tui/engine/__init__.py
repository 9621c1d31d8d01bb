"""The built-in server: llama.cpp behind Ollama's protocol, one process for each model."""
