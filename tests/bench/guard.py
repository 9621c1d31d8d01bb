"""What a decision of the guard costs."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

from llmstack_tui.guard.rules.policy import decide
from llmstack_tui.guard.rules.watch import Rules
from llmstack_tui.guard.types import Limits
from tests.bench.figures import Figure
from tests.guard.rules.looks import Looks, running
from tests.guard.rules.models import loaded, too_many

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RUNS = 200
MODELS = 100


def figures() -> Iterator[Figure]:
    models = tuple(loaded(f"m{number}", number % 7, size=number) for number in range(MODELS))
    many = too_many(*models, max_loaded=50, budget=2000)
    yield Figure(f"a decision over {MODELS} models", _median_ms(lambda: decide(many)), unit="ms", budget=1.0)
    looks = Looks(Rules(limits=Limits(max_loaded=50), idle_limit_s=600.0))
    listed = [running(f"m{number}", 1e6) for number in range(MODELS)]
    look = _median_ms(lambda: looks.look(*listed))
    yield Figure(f"a look at {MODELS} loaded models", look, unit="ms", budget=None)


def _median_ms(work: Callable[[], object]) -> float:
    """Of processor time."""

    def taken() -> float:
        began = time.process_time()
        work()
        return time.process_time() - began

    return 1000 * statistics.median(taken() for _ in range(RUNS))
