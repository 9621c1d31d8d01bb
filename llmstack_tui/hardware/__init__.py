"""The machine: its memory, cards and processors, how much of them is in use, and its profile."""
