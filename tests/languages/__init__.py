"""The languages of the program: which texts it shows, and whether each has its translation."""
