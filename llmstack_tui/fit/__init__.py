"""Whether a model fits: estimates of its memory, compared with the room that a machine has."""
