"""What is pulled, what waits, and what came of it."""
