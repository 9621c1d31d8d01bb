"""A breaker: who has failed several times in a row is left alone for a while, then tried with one request."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.structs import replace
from llmstack_tui.providers import errors

if TYPE_CHECKING:
    from collections.abc import Callable

# The others are about the request or the account: another request may well be answered.
_COUNTED = (errors.NotReachable, errors.Overloaded, errors.TooMany, errors.BadAnswer)


class BreakerRules(Struct, frozen=True, kw_only=True):
    """Open after so many failures in a row, for so many seconds."""

    failures: int = 3
    rest_s: float = 30.0


class BreakerState(Struct, frozen=True, kw_only=True):
    """Attributes:
    failures: in a row.
    open_until_s: seconds of the clock up to which nobody is let through; None where everybody is.
    """

    failures: int = 0
    open_until_s: float | None = None


def admits(state: BreakerState, now_s: float) -> bool:
    """Whether a request may be tried."""
    return state.open_until_s is None or now_s >= state.open_until_s


def tried(state: BreakerState, rules: BreakerRules, now_s: float) -> BreakerState:
    """After a request was let through: of one that rests, all others wait for how this one ends."""
    return state if state.open_until_s is None else replace(state, open_until_s=now_s + rules.rest_s)


def failed(state: BreakerState, rules: BreakerRules, now_s: float) -> BreakerState:
    failures = state.failures + 1
    rests = failures >= rules.failures
    return BreakerState(failures=failures, open_until_s=now_s + rules.rest_s if rests else None)


class Breaker:
    """The breaker of one provider.

    Args:
        clock: returns seconds.
    """

    def __init__(
        self, rules: BreakerRules | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rules = rules or BreakerRules()
        self._clock = clock
        self.state = BreakerState()

    def admits(self) -> bool:
        return admits(self.state, self._clock())

    def tried(self) -> None:
        self.state = tried(self.state, self._rules, self._clock())

    def succeeded(self) -> None:
        self.state = BreakerState()

    def failed(self, error: errors.ProviderError) -> None:
        if isinstance(error, errors.CannotDo):
            return  # Nothing was sent.
        if isinstance(error, _COUNTED):
            self.state = failed(self.state, self._rules, self._clock())
        else:
            self.succeeded()
