"""What every room may use: it knows none of them."""
