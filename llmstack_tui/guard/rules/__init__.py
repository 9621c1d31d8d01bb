"""What to stop, what to warn of, and why. Pure."""
