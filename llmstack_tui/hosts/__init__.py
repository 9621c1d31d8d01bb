"""A server of models, as the rest of the program sees it, whatever its protocol."""
