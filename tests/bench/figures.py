"""A measured figure beside its budget."""

from __future__ import annotations

import os
from dataclasses import dataclass


def user_environment(**more: str) -> dict[str, str]:
    """This process's environment as a user's would be: with modules that stay compiled."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | more


@dataclass(frozen=True, slots=True)
class Figure:
    """``value`` in ``unit``; ``budget`` is the most it may be, the least with ``at_least``, or None.

    ``note`` gives the absolute figures behind a ratio, or why there is no value.
    """

    what: str
    value: float | None
    unit: str = "×"
    budget: float | None = None
    at_least: bool = False
    note: str = ""

    @property
    def kept(self) -> bool | None:
        """Whether the budget is kept; None where there is no budget or no value."""
        if self.value is None or self.budget is None:
            return None
        return self.value >= self.budget if self.at_least else self.value <= self.budget

    def line(self) -> str:
        mark = {True: "ok  ", False: "OVER", None: "    "}[self.kept]
        value = "–" if self.value is None else f"{self.value:.2f} {self.unit}"
        sign = "≥" if self.at_least else "≤"
        budget = "" if self.budget is None else f"{sign} {self.budget:g} {self.unit}"
        return f"{mark} {self.what:<52} {value:>12}  {budget:<10} {self.note}"
