"""What the variables of Ollama mean, as plain functions."""
