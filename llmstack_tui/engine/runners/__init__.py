"""One process for each loaded model, and which of them there are."""
