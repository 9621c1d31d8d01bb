"""Talks with models: sessions that are kept, branch, and can be searched, exported and imported."""
