"""Who can ask for something. Alone here, because every command imports it."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Known(StrEnum):
    """Words of which a newer version may know more."""

    @classmethod
    def _missing_(cls, value: object) -> Self:
        return cls("unknown")


class Actor(Known):
    """Who asked. CLIENT is another program, of which nothing more is known."""

    USER = "user"
    CLI = "cli"
    GUARD = "guard"
    CLIENT = "client"
    UNKNOWN = "unknown"
