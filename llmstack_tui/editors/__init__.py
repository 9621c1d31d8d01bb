"""The settings with which editors and agents use a model of a server, and a test of them."""
