"""How things are drawn: marks, figures, text."""
