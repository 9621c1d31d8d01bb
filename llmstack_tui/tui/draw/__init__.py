"""Drawing shared by the screens: marks, figures, text."""
