"""The SQLite file: opening it, its shape, one connection, what is forgotten."""
