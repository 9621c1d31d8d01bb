"""Pins, holding, and the limit of loaded models."""
