"""Keeps the limit of loaded models, and stops those that are idle. It cuts no request."""
