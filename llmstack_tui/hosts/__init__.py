"""A server of models, as the rest of the program sees it, and what is common to all protocols."""
