"""What a talk shows, sends and would lose, as plain functions."""
