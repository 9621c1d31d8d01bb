"""What can go wrong with the state file."""

from llmstack_tui.base.sentences import Failure


class StoreError(Failure):
    """Something could not be read or written. The program can go on without it."""

    title = "State not available"


class StoreFull(StoreError):
    """There is no room left on the disk."""

    title = "Disk full"


class StoreBusy(StoreError):
    """Another program kept the file locked for longer than we wait."""


class StoreDamaged(StoreError):
    """The file is not, or not wholly, an SQLite database."""


class StoreReadOnly(StoreError):
    """The file, its folder or its disk cannot be written to."""
