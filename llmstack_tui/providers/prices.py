"""What a request costs in money."""

from __future__ import annotations

from datetime import date  # noqa: TC003  # msgspec reads the annotations
from decimal import Decimal  # noqa: TC003

from msgspec import Struct


class Cost(Struct, frozen=True, kw_only=True):
    """Dollars for the prompt and for the answer, by the price list of a day."""

    prompt_usd: Decimal
    answer_usd: Decimal
    prices_of: date | None = None

    @property
    def usd(self) -> Decimal:
        """Dollars in all."""
        return self.prompt_usd + self.answer_usd
