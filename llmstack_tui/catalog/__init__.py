"""The catalog of recommended models: their figures, the memory they take, and a search."""
