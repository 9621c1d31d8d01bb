"""The machine's main memory."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Memory:
    """Main memory in bytes; ``used`` is what cannot be had without taking it from a program."""

    total: int
    used: int

    @property
    def percent(self) -> float:
        """Used of total, 0 to 100."""
        return 100 * self.used / self.total if self.total else 0.0


def read_memory() -> Memory:
    """The memory that this process may use: the machine's, or less where its container has a limit."""
    raise NotImplementedError
