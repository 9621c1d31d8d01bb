"""The command line: one module per command, each with a light parser and heavy imports only when it runs."""
