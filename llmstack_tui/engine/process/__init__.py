"""The engine as a process: start, find, stop, and how it runs."""
