"""Who has the memory of this machine."""
