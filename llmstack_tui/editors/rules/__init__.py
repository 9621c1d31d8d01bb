"""Which settings each client needs, how they get into its file, and what a test of them has shown."""
