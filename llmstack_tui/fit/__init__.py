"""Whether a model has room: estimates of its memory, and what they say of a machine. Pure."""
