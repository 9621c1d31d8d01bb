"""Changed copies of frozen values.

Most of what rooms hand each other is a `msgspec.Struct`: such a class is made in 0.02 ms, a data class in
one (its methods are written as text and compiled), and 150 of them stand before the first list. Data classes
are left where a field is not compared, not shown or carries words of its own, and in what a command needs to
read its arguments: `msgspec` itself takes 40 ms where nothing else is imported yet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = ["replace"]

if TYPE_CHECKING:
    # The type checker knows the fields of a struct as well as those of a data class, by this function alone.
    from dataclasses import replace
else:
    import dataclasses

    def replace(value, /, **changes):
        """A copy of a struct or a frozen data class with these fields changed."""
        if dataclasses.is_dataclass(value):
            return dataclasses.replace(value, **changes)
        from msgspec import structs  # noqa: PLC0415

        return structs.replace(value, **changes)
