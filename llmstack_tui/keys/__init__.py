"""Secrets for providers and servers: where each is kept, whether it works, and how long yet."""
