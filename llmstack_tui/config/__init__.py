"""The settings: one TOML file, then the environment, then the command line.

What is wrong is never fatal: each problem becomes one sentence that names its place, and the rest applies.
"""
