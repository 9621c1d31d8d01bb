"""The guard over servers that behave as Ollama does, and other clients that load and use models there."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.kinds import Actor
from llmstack_tui.base.sentences import Sentence
from llmstack_tui.base.structs import replace
from llmstack_tui.config.settings import GuardSettings
from llmstack_tui.core.options import StackOptions
from llmstack_tui.fit.verdict import Fit
from llmstack_tui.guard.types import Allow, Ask, Consent, LimitChoice, PinEffect, Refuse, Stop
from llmstack_tui.hardware.readings import Throttle
from llmstack_tui.hosts.errors import HostError, Refused
from llmstack_tui.ollama.client import OllamaHost
from llmstack_tui.store.tables.activations import Outcome
from tests.support.fake_ollama import fake_ollama
from tests.support.machine import FakeMachine
from tests.support.stacks import following
from tests.support.waiting import stays, wait_for, wait_until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from llmstack_tui.core.stack import Stack
    from llmstack_tui.guard.types import GuardState
    from llmstack_tui.store.tables.events import Event
    from tests.support.fake_ollama import FakeOllama
    from tests.support.scripted_server import ScriptedServer

    Server = tuple[FakeOllama, ScriptedServer]

ONE = GuardSettings(max_loaded=1, idle_stop=timedelta(0), others=True)
_GB = 10**9


async def anyway(_: Ask) -> LimitChoice:
    """The answer of a person who wants it loaded all the same."""
    return LimitChoice.ANYWAY


async def declined(_: Ask) -> LimitChoice:
    return LimitChoice.LEAVE


def options(settings: GuardSettings | None, **more: object) -> StackOptions:
    """Services begin at once, and everything is looked at often."""
    usual: dict[str, object] = {
        "running_every_s": 0.02,
        "machine_every_s": 0.02,
        "machine": FakeMachine(),
        "guard": settings,
        "services_after_s": 0.0,
        "guard_take_over_s": 0.05,
    }
    return StackOptions(**{**usual, **more})  # type: ignore[arg-type]


@asynccontextmanager
async def watching(url: str, settings: GuardSettings | None, **more: object) -> AsyncIterator[Stack]:
    """A stack with a guard that leads or watches."""
    async with following([OllamaHost(url)], options(settings, **more)) as stack:
        await wait_until(lambda: url in stack.state.guards and stack.state.profile is not None)
        yield stack


@asynccontextmanager
async def guarded(
    settings: GuardSettings = ONE, **more: object
) -> AsyncIterator[tuple[FakeOllama, Stack, ScriptedServer]]:
    """A guard that leads, over a server with the models a, b and c."""
    async with fake_ollama(a_1="a", b_1="b", c_1="c") as (fake, server):
        async with watching(server.url, settings, **more) as stack:
            await wait_until(lambda: state(stack).leads or state(stack).off)
            yield fake, stack, server
        await wait_until(lambda: server.open == 0, what="all connections closed")


def state(stack: Stack) -> GuardState:
    return stack.state.guards[stack.state.hosts[0].snapshot.url]


async def looks(stack: Stack, count: int = 5, url: str | None = None) -> None:
    """So many looks later."""
    watched = stack.monitors[url or stack.state.hosts[0].snapshot.url]
    for _ in range(count):
        before = watched.snapshot.read_at
        await wait_until(partial(lambda at: watched.snapshot.read_at != at, before))


async def events(stack: Stack, **more: object) -> list[Event]:
    return [*await stack.records.events(**more)]  # type: ignore[arg-type]


def unloads(server: ScriptedServer) -> int:
    return sum(request.json.get("keep_alive") == 0 for request in server.requests if request.body)


async def test_what_others_load_over_the_limit_goes_and_the_record_says_why() -> None:
    async with guarded() as (fake, stack, _):
        fake.load("a:1")
        await looks(stack)
        fake.load("b:1")
        await wait_until(lambda: fake.loaded == ["b:1"])
        await wait_until(lambda: stack.state.acts == ())
        (event,) = await events(stack, kinds=["deactivate"])
        assert (event.model, event.details["asked_by"], event.details["end"]) == ("a:1", "guard", "gone")
        assert event.reason[0] == Sentence("guard.too_many", {"count": 2, "limit": 1})
        assert not [each for each in await events(stack) if each.kind == "left"]


async def test_a_request_is_never_cut() -> None:
    async with guarded() as (fake, stack, server):
        runner = fake.begin_request("a:1")
        await looks(stack)
        fake.load("b:1")
        await wait_until(lambda: unloads(server) == 1)
        await looks(stack, 20)
        assert fake.loaded == ["a:1", "b:1"]
        assert unloads(server) == 1, "what leaves is not asked again, and nothing else in its place"
        fake.end_request(runner)
        await wait_until(lambda: fake.loaded == ["b:1"])


async def test_a_server_that_takes_its_time_is_asked_once() -> None:
    async with guarded() as (fake, stack, server):
        fake.may_leave.clear()
        fake.load("a:1")
        await looks(stack)
        fake.load("b:1")
        await wait_until(lambda: unloads(server) == 1)
        await looks(stack, 20)
        assert unloads(server) == 1
        fake.may_leave.set()
        await wait_until(lambda: fake.loaded == ["b:1"])


async def test_a_model_in_use_by_ourselves_stays() -> None:
    async with guarded() as (fake, stack, server):
        fake.load("a:1")
        with stack.monitors[server.url].using("a:1"):
            await looks(stack)
            fake.load("b:1")
            await wait_until(lambda: fake.loaded == ["a:1"])


async def test_pinned_models_stay_also_when_they_are_too_many() -> None:
    async with guarded() as (fake, stack, server):
        for name in ("a:1", "b:1"):
            fake.load(name)
            await stack.guard.pin(server.url, name)
        await wait_until(lambda: len(state(stack).pinned) == 2)
        await looks(stack, 10)
        assert fake.loaded == ["a:1", "b:1"]
        fake.load("c:1")
        await wait_until(lambda: fake.loaded == ["a:1", "b:1"])
        await wait_until(lambda: stack.state.acts == ())
        (notice,) = await events(stack, kinds=["notice"])
        assert notice.sentence == Sentence("guard.too_many_pins", {"models": ("a:1", "b:1"), "limit": 1})
        await stack.guard.pin(server.url, "a:1", pinned=False)
        await wait_until(lambda: fake.loaded == ["b:1"])


async def test_a_pin_is_for_ever_and_it_is_told_when_another_client_says_otherwise() -> None:
    async with guarded(replace(ONE, max_loaded=3)) as (fake, stack, server):
        await stack.actions.activate(server.url, "a:1")
        await stack.guard.pin(server.url, "a:1")
        assert fake.runners[0].keep_alive > timedelta(days=9999)
        await wait_until(lambda: state(stack).pinned == {"a:1"})
        assert state(stack).overridden == frozenset()
        fake.load("a:1", timedelta(minutes=5))
        await wait_until(lambda: state(stack).overridden == {"a:1"})


async def test_a_pin_sends_no_load_to_what_others_loaded() -> None:
    async with guarded() as (fake, stack, server):
        fake.load("a:1")
        await wait_until(lambda: stack.state.hosts[0].snapshot.running)
        await looks(stack)
        await stack.guard.pin(server.url, "a:1")
        assert "POST /api/generate" not in server.asked
        await wait_until(lambda: state(stack).overridden == {"a:1"})


async def test_a_pin_that_another_client_overrode_is_renewed_before_its_time_is_up() -> None:
    async with guarded(replace(ONE, max_loaded=3)) as (fake, stack, server):
        await stack.actions.activate(server.url, "a:1")
        (runner,) = fake.runners
        runner.context_length = 4096
        await stack.guard.pin(server.url, "a:1")
        await looks(stack)
        assert len(await events(stack, kinds=["activate"])) == 1, "the pin is on record, its request is not"
        sent = server.asked.count("POST /api/generate")
        fake.load("a:1", timedelta(minutes=5))
        await wait_until(lambda: state(stack).renewed == {"a:1"})
        await looks(stack, 10)
        assert server.asked.count("POST /api/generate") == sent, "there is time"
        fake.load("a:1", timedelta(seconds=40))
        await wait_until(lambda: runner.keep_alive > timedelta(days=9999))
        await wait_until(lambda: state(stack).overridden == frozenset() and stack.state.acts == ())
        assert server.asked.count("POST /api/generate") == sent + 1
        event = (await events(stack, kinds=["activate"]))[0]
        assert (event.sentence.kind, event.details["asked_by"]) == ("activate.loaded_by_guard", "guard")
        assert event.reason[0].kind == "guard.lapsing"


async def test_a_pinned_model_that_was_loaded_anew_by_another_client_is_not_loaded_again() -> None:
    async with guarded(replace(ONE, max_loaded=3)) as (fake, stack, server):
        await stack.actions.activate(server.url, "a:1")
        (runner,) = fake.runners
        runner.context_length = 4096
        await stack.guard.pin(server.url, "a:1")
        await looks(stack)
        sent = server.asked.count("POST /api/generate")
        runner.context_length = 8192
        fake.load("a:1", timedelta(seconds=40))
        await wait_until(lambda: state(stack).overridden == {"a:1"})
        await looks(stack, 10)
        assert server.asked.count("POST /api/generate") == sent


async def test_a_pinned_model_that_is_lost_is_told_and_not_loaded() -> None:
    async with guarded(replace(ONE, max_loaded=3)) as (fake, stack, server):
        await stack.actions.activate(server.url, "a:1")
        await stack.guard.pin(server.url, "a:1")
        await looks(stack)
        await stack.actions.deactivate(server.url, "a:1")
        await looks(stack, 10)
        assert await events(stack, kinds=["notice"]) == [], "its user stopped it"
        await stack.actions.activate(server.url, "a:1")
        await looks(stack)
        sent = server.asked.count("POST /api/generate")
        fake.runners.clear()  # The server was restarted.
        await looks(stack, 10)
        (notice,) = await events(stack, kinds=["notice"])
        assert notice.model == "a:1"
        assert notice.sentence == Sentence("guard.lost", {"model": "a:1"})
        assert server.asked.count("POST /api/generate") == sent


async def test_an_idle_model_goes() -> None:
    settings = GuardSettings(
        max_loaded=3, idle_stop=timedelta(seconds=0.5), others=True, models={"b:1": timedelta(0)}
    )
    async with guarded(settings) as (fake, stack, _):
        fake.load("a:1")
        fake.load("b:1")
        await wait_until(lambda: fake.loaded == ["b:1"])
        await wait_until(lambda: stack.state.acts == ())
        (event,) = await events(stack, kinds=["deactivate"])
        assert event.reason[0].kind == "guard.idle"
        await stays(lambda: fake.loaded == ["b:1"], 0.7)


async def test_an_activation_carries_the_time_that_the_model_may_be_idle() -> None:
    settings = GuardSettings(max_loaded=9, models={"b:1": timedelta(hours=1), "c:1": timedelta(0)})
    async with guarded(settings) as (fake, stack, server):
        for name in ("a:1", "b:1", "c:1"):
            await stack.actions.activate(server.url, name)
        kept = [runner.keep_alive for runner in fake.runners]
        assert kept[:2] == [timedelta(minutes=10), timedelta(hours=1)]
        assert kept[2] > timedelta(days=9999)
        await stack.actions.activate(server.url, "a:1", keep_alive=timedelta(seconds=77))
        assert fake.runners[0].keep_alive == timedelta(seconds=77)


async def test_one_more_than_the_limit_is_asked_for_and_makes_room() -> None:
    async with guarded() as (fake, stack, server):
        await stack.actions.activate(server.url, "a:1")
        await looks(stack)
        asked = await stack.guard.admissions.admit(server.url, "b:1")
        assert isinstance(asked, Ask)
        assert [stop.model for stop in asked.stops] == ["a:1"]
        assert await stack.guard.admissions.admit(server.url, "a:1") is None, "it is loaded already"
        await stack.guard.admissions.make_room(server.url, asked.stops)
        await stack.actions.activate(server.url, "b:1")
        assert fake.loaded == ["b:1"]


async def test_a_pin_counts_at_once_not_from_the_next_look_on() -> None:
    async with guarded(running_every_s=1.0) as (fake, stack, server):
        fake.load("a:1")
        await wait_until(lambda: stack.state.hosts[0].snapshot.running)
        admissions = stack.guard.admissions
        before = await admissions.admit(server.url, "b:1")
        await looks(stack, 1)
        await stack.guard.pin(server.url, "a:1")
        asked = await admissions.admit(server.url, "b:1")
        assert isinstance(before, Ask)
        assert isinstance(asked, Ask)
        assert not asked.stops
        await admissions.make_room(server.url, before.stops)
        assert fake.loaded == ["a:1"]
        await stack.guard.pin(server.url, "a:1", pinned=False)
        again = await admissions.admit(server.url, "b:1")
        assert isinstance(again, Ask)
        assert [stop.model for stop in again.stops] == ["a:1"]


async def test_what_the_settings_say_of_one_more() -> None:
    async with guarded(replace(ONE, over_limit="refuse")) as (fake, stack, server):
        await stack.actions.activate(server.url, "a:1")
        await looks(stack)
        with pytest.raises(Refused, match="refuses_more"):
            await stack.actions.activate(server.url, "b:1")
        assert fake.loaded == ["a:1"]
        (event, *_) = await events(stack, kinds=["failed"])
        assert (event.model, event.details["act"]) == ("b:1", "activate")
        stack.guard.use(replace(ONE, over_limit="stop"))
        assert await stack.actions.activate(server.url, "b:1")
        assert fake.loaded == ["b:1"]


async def test_a_person_who_is_asked_may_decline() -> None:
    async def no(asked: Ask) -> LimitChoice:
        assert [stop.model for stop in asked.stops] == ["a:1"]
        return LimitChoice.LEAVE

    async with guarded() as (fake, stack, server):
        await stack.actions.activate(server.url, "a:1")
        await looks(stack)
        known = await events(stack)
        assert not await stack.actions.activate(server.url, "b:1", confirm=no)
        assert fake.loaded == ["a:1"]
        assert await events(stack) == known, "it is no failure, and not for the record"


async def test_what_need_not_go_any_more_stays_though_it_was_agreed_to() -> None:
    async with guarded() as (fake, stack, server):
        await stack.actions.activate(server.url, "a:1")
        await looks(stack)

        async def yes(_: Ask) -> LimitChoice:
            stack.guard.use(replace(ONE, max_loaded=9))
            return LimitChoice.MAKE_ROOM

        assert await stack.actions.activate(server.url, "b:1", confirm=yes)
        assert fake.loaded == ["a:1", "b:1"]


async def test_of_several_at_once_each_counts_for_the_next() -> None:
    async with guarded() as (fake, stack, server):
        fake.may_load.clear()
        first = asyncio.create_task(stack.actions.activate(server.url, "a:1"))
        await wait_until(lambda: any(act.model == "a:1" for act in stack.state.acts))
        asked: list[Ask] = []

        async def yes(ask: Ask) -> LimitChoice:
            asked.append(ask)
            return LimitChoice.MAKE_ROOM

        second = asyncio.create_task(stack.actions.activate(server.url, "b:1", confirm=yes))
        await wait_until(lambda: asked)
        fake.may_load.set()
        await asyncio.gather(first, second)
        assert asked[0].stops == (), "what is still coming cannot be stopped for it"


async def test_one_that_is_too_large_is_asked_for_by_what_it_took_or_by_its_file() -> None:
    # The fake's models are files of 7 bytes, and take 9 in memory; none of it is on a card.
    machine = FakeMachine(has_card=False)
    async with guarded(replace(ONE, max_loaded=9, memory_budget=16), machine=machine) as (_, stack, server):
        await stack.actions.activate(server.url, "a:1")
        await looks(stack)
        asked = await stack.guard.admissions.admit(server.url, "b:1")
        assert isinstance(asked, Ask)
        assert [(stop.model, stop.cause) for stop in asked.stops] == [("a:1", "memory")]
        await stack.actions.deactivate(server.url, "a:1")
        await stack.guard.admissions.make_room(server.url, asked.stops)
        await looks(stack)
        assert await stack.guard.admissions.admit(server.url, "a:1") == Allow(), "it took 9 bytes before"


async def test_what_a_person_loads_all_the_same_is_not_the_first_to_go() -> None:
    async with guarded() as (fake, stack, server):
        fake.load("a:1")
        with stack.monitors[server.url].using("a:1"):
            await looks(stack)
            await stack.actions.activate(server.url, "b:1", confirm=anyway)
            await looks(stack, 10)
            assert fake.loaded == ["a:1", "b:1"]
        await wait_until(lambda: fake.loaded == ["b:1"])


async def test_all_that_a_person_wants_over_the_limit_stays_for_a_while() -> None:
    async with guarded() as (fake, stack, server):
        fake.load("a:1")
        await looks(stack)
        await stack.actions.activate(server.url, "b:1", confirm=anyway)
        await looks(stack, 10)
        assert fake.loaded == ["a:1", "b:1"]


async def test_what_is_wanted_over_the_limit_in_one_program_is_left_alone_by_the_guard_of_another(
    tmp_path: Path,
) -> None:
    path = tmp_path / "state.db"
    async with guarded(state_file=path) as (fake, first, server):
        fake.load("a:1")
        async with watching(server.url, ONE, state_file=path) as second:
            await wait_until(lambda: state(second).leads is False)
            await looks(second)
            await second.actions.activate(server.url, "b:1", confirm=anyway)
        await wait_until(lambda: state(first).leads)
        await looks(first, 20)
        assert fake.loaded == ["a:1", "b:1"]
        assert unloads(server) == 0
        fake.load("c:1")
        await wait_until(lambda: fake.loaded == ["a:1", "b:1"], what="the limit holds for others")
        (event,) = await events(first, kinds=["guard"])
        assert event.sentence == Sentence("guard.insisted", {"models": ("b:1", "a:1")})


async def test_what_one_program_pins_is_not_stopped_by_the_guard_of_another(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    async with guarded(state_file=path) as (fake, first, server):
        async with watching(server.url, ONE, state_file=path) as second:
            await second.actions.pin(server.url, "a:1")
        fake.load("b:1")
        await wait_until(lambda: fake.loaded == ["a:1"])
        await looks(first)
        assert [event.model for event in await events(first, kinds=["deactivate"])] == ["b:1"]


async def test_a_restart_asks_for_no_room_but_waits_until_it_is_cool() -> None:
    machine = FakeMachine()
    async with guarded(machine=machine) as (fake, stack, server):
        await stack.actions.activate(server.url, "a:1")
        await looks(stack)
        await stack.actions.activate(server.url, "b:1", confirm=anyway)
        await looks(stack)
        await stack.actions.restart(server.url, "a:1")
        assert sorted(fake.loaded) == ["a:1", "b:1"]
        machine.throttles = (Throttle.HEAT,)
        await wait_until(lambda: state(stack).heat)
        with pytest.raises(Refused, match="throttled"):
            await stack.actions.restart(server.url, "a:1")
        assert sorted(fake.loaded) == ["a:1", "b:1"], "it was not unloaded for it"


async def test_where_nobody_can_be_asked_nothing_is_loaded_over_the_limit() -> None:
    async with guarded() as (fake, stack, server):
        fake.load("a:1")
        await looks(stack)
        with pytest.raises(Refused):
            await stack.actions.activate(server.url, "b:1")
        assert fake.loaded == ["a:1"]


async def test_without_asking_nothing_of_others_is_stopped_before_that_is_allowed() -> None:
    async with guarded(replace(ONE, others=None, over_limit="stop")) as (fake, stack, server):
        fake.load("a:1")
        await looks(stack)
        with pytest.raises(Refused):
            await stack.actions.activate(server.url, "b:1")
        await stack.guard.answer(server.url, Consent.YES)
        await stack.actions.activate(server.url, "b:1")
        assert fake.loaded == ["b:1"]


async def test_a_pin_on_what_is_in_use_is_kept_when_its_request_has_ended() -> None:
    async with guarded(replace(ONE, max_loaded=3)) as (fake, stack, server):
        fake.context_length = 4096
        await stack.actions.activate(server.url, "a:1", keep_alive=timedelta(seconds=300))
        with stack.monitors[server.url].using("a:1"):
            assert await stack.actions.pin(server.url, "a:1") is PinEffect.IN_USE
            await looks(stack, 3)
            assert fake.runners[0].keep_alive == timedelta(seconds=300)
        await wait_until(lambda: fake.runners[0].keep_alive > timedelta(days=9999))


async def test_a_pin_on_what_another_program_loaded_sends_nothing_before_a_yes() -> None:
    async with guarded(replace(ONE, max_loaded=3)) as (fake, stack, server):
        fake.load("a:1", timedelta(seconds=40))
        fake.load("b:1", timedelta(days=50_000))
        await looks(stack)
        assert await stack.actions.pin(server.url, "a:1") is PinEffect.THEIRS
        assert await stack.actions.pin(server.url, "b:1") is PinEffect.KEPT
        assert not any(path == "/api/generate" for path, _ in fake.asked)
        await wait_for(lambda: stack.records.activations(server.url, "a:1"))
        assert await stack.actions.keep(server.url, "a:1")
        (body,) = (body for path, body in fake.asked if path == "/api/generate")
        assert "options" not in body
        assert fake.runners[0].keep_alive > timedelta(days=9999)
        ours, theirs = await stack.records.activations(server.url, "a:1")
        assert (ours.asked_by, ours.ended_at) == (Actor.USER, None)
        assert (theirs.asked_by, theirs.outcome) == (Actor.CLIENT, Outcome.REPLACED)
        # From now on it is a load of ours, which an unpinning ends.
        assert await stack.guard.pin(server.url, "a:1", pinned=False) is PinEffect.KEPT


async def test_a_pin_whose_load_does_not_come_about_is_taken_back() -> None:
    async with guarded() as (fake, stack, server):
        fake.load("c:1")
        await looks(stack)
        assert await stack.actions.pin(server.url, "a:1", confirm=declined) is PinEffect.NOT_LOADED
        assert not stack.guard.is_pinned(server.url, "a:1")
        fake.load_error = "no memory"
        with pytest.raises(HostError):
            await stack.actions.pin(server.url, "b:1", confirm=anyway)
        assert not stack.guard.is_pinned(server.url, "b:1")
        fake.load_error = ""
        fake.may_load.clear()
        pinning = asyncio.create_task(stack.actions.pin(server.url, "a:1", confirm=anyway))
        await wait_until(lambda: bool(stack.lifecycle.acts))
        assert stack.guard.is_pinned(server.url, "a:1")
        pinning.cancel()
        await asyncio.gather(pinning, return_exceptions=True)
        assert not stack.guard.is_pinned(server.url, "a:1")


async def test_a_pin_goes_where_its_model_goes() -> None:
    async with guarded() as (_, stack, server):
        await stack.guard.pin(server.url, "a:1")
        await stack.guard.pin(server.url, "b:1")
        await stack.actions.delete(server.url, "a:1")
        await stack.actions.rename(server.url, "b:1", "new:1")
        await wait_until(lambda: state(stack).pinned == {"new:1"})


async def test_what_got_something_to_do_since_it_was_previewed_stays() -> None:
    async with guarded() as (fake, stack, server):
        fake.load("a:1")
        await looks(stack)
        stops = (Stop("a:1", "a" * 64, None, ""),)  # type: ignore[arg-type]
        with stack.monitors[server.url].using("a:1"):
            await looks(stack)
            await stack.guard.admissions.make_room(server.url, stops)
        assert unloads(server) == 0


async def test_what_is_held_stays_and_other_programs_hear_of_it(tmp_path: Path) -> None:
    file = tmp_path / "state.db"
    async with (
        guarded(state_file=file) as (fake, stack, server),
        watching(server.url, ONE, state_file=file) as other,
    ):
        other.guard.hold(True)
        await wait_until(lambda: state(stack).held)
        fake.load("a:1")
        fake.load("b:1")
        await looks(stack, 10)
        assert fake.loaded == ["a:1", "b:1"]
        other.guard.hold(False)
        await wait_until(lambda: len(fake.loaded) == 1)


async def test_of_two_guards_one_acts_and_the_other_takes_over(tmp_path: Path) -> None:
    file = tmp_path / "state.db"
    async with fake_ollama(a_1="a", b_1="b") as (fake, server), AsyncExitStack() as leading:
        first = await leading.enter_async_context(watching(server.url, ONE, state_file=file))
        await wait_until(lambda: state(first).leads)
        async with watching(server.url, ONE, state_file=file) as second:
            await looks(second)
            assert not state(second).leads
            fake.load("a:1")
            await looks(first)
            await looks(second)
            fake.load("b:1")
            await wait_until(lambda: fake.loaded == ["b:1"])
            await looks(second, 10)
            assert unloads(server) == 1
            await leading.aclose()
            await wait_until(lambda: state(second).leads)
            fake.load("a:1")
            await wait_until(lambda: fake.loaded == ["a:1"])


async def test_a_stop_that_fails_is_not_repeated_at_every_look() -> None:
    async with guarded() as (fake, stack, server):
        fake.load("a:1")
        await looks(stack)
        fake.load("b:1")
        del fake.installed["a:1"]
        await looks(stack, 30)
        assert unloads(server) <= 2
        assert len(await events(stack, kinds=["failed"])) <= 1


async def test_other_settings_count_at_once() -> None:
    async with guarded(replace(ONE, max_loaded=3)) as (fake, stack, _):
        fake.load("a:1")
        await looks(stack)
        fake.load("b:1")
        await looks(stack)
        assert state(stack).limits.max_loaded == 3
        stack.guard.use(replace(ONE, enabled=False))
        assert state(stack).off == (Sentence("guard.disabled"),)
        stack.guard.use(ONE)
        await wait_until(lambda: fake.loaded == ["b:1"])


async def test_what_the_guard_would_ask_about_is_not_said_to_fit_now() -> None:
    async with guarded(replace(ONE, max_loaded=9)) as (fake, stack, _):

        def fit() -> Fit | None:
            fitted = stack.state.hosts[0].fits.get("b:1")
            return fitted.verdict.fit if fitted is not None and fitted.verdict is not None else None

        fake.load("a:1").size = 4 * _GB
        await wait_until(lambda: stack.fit.room().taken == 4 * _GB)
        await wait_until(lambda: fit() is Fit.NOW, timeout_s=20)
        stack.guard.use(replace(ONE, max_loaded=9, memory_budget=4 * _GB))
        await wait_until(lambda: fit() is Fit.ALONE, timeout_s=20)


async def test_without_a_setting_the_machine_sets_the_limit() -> None:
    async with guarded(GuardSettings()) as (_, stack, __):
        await wait_until(lambda: state(stack).limits.max_loaded == 2)
        assert state(stack).limits.memory_word == "VRAM"
        assert state(stack).limits.memory_budget is not None


async def test_heat_refuses_activations_and_stops_the_least_used() -> None:
    machine = FakeMachine()
    async with guarded(replace(ONE, max_loaded=3), machine=machine) as (fake, stack, server):
        fake.load("a:1")
        await looks(stack)
        machine.throttles = (Throttle.HEAT,)
        await wait_until(lambda: state(stack).heat)
        assert isinstance(await stack.guard.admissions.admit(server.url, "b:1"), Refuse)
        with pytest.raises(Refused, match=r"throttled_at.*RTX 2070.*91.*cooling"):
            await stack.actions.activate(server.url, "b:1")
        machine.throttles = ()
        await wait_until(lambda: not state(stack).heat)
        await stack.actions.activate(server.url, "b:1")
        stack.guard.use(replace(ONE, max_loaded=3, temperature_limit=90))
        await wait_until(lambda: [each.kind for each in state(stack).heat] == ["guard.too_hot"])
        assert fake.loaded == ["a:1", "b:1"], "it is not stopped at the first look"


async def test_nothing_is_done_where_nothing_may_be() -> None:
    async with guarded(read_only=True) as (fake, stack, server):
        fake.load("a:1")
        fake.load("b:1")
        await looks(stack, 10)
        assert fake.loaded == ["a:1", "b:1"]
        assert state(stack).off == (Sentence("guard.may_not_act"),)
        with pytest.raises(Refused):
            await stack.guard.pin(server.url, "a:1")


async def test_a_server_elsewhere_is_left_alone_unless_the_settings_say_otherwise() -> None:
    url = "http://192.0.2.1:1"
    async with following([OllamaHost(url)], StackOptions(running_every_s=0.02, guard=ONE)) as stack:
        stack.monitors[url].poller.snapshot = replace(stack.state.hosts[0].snapshot, read_at=1.0)
        stack.guard.on_snapshot(stack.monitors[url].snapshot)
        await wait_until(lambda: url in stack.state.guards)
        assert state(stack).off == (Sentence("guard.is_remote"),)
        assert stack.guard.keep_alive(url, "a") is None
        stack.guard.use(replace(ONE, remote=True))
        assert state(stack).off == ()
        assert stack.guard.keep_alive(url, "a") is not None


async def test_a_look_that_lies_changes_nothing() -> None:
    async with guarded() as (fake, stack, server):
        fake.load("a:1")
        await looks(stack)
        kept, fake.runners = fake.runners, []
        await looks(stack, 1)
        fake.runners = kept
        fake.down = True
        await wait_until(lambda: not stack.state.hosts[0].snapshot.reachable)
        fake.down = False
        stack.refresh()
        await wait_until(lambda: stack.state.hosts[0].snapshot.reachable)
        await looks(stack)
        assert fake.loaded == ["a:1"]
        assert unloads(server) == 0


# --- two servers of one machine ---


@asynccontextmanager
async def both(settings: GuardSettings, **more: object) -> AsyncIterator[tuple[Stack, Server, Server]]:
    """A guard of each, which lead, over two servers with the models a, b and c; each takes 9 bytes."""
    machine = FakeMachine(has_card=False)
    async with (
        fake_ollama(a_1="a", b_1="b", c_1="c") as one,
        fake_ollama(a_1="d", b_1="e", c_1="f") as two,
        following(
            [OllamaHost(one[1].url), OllamaHost(two[1].url)],
            StackOptions(running_every_s=0.02, machine_every_s=0.02, machine=machine, guard=settings, **more),  # type: ignore[arg-type]
        ) as stack,
    ):
        await wait_until(lambda: len(stack.state.guards) == 2 and stack.state.profile is not None)
        await wait_until(lambda: all(each.leads or each.off for each in stack.state.guards.values()))
        yield stack, one, two


async def looks_at_both(stack: Stack, count: int = 5) -> None:
    for url in stack.monitors:
        await looks(stack, count, url)


async def test_two_servers_of_one_machine_share_its_memory() -> None:
    budget = replace(ONE, max_loaded=9, memory_budget=20)
    async with both(budget) as (stack, (one, at_one), (two, at_two)):
        one.load("a:1")
        await looks_at_both(stack)
        two.load("a:1")
        await looks_at_both(stack)
        two.load("b:1")
        await wait_until(lambda: one.loaded == [] and stack.state.acts == ())
        await looks_at_both(stack, 20)
        assert two.loaded == ["a:1", "b:1"], "one was enough"
        assert (unloads(at_one), unloads(at_two)) == (1, 0)
        (event,) = await events(stack, kinds=["deactivate"])
        assert event.host == at_one.url
        assert "guard.elsewhere" in [each.kind for each in event.reason]


async def test_one_more_makes_room_on_the_other_server() -> None:
    async with both(replace(ONE, max_loaded=9, memory_budget=16)) as (stack, (one, at_one), (two, at_two)):
        one.load("a:1")
        await looks_at_both(stack)
        asked = await stack.guard.admissions.admit(at_two.url, "b:1")
        assert isinstance(asked, Ask)
        assert [(stop.host, stop.model) for stop in asked.stops] == [(at_one.url, "a:1")]
        await stack.guard.admissions.make_room(at_two.url, asked.stops)
        await stack.actions.activate(at_two.url, "b:1")
        assert (one.loaded, two.loaded) == ([], ["b:1"])


async def test_what_was_loaded_on_the_other_server_a_moment_ago_counts_for_one_more() -> None:
    async with both(replace(ONE, max_loaded=9, memory_budget=16)) as (stack, (_, at_one), (__, at_two)):
        stack.monitors[at_two.url].poller.visible = False  # It looks no more for a while.
        await stack.actions.activate(at_one.url, "a:1")
        asked = await stack.guard.admissions.admit(at_two.url, "b:1")
        assert isinstance(asked, Ask)
        kinds = [each.kind for each in asked.reason]
        assert kinds[:2] == ["guard.no_room", "guard.all_elsewhere"]


async def test_a_server_that_is_only_looked_at_counts_and_is_left_alone() -> None:
    async with fake_ollama(a_1="a") as (looked_at, server):
        looked_at.load("a:1")
        settings = replace(ONE, max_loaded=9, memory_budget=16)
        async with (
            fake_ollama(b_1="b", c_1="c") as (fake, own),
            following(
                [OllamaHost(server.url), OllamaHost(own.url)],
                StackOptions(
                    running_every_s=0.02,
                    machine=FakeMachine(has_card=False),
                    guard=settings,
                    look_only={server.url},
                ),
            ) as stack,
        ):
            await wait_until(lambda: own.url in stack.state.guards and stack.state.guards[own.url].leads)
            await looks_at_both(stack)
            fake.load("b:1")
            await wait_until(lambda: fake.loaded == [])
            assert looked_at.loaded == ["a:1"]
            looked_at.down = True
            await wait_until(lambda: not stack.state.hosts[0].snapshot.reachable)
            fake.load("b:1")
            await looks(stack, 10, own.url)
            assert fake.loaded == ["b:1"], "what a server holds that does not answer, nobody knows"


async def test_where_another_program_guards_one_of_them_and_knows_not_of_the_other(tmp_path: Path) -> None:
    settings = replace(ONE, max_loaded=9, memory_budget=16)
    more = {"state_file": tmp_path / "state.db", "machine": FakeMachine(has_card=False)}
    async with (
        fake_ollama(a_1="a") as (one, at_one),
        fake_ollama(b_1="b") as (two, at_two),
        watching(at_one.url, settings, **more) as first,
    ):
        await wait_until(lambda: state(first).leads)
        one.load("a:1")
        async with following(
            [OllamaHost(at_one.url), OllamaHost(at_two.url)],
            StackOptions(running_every_s=0.02, guard=settings, **more),  # type: ignore[arg-type]
        ) as stack:
            await wait_until(lambda: at_two.url in stack.state.guards)
            await wait_until(lambda: stack.state.guards[at_two.url].leads)
            two.load("b:1")
            await wait_until(lambda: two.loaded == [] and stack.state.acts == ())
            assert one.loaded == ["a:1"]
            (event,) = await events(stack, kinds=["deactivate"])
            assert event.reason[-1].kind == "guard.longest_idle_of_those"
