"""Which models are suggested to somebody who has none."""

from __future__ import annotations

import pytest

from llmstack_tui.base.structs import replace
from llmstack_tui.catalog.rules import LONG, SHORT, EntryFit, engine_runs, estimate, fit, suggested
from llmstack_tui.catalog.service import load_catalog
from llmstack_tui.catalog.types import Attention, Entry, Number, Use
from tests.support.catalogs import catalog_of

GB = 10**9
# Takes 2 kB of memory for each token.
_CACHE = Attention(layers=8, kv_heads=1, key=64, value=64, source="tests")


def entry(name: str, size: int, *uses: Use, priority: int = 1) -> Entry:
    (made,) = catalog_of(name, size).entries
    return replace(made, uses=uses, priority=priority, attention=_CACHE, context=Number(LONG, "tests"))


ENTRIES = (
    entry("chat:1b", GB, Use.GENERAL, Use.SMALL, priority=2),
    entry("chat:3b", 2 * GB, Use.GENERAL, Use.SMALL),
    entry("chat:7b", 5 * GB, Use.GENERAL),
    entry("chat:70b", 40 * GB, Use.GENERAL),
    entry("code:2b", 1 * GB, Use.CODE, Use.SMALL, priority=2),
    entry("code:7b", 5 * GB, Use.CODE),
    entry("embed:1b", GB // 2, Use.EMBEDDING, Use.SMALL),
)


def test_the_largest_of_the_best_that_fits_and_a_small_one() -> None:
    found = suggested(ENTRIES, budget=8 * GB)
    assert {use: each.name for use, each in found.items()} == {
        Use.GENERAL: "chat:7b",
        Use.CODE: "code:7b",
        Use.SMALL: "chat:3b",
    }


@pytest.mark.parametrize(
    ("budget", "disk", "on_cpu", "expected"),
    [
        (100 * GB, None, False, ["chat:70b", "code:7b", "chat:3b"]),
        (4 * GB, None, False, ["chat:3b", "code:2b", "chat:1b"]),
        (3 * GB // 2, None, False, ["chat:1b", "code:2b"]),
        (GB // 4, None, False, []),
        (100 * GB, None, True, ["chat:3b", "code:2b", "chat:1b"]),
        (100 * GB, 6 * GB, False, ["chat:7b", "code:7b", "chat:3b"]),
        (100 * GB, 0, False, []),
        (None, None, False, []),
    ],
)
def test_none_that_does_not_fit(
    budget: int | None, disk: int | None, on_cpu: bool, expected: list[str]
) -> None:
    found = suggested(ENTRIES, budget=budget, disk=disk, on_cpu=on_cpu)
    assert [each.name for each in found.values()] == expected


def test_a_long_context_goes_before_a_larger_model() -> None:
    large = replace(ENTRIES[2], attention=replace(_CACHE, layers=80))
    short = estimate(large, large.files[0], SHORT)
    assert short is not None
    assert fit(large, large.file, short.total) is EntryFit.SHORT
    assert suggested((large,), budget=short.total)[Use.GENERAL] is large
    assert suggested((*ENTRIES[:2], large), budget=short.total)[Use.GENERAL].name == "chat:3b"


@pytest.mark.parametrize("budget", [GB, 2 * GB, 4 * GB, 8 * GB, 12 * GB, 24 * GB, 80 * GB])
@pytest.mark.parametrize("on_cpu", [False, True])
@pytest.mark.parametrize("builtin", [False, True])
def test_the_catalog_has_three_for_every_machine(budget: int, on_cpu: bool, builtin: bool) -> None:
    entries = [each for each in load_catalog().entries if engine_runs(each) or not builtin]
    found = suggested(entries, budget=budget, on_cpu=on_cpu)
    assert [*found] == [Use.GENERAL, Use.CODE, Use.SMALL]
    assert len({each.name for each in found.values()}) == 3
    for use, each in found.items():
        assert use in each.uses
        assert Use.EMBEDDING not in each.uses
        assert fit(each, each.file, budget) in {EntryFit.LONG, EntryFit.SHORT}
