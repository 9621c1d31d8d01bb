"""What is on the screen, and what the keys do."""
