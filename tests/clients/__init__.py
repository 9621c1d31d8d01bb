"""Clients that others wrote, in the versions of the extra ``clients``: each talks to the built-in engine.

They are no part of the usual tests: ``pytest -W default tests/clients`` asks for them by name (what those
packages warn of is theirs). Nothing is skipped here: a package that is not installed is a failure.
"""
