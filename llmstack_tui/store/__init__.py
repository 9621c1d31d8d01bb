"""What is remembered between sessions, in one SQLite file that several programs use at once.

A new table is: a `Migration` at the end of ``migrations.MIGRATIONS``, a module with its frozen dataclass and
a class over `Database` (``put`` and ``read``), and one line in `Store`.
"""
