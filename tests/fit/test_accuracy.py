"""Estimates against what real processes take: the short form of ``python -m tests.bench fit``."""

from __future__ import annotations

import sys

import pytest

from llmstack_tui.engine.process.requirements import missing_reason
from tests.bench.fit import SMALL_CASES, Case, rows

# Wider than the benchmark's: the interpreter and its libraries differ from one machine to the next.
_LEAST, _MOST = 0.95, 1.12

pytestmark = [
    pytest.mark.skipif(missing_reason() is not None, reason=str(missing_reason())),
    pytest.mark.skipif(sys.platform != "linux", reason="the terms of the process were seen on Linux"),
]


_EACH_TIME = 3
CASES = [
    pytest.param(case, id=case.name, marks=[pytest.mark.slow] if at >= _EACH_TIME else [])
    for at, case in enumerate(SMALL_CASES)
]


@pytest.mark.parametrize("case", CASES)
def test_an_estimate_is_near_what_is_used(case: Case) -> None:
    for row in rows([case]):
        assert row.value is not None
        assert _LEAST <= row.value <= _MOST, row.line()
