"""What the guards of the servers of one machine decide, each for its own."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from llmstack_tui.base.structs import replace
from llmstack_tui.guard.rules.limits import neighbours
from llmstack_tui.guard.rules.policy import LOOKS, admit, decide, is_over, may_go
from llmstack_tui.guard.rules.watch import Rules
from llmstack_tui.guard.types import (
    Allow,
    Ask,
    Cause,
    Decision,
    Limits,
    LoadedModel,
    Situation,
    Stop,
    Wanted,
)
from tests.guard.rules.looks import Looks, running
from tests.guard.rules.models import GB, HOT, kinds, loaded, params, stopped
from tests.guard.rules.test_policy import MODELS

A, B = "http://127.0.0.1:1", "http://127.0.0.1:2"
EIGHT = Limits(max_loaded=2, memory_budget=8 * GB, memory_word="VRAM")
Machine = tuple[Situation, ...]


def on(host: str, name: str, used_at_s: float, size: int, **more: object) -> LoadedModel:
    return loaded(name, used_at_s, host=host, size=size, **more)


def machine(*models: LoadedModel, limits: Limits = EIGHT, looks_over: int = LOOKS) -> Machine:
    """Each host as its guard sees it."""
    return tuple(
        Situation(
            host=host,
            loaded=tuple(each for each in models if each.host == host),
            elsewhere=tuple(each for each in models if each.host != host),
            limits=limits,
            looks_over=looks_over,
        )
        for host in (A, B)
    )


def acts(hosts: Machine) -> list[tuple[Decision, ...]]:
    return [decide(each) for each in hosts]


def test_two_servers_share_the_memory_and_the_least_recently_used_of_both_goes() -> None:
    small, large, late = on(A, "small", 1, 2 * GB), on(B, "large", 2, 5 * GB), on(A, "late", 3, 3 * GB)
    at_a, at_b = acts(machine(small, large, late))
    assert (stopped(at_a), stopped(at_b)) == (["small"], [])
    assert kinds(at_a) == ["too_much", "elsewhere", "longest_idle"]
    assert (params(at_a, "too_much")["taken"], params(at_a, "elsewhere")["size"]) == (10 * GB, 5 * GB)
    assert params(at_b, "yields_elsewhere") == {"model": "small", "host": A}
    used = replace(small, sign_at_s=9.0)
    assert [stopped(each) for each in acts(machine(used, large, late))] == [[], ["large"]]


def test_what_cannot_go_elsewhere_makes_way_for_nobody() -> None:
    new = on(B, "new", 5, 6 * GB)
    for kept in ({"pinned": True}, {"busy": True}, {"spared": True}):
        old = on(A, "old", 1, 6 * GB, **kept)
        assert [stopped(each) for each in acts(machine(old, new))] == [[], ["new"]]
    leaves = on(A, "old", 1, 6 * GB, leaving_s=1.0)
    assert [stopped(each) for each in acts(machine(leaves, new))] == [[], []]
    idle = on(A, "old", 7, 6 * GB, idle_s=9.0, idle_limit_s=8.0)
    assert [stopped(each) for each in acts(machine(idle, new))] == [["old"], []]


def test_the_limit_of_models_is_one_of_each_server() -> None:
    models = [on(A, "a", 1, 1), on(A, "b", 2, 1), on(B, "c", 0, 1), on(B, "d", 4, 1)]
    assert [stopped(each) for each in acts(machine(*models))] == [[], []]
    at_a, at_b = acts(machine(*models, on(A, "e", 5, 1)))
    assert (stopped(at_a), stopped(at_b)) == (["a"], [])
    assert params(at_a, "too_many") == {"count": 3, "limit": 2}


def test_what_goes_for_the_number_of_one_server_makes_room_for_the_other() -> None:
    models = [on(A, "a", 3, 4 * GB), on(A, "b", 4, GB), on(A, "c", 5, GB), on(B, "d", 1, 4 * GB)]
    limits = replace(EIGHT, memory_budget=9 * GB)
    assert [stopped(each) for each in acts(machine(*models, limits=limits))] == [["a"], []]


def test_one_that_is_alone_on_the_machine_may_take_more() -> None:
    large = on(A, "large", 2, 20 * GB)
    assert [stopped(each) for each in acts(machine(large))] == [[], []]
    assert [stopped(each) for each in acts(machine(large, on(B, "b", 1, GB)))] == [[], ["b"]]


def test_heat_stops_one_model_of_the_machine() -> None:
    hosts = machine(on(A, "a", 2, 1), on(B, "b", 1, 1), looks_over=0)
    hot = [replace(each, heat=HOT, hot_for_s=12.0) for each in hosts]
    assert [stopped(decide(each)) for each in hot] == [[], ["b"]]


def test_one_more_is_asked_for_with_what_would_go_elsewhere() -> None:
    (at_a, _) = machine(on(B, "old", 1, 6 * GB), on(A, "a", 2, GB), looks_over=0)
    asked = admit(at_a, Wanted("new", 3 * GB, A))
    assert isinstance(asked, Ask)
    assert asked.enough
    assert [(stop.host, stop.model, stop.cause) for stop in asked.stops] == [(B, "old", Cause.MEMORY)]
    assert (params([asked], "no_room")["taken"], params([asked], "elsewhere")["size"]) == (7 * GB, 6 * GB)
    assert admit(at_a, Wanted("new", GB, A)) == Allow()
    two = replace(at_a, elsewhere=tuple(on(B, name, 1, 1) for name in "xy"))
    assert admit(two, Wanted("new", GB, A)) == Allow(), "those of another server do not count"
    many = replace(at_a, elsewhere=tuple(on(B, name, 1, 1) for name in "xyz"), loaded=at_a.loaded * 2)
    asked = admit(many, Wanted("new", GB, A))
    assert isinstance(asked, Ask)
    assert [stop.host for stop in asked.stops] == [A], "what is too many there is not this one's business"


def test_a_preview_where_all_that_is_loaded_is_elsewhere() -> None:
    (at_a, _) = machine(on(B, "old", 1, 6 * GB), looks_over=0)
    asked = admit(at_a, Wanted("new", 3 * GB, A))
    assert isinstance(asked, Ask)
    assert kinds([asked]) == ["no_room", "all_elsewhere"]
    figures = {"taken": 6 * GB, "size": 3 * GB, "budget": 8 * GB, "memory": "VRAM"}
    assert params([asked], "no_room") == figures


def test_which_servers_share_a_machine() -> None:
    urls = (A, B, "http://localhost:1", "http://192.0.2.1:1")
    assert neighbours(A, urls) == (B,)
    assert len(neighbours(B, urls)) == 1, "two addresses of one server"
    assert neighbours("http://192.0.2.1:1", urls) == ()


def test_a_look_counts_what_is_elsewhere() -> None:
    rules = Rules(limits=Limits(memory_budget=10))
    looks = Looks(rules)
    looks.host, looks.elsewhere = A, (on(B, "b", 100.0, 9),)
    assert looks.look(running("a")).looks_over == 1
    assert stopped(decide(looks.look(running("a")))) == ["a"]
    looks.elsewhere = ()
    assert looks.look(running("a")).looks_over == 0


def test_what_another_server_gave_up_for_the_heat_counts_for_all() -> None:
    looks = Looks()
    looks.look(running("a"), heat=HOT)
    for _ in range(6):
        looks.look(running("a"), heat=HOT)
    looks.cooled_s = 3.0
    assert not stopped(decide(looks.look(running("a"), heat=HOT)))
    looks.cooled_s = 61.0
    assert stopped(decide(looks.look(running("a"), heat=HOT))) == ["a"]
    looks.watch, looks.cooled_s = looks.watch.cooled(), 400.0
    assert looks.look(running("a"), heat=HOT).heat_stop_s == 2.0


HOSTS = st.sampled_from((A, B, "http://127.0.0.1:3"))
LIMITS = st.builds(
    Limits,
    max_loaded=st.none() | st.integers(1, 3),
    memory_budget=st.none() | st.integers(0, 30),
)


@st.composite
def machines(draw: st.DrawFn) -> Machine:
    """Hosts of one machine, of which each may have seen too much once, or more often, or not at all."""
    models = tuple(replace(each, host=draw(HOSTS)) for each in draw(MODELS))
    limits = draw(LIMITS)
    heat = draw(st.sampled_from(((), (), HOT)))
    return tuple(
        Situation(
            host=host,
            loaded=tuple(each for each in models if each.host == host),
            elsewhere=tuple(each for each in models if each.host != host),
            limits=limits,
            looks_over=draw(st.integers(0, 4)),
            heat=heat,
            hot_for_s=12.0,
        )
        for host in {each.host: None for each in models}
    )


def _stops(hosts: Machine) -> list[Stop]:
    return [each for host in hosts for each in decide(host) if isinstance(each, Stop)]


def _without(hosts: Machine, stops: list[Stop]) -> list[LoadedModel]:
    gone = {(stop.host, stop.model, stop.digest) for stop in stops}
    everything = [each for host in hosts for each in host.loaded]
    return [each for each in everything if (each.host, each.name, each.digest) not in gone]


@given(machines())
def test_all_guards_together_stop_no_more_than_it_takes(hosts: Machine) -> None:
    stops = _stops(hosts)
    assert len({(stop.host, stop.model, stop.digest) for stop in stops}) == len(stops)
    by_key = {(each.host, each.name, each.digest): each for host in hosts for each in host.loaded}
    assert sum(stop.cause is Cause.HEAT for stop in stops) <= 1
    for stop in stops:
        model = by_key[stop.host, stop.model, stop.digest]
        assert may_go(model)
        if stop.cause in (Cause.COUNT, Cause.MEMORY):
            with_it = _without(hosts, [each for each in stops if each is not stop])
            assert is_over(with_it, hosts[0].limits, host=stop.host)


@given(machines())
def test_all_guards_together_stop_as_many_as_it_takes(hosts: Machine) -> None:
    all_saw_it = tuple(replace(each, looks_over=LOOKS) for each in hosts)
    left = _without(all_saw_it, _stops(all_saw_it))
    for host in all_saw_it:
        limits = host.limits
        if is_over(left, limits, host=host.host):
            count = sum(each.leaving_s is None and each.host == host.host for each in left)
            if limits.max_loaded is not None and count > limits.max_loaded:
                assert not any(may_go(each) for each in left if each.host == host.host)
            else:
                assert not any(may_go(each) and each.size for each in left)


@given(machines())
def test_the_same_machine_gives_the_same_acts(hosts: Machine) -> None:
    turned = [
        replace(each, loaded=each.loaded[::-1], elsewhere=each.elsewhere[::-1]) for each in reversed(hosts)
    ]
    assert {(each.host, each.model, each.digest) for each in _stops(tuple(turned))} == {
        (each.host, each.model, each.digest) for each in _stops(hosts)
    }


@given(machines(), st.none() | st.integers(0, 40))
def test_a_preview_over_a_machine_stops_no_more_than_it_takes(hosts: Machine, size: int | None) -> None:
    for host in hosts:
        wanted = Wanted("wanted", size, host.host)
        answer = admit(host, wanted)
        if isinstance(answer, Ask):
            stops = list(answer.stops)
            limits = host.limits
            assert answer.enough == (not is_over(_without(hosts, stops), limits, wanted, host=host.host))
            for stop in stops:
                kept = _without(hosts, [each for each in stops if each is not stop])
                assert is_over(kept, limits, wanted, host=host.host)
