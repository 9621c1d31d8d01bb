"""What is out of date, and what could not be found out."""
