"""The guard: it keeps the limits of loaded models and unloads idle ones. It never cuts a request."""
