"""The few lines beside the list."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from llmstack_tui.base.structs import replace
from llmstack_tui.fit.memory import Basis, Estimate
from llmstack_tui.fit.verdict import Fit, Fitted, Verdict
from llmstack_tui.hosts.errors import Unreachable
from llmstack_tui.hosts.types import ModelDetails
from llmstack_tui.lifecycle.states import ModelState, ModelStatus
from llmstack_tui.store.tables.activations import Uses
from llmstack_tui.store.tables.figures import Speed
from llmstack_tui.tui.details.cache import CachedFacts
from llmstack_tui.tui.details.pane import details_content
from llmstack_tui.tui.draw.figures import when_text
from tests.support import seeded
from tests.support.waiting import wait_until
from tests.tui.driving import dashboard

NOW = datetime(2026, 11, 21, 12, 1, tzinfo=UTC)
MODEL = seeded.model("a:latest")


def status(**changes: object) -> ModelStatus:
    found = ModelStatus(seeded.URL, MODEL.name, ModelState.INACTIVE, MODEL, None)
    return replace(found, **changes)  # type: ignore[arg-type]


def speed(tokens_per_second: float | None = 41.234, first_token: float | None = 0.42) -> Speed:
    return Speed(
        at=NOW,
        host=seeded.URL,
        model=MODEL.name,
        tokens_per_second=tokens_per_second,
        first_token=None if first_token is None else timedelta(seconds=first_token),
    )


def lines(about: CachedFacts | None) -> list[str]:
    return [" ".join(line.split()) for line in details_content(about).plain.splitlines()]


def test_a_verdict_is_wrapped_rather_than_cut() -> None:
    estimate = Estimate(total=4_000_000_000, basis=Basis.FORMULA, parts=None, context_length=4096)
    verdict = Verdict(fit=Fit.PARTLY, tight=False, left=0)
    about = CachedFacts(status(), fitted=Fitted(estimate, verdict), now=NOW)
    shown = details_content(about, 40).plain.splitlines()
    first = next(index for index, line in enumerate(shown) if line.startswith("Needs"))
    assert shown[first : first + 2] == ["Needs        ~4.0 GB (estimate): partly", "             on the CPU"]
    assert all(len(line) <= 40 for line in shown)


def test_how_fast_it_was_and_how_often_it_was_used() -> None:
    said = lines(CachedFacts(status(), speed=speed(), uses=Uses(12, NOW - timedelta(hours=1)), now=NOW))
    assert "Speed 41.2 tokens/s" in said
    assert "First token after 0.4 s" in said
    assert "Loaded 12 times, last at 11:01" in said


def test_what_never_was_is_left_out_rather_than_zero() -> None:
    assert not any(line.startswith(("Speed", "First", "Loaded")) for line in lines(CachedFacts(status())))
    said = lines(CachedFacts(status(), speed=speed(None), now=NOW))
    assert not any(line.startswith("Speed") for line in said)
    assert "First token after 0.4 s" in said


def test_addresses_come_before_what_is_only_good_to_know() -> None:
    said = lines(CachedFacts(status(), speed=speed(), uses=Uses(1, NOW), now=NOW))
    assert said.index(f"OpenAI API {seeded.URL}/v1") < said.index("Speed 41.2 tokens/s")
    assert said[-1] == "Loaded once, at 12:01"


def test_a_time_is_as_long_as_it_has_to_be() -> None:
    assert when_text(NOW - timedelta(hours=1), NOW) == "11:01"
    assert when_text(NOW - timedelta(days=1), NOW) == "20 Nov 12:01"
    assert when_text(NOW - timedelta(days=365), NOW) == "2025-11-21"
    assert when_text(datetime.min.replace(tzinfo=UTC), NOW).startswith(("0001", "1-"))


async def test_uses_are_looked_up_when_something_has_happened_and_only_then() -> None:
    async with dashboard() as desk:

        def asked() -> int:
            return desk.stack.calls.count(("uses",))

        assert asked() == 0
        desk.stack.used = {"qwen2.5-coder:7b": Uses(7, datetime.now(UTC))}
        desk.stack.put(replace(desk.stack.state, last_event_id=5))
        await desk.until_shown("7 times, last")
        for used in range(5):
            ram = replace(seeded.RAM, used=used)
            desk.stack.put(replace(desk.stack.state, machine=seeded.machine(ram=ram)))
            await wait_until(lambda: desk.app.view.state is desk.stack.state)
        assert asked() == 1
        desk.stack.used = {"qwen2.5-coder:7b": Uses(8, datetime.now(UTC))}
        desk.stack.put(replace(desk.stack.state, last_event_id=6))
        await wait_until(lambda: asked() == 2)
        await desk.until_shown("8 times, last")


async def test_another_version_under_the_cursor_is_asked_for_and_only_once() -> None:
    async with dashboard() as desk:

        def asked() -> int:
            return sum(call[0] == "details" for call in desk.stack.calls)

        await desk.until_shown("32,768 tokens")
        shown, *others = desk.stack.snapshot.installed
        newer = replace(shown, digest="f" * 64)
        desk.stack.told[shown.name] = ModelDetails(name=shown.name, context_length=65_536)
        before = asked()
        desk.stack.put_snapshot(replace(desk.stack.snapshot, installed=(newer, *others)))
        await desk.until_shown("65,536 tokens")
        for used in range(5):
            ram = replace(seeded.RAM, used=used)
            desk.stack.put(replace(desk.stack.state, machine=seeded.machine(ram=ram)))
            await wait_until(lambda: desk.app.view.state is desk.stack.state)
        assert asked() == before + 1


async def test_what_a_server_could_not_tell_is_asked_when_it_is_back() -> None:
    async with dashboard() as desk:
        await desk.until_shown("32,768 tokens")
        up = desk.stack.snapshot
        shown, *others = up.installed
        newer = replace(up, installed=(replace(shown, digest="f" * 64), *others))
        desk.stack.failure = Unreachable("quoted", text="Gone.", host=seeded.URL)
        desk.stack.put_snapshot(replace(newer, error=desk.stack.failure))
        await desk.until_shown("of ? tokens")
        desk.stack.failure = None
        desk.stack.put_snapshot(newer)
        await desk.until_shown("32,768 tokens")
