"""Keys: rules by values, files for real, keyrings that fail."""
