"""Questions, forms and waits."""
