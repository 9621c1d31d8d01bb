"""Which installed models have a newer version in their registry, what changed, and what an update costs."""
