"""One process for each loaded model, and the scheduler that decides which models are loaded."""
