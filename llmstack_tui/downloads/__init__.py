"""Pulls of models: a queue that all running programs share, and the one program that works through it."""
