"""The command line: one module per command, each a thin user of the core."""
