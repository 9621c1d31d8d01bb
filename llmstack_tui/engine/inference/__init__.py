"""From a request to llama.cpp and back."""
