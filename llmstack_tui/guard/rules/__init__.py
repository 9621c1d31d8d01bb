"""The guard's rules: what to unload, what to warn of, and why. Pure."""
