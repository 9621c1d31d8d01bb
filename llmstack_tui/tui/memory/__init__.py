"""The memory of this machine, and who has it."""
