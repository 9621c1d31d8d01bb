"""The engine's own process: its main program, and how to start, find and stop it."""
