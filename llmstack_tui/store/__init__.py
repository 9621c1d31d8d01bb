"""What is remembered between sessions, in one SQLite file that several programs use at once.

A new table takes a `Migration` at the end of ``migrations.MIGRATIONS``, a module with a frozen struct for its
rows and a `Table` with its statements, and one line in `Store`.
"""
