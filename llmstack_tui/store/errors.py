"""The errors of the state file."""

from llmstack_tui.base.sentences import Failure


class StoreError(Failure):
    """Something could not be read or written. The program works without it."""


class StoreFull(StoreError):
    """The disk is full."""


class StoreBusy(StoreError):
    """Another program kept the file locked until we gave up."""


class StoreDamaged(StoreError):
    """The file is not an SQLite database, or a damaged one."""


class StoreReadOnly(StoreError):
    """The file, its folder or its disk cannot be written to."""


class LockNotMade(StoreError):
    """A lock file could not be made. This is not a lock that another program holds: nobody has it."""
