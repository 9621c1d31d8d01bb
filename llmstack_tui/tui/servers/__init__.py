"""Which servers the dashboard follows, and how they are told apart."""
