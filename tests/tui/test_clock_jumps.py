"""A wall clock that is set while the dashboard runs: nothing is shown or recorded wrongly."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast

from llmstack_tui.core.options import StackOptions
from llmstack_tui.core.stack import Stack
from llmstack_tui.lifecycle import journal, monitor, recall
from llmstack_tui.ollama.client import OllamaHost
from tests.support.fake_ollama import fake_ollama
from tests.support.waiting import wait_until
from tests.tui.driving import dashboard
from tests.tui.fakes import FakeServices, FakeStack

if TYPE_CHECKING:
    from datetime import tzinfo
    from pathlib import Path
    from typing import Self

    import pytest

HOUR = timedelta(hours=1)


class SetClock(datetime):
    """The wall clock of this machine, which somebody sets."""

    ahead = timedelta(0)

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        return cast("Self", datetime.now(tz) + cls.ahead)


async def test_a_clock_that_is_set_while_the_dashboard_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (journal, recall, monitor):
        monkeypatch.setattr(module, "datetime", SetClock)
    monkeypatch.setattr(SetClock, "ahead", timedelta(0))
    monkeypatch.setattr(journal, "_GRACE_S", 0.1)
    async with fake_ollama(mistral_7b="a", phi4_14b="b") as (fake, server):
        fake.load("mistral:7b")
        stack = Stack(
            [OllamaHost(server.url)], StackOptions(running_every_s=0.05, state_file=tmp_path / "state.db")
        )
        services = FakeServices(cast("FakeStack", stack))
        async with dashboard(services=services, clock=lambda: SetClock.now().astimezone()) as desk:

            async def looked() -> None:
                asked = len(server.requests)
                await wait_until(lambda: len(server.requests) > asked + 6)
                desk.app.screens.draw()
                await desk.pilot.pause()

            def row(name: str):  # type: ignore[no-untyped-def]
                return next(row for row in desk.app.models.list.models if row.name == name)

            def check(leaves: str) -> None:
                mistral = row("mistral:7b")
                assert re.fullmatch(r"idle 0:\d\d\+?", mistral.word), mistral.word
                assert re.fullmatch(leaves, mistral.leaves), mistral.leaves
                assert fake.loaded[0] == "mistral:7b"

            await wait_until(lambda: row("mistral:7b").word.startswith("idle"))
            await desk.press("down")
            for ahead in (HOUR, timedelta(0), -HOUR, timedelta(0)):
                SetClock.ahead = ahead
                await looked()
                check(r"[45]:\d\d")
                await desk.press("a")
                await wait_until(lambda: desk.word("phi4:14b").startswith(("idle", "active")))
                check(r"[45]:\d\d")
                await desk.press("d")
                await wait_until(lambda: desk.word("phi4:14b") == "inactive")

            await wait_until(lambda: len(desk.kinds) >= 8, what="each act in the activity")
            assert desk.kinds == [("deactivate.gone", "phi4:14b"), ("activate.loaded", "phi4:14b")] * 4
            loads = await stack.records.activations(server.url, "phi4:14b")
            assert len(loads) == 4
            for each in loads:
                assert each.loaded_at is not None
                assert each.ended_at is not None
                assert each.started_at <= each.loaded_at <= each.ended_at
