"""Models worth having, what they take, and which of them fit here."""
