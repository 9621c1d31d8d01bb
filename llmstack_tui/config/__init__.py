"""The settings: from a TOML file, overridden by the environment, overridden by the command line.

Mistakes are never fatal: each is reported in a sentence that names its place, and the rest applies.
"""
