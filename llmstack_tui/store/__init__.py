"""What is remembered between sessions, in one SQLite file that several programs use at once.

A new table is: a `Migration` at the end of ``migrations.MIGRATIONS``, a module with a frozen struct for its
rows and a `Table` (what is put, and what is read by `struct_of`), and one line in `Store`.
"""
