"""How things are drawn: glyphs, figures, bars."""
