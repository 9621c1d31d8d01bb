"""What the keys ask of the guard."""
