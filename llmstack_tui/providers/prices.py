"""What a request costs in money."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from llmstack_tui.providers.usage import Usage

# What genai-prices calls them.
_NAMES = {"gemini": "google"}


class Cost(Struct, frozen=True, kw_only=True):
    """Dollars for the prompt and for the answer.

    Attributes:
        prices_from: the list and its version, such as ``genai-prices 0.2.3``, which tells its day.
    """

    prompt_usd: Decimal
    answer_usd: Decimal
    prices_from: str = ""

    @property
    def usd(self) -> Decimal:
        """Dollars in all."""
        return self.prompt_usd + self.answer_usd


NOTHING = Cost(prompt_usd=Decimal(0), answer_usd=Decimal(0))
"""What a local model costs."""


def cost(provider: str, model: str, usage: Usage) -> Cost | None:
    """What a request to a cloud cost, by the list that genai-prices has with it; nothing is asked for.

    None where the extra ``cloud`` is not installed, the model is not on the list, or how many tokens it were
    is not known.
    """
    if usage.prompt_tokens is None or usage.answer_tokens is None:
        return None
    try:
        import genai_prices  # noqa: PLC0415  # a quarter of a second
    except ImportError:
        return None
    read = usage.prompt_tokens if usage.evaluated_tokens is None else usage.evaluated_tokens
    tokens = genai_prices.Usage(
        input_tokens=usage.prompt_tokens,
        cache_read_tokens=max(usage.prompt_tokens - read, 0),
        output_tokens=usage.answer_tokens,
    )
    try:
        price = genai_prices.calc_price(tokens, model, provider_id=_NAMES.get(provider, provider))
    except (LookupError, ValueError):
        return None
    list_name = f"genai-prices {genai_prices.__version__}"
    return Cost(prompt_usd=price.input_price, answer_usd=price.output_price, prices_from=list_name)
