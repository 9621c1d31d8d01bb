"""Figures in files of the system and in the output of other programs, which may be anything."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# No counter of a machine is larger. What is beyond it is garbage, and would overflow in a division.
_LARGEST = 2**64
_UNITS = {"": 1, "B": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


def text(path: Path) -> str:
    """The content of a small file of the system; empty when it cannot be read."""
    try:
        return path.read_text()
    except (OSError, ValueError):
        return ""


def whole(text: str) -> int | None:
    """A count such as ``17179869184``, exact at any size; None for what is no count, negative ones too."""
    digits = text.strip()
    # Not str.isdigit, which takes the digits of every script.
    return _sane(int(digits)) if re.fullmatch(r"[0-9]{1,20}", digits) else None


def size(text: str) -> int | None:
    """Bytes from ``2048.00M``, also where the locale writes ``2048,00M``; None for what is no size."""
    match = re.fullmatch(r"\s*([0-9]{1,20}(?:[.,][0-9]{1,20})?)([BKMGT]?)\s*", text)
    return _sane(int(Decimal(match[1].replace(",", ".")) * _UNITS[match[2]])) if match else None


def _sane(number: int) -> int | None:
    return number if number < _LARGEST else None
