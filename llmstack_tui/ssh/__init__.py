"""Servers on other machines, reached through SSH."""
