"""What the guard decides."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from llmstack_tui.base.structs import replace
from llmstack_tui.guard.rules.explanation import explain
from llmstack_tui.guard.rules.policy import HOLDING, LOOKS, admit, decide, is_over, may_go
from llmstack_tui.guard.types import (
    Allow,
    Ask,
    Cause,
    Consent,
    Limits,
    LoadedModel,
    Nothing,
    Propose,
    Refuse,
    Renew,
    Situation,
    Stop,
    Wanted,
    Warn,
)
from tests.guard.rules.models import GB, HOT, kinds, loaded, params, stopped, too_many


def test_the_least_recently_used_goes() -> None:
    decisions = decide(too_many(loaded("new", 9), loaded("old", 1), loaded("middle", 5), max_loaded=2))
    assert stopped(decisions) == ["old"]
    assert kinds(decisions) == ["too_many", "longest_idle"]
    assert params(decisions, "too_many") == {"count": 3, "limit": 2}
    assert params(decisions, "longest_idle") == {"idle_s": 5.0}


def test_of_several_that_go_each_is_the_least_used_of_those_that_are_left() -> None:
    models = [loaded("new", 9), loaded("first", 1), loaded("second", 2)]
    assert kinds(decide(too_many(*models))).count("longest_idle") == 2
    models.append(loaded("pinned", 1.5, pinned=True))
    first, second = decide(too_many(*models, max_loaded=2))
    assert kinds([first]) == ["too_many", "longest_idle"]
    assert kinds([second]) == ["too_many", "longest_idle_of_those"]


def test_of_two_that_were_used_at_once_the_name_decides() -> None:
    models = loaded("b", 1), loaded("a", 1)
    assert stopped(decide(too_many(*models))) == stopped(decide(too_many(*models[::-1]))) == ["a"]


def test_one_look_is_no_reason() -> None:
    situation = replace(too_many(loaded("a"), loaded("b")), looks_over=1)
    decisions = decide(situation)
    assert stopped(decisions) == []
    assert kinds(decisions)[-1] == "check_again"


def test_pinned_and_busy_ones_stay() -> None:
    models = loaded("pinned", 1, pinned=True), loaded("busy", 2, busy=True, idle_s=0.0), loaded("free", 3)
    assert stopped(decide(too_many(*models))) == ["free"]
    assert stopped(decide(too_many(*models[:2]))) == []
    assert kinds(decide(too_many(*models[:2])))[-1] == "none_can_go"


def test_a_sign_at_this_very_look_is_one() -> None:
    assert stopped(decide(too_many(loaded("a", 1, idle_s=0.0), loaded("b", 2)))) == ["b"]


def test_what_leaves_already_makes_room_and_is_not_asked_again() -> None:
    models = loaded("leaves", 1, leaving_s=3.0), loaded("b", 2)
    assert stopped(decide(too_many(*models))) == []
    assert stopped(decide(too_many(*models, loaded("c", 3)))) == ["b"]


def test_one_that_stayed_is_left_alone_for_a_while() -> None:
    assert stopped(decide(too_many(loaded("a", 1, spared=True), loaded("b", 2)))) == ["b"]


def test_models_of_others_may_be_excepted() -> None:
    situation = too_many(loaded("theirs", 1, ours=False), loaded("ours", 2))
    assert stopped(decide(situation)) == ["theirs"]
    alone = too_many(loaded("theirs", 1, ours=False, consent=Consent.NO), loaded("ours", 2))
    assert stopped(decide(alone)) == ["ours"]
    (theirs, _), _ = explain(alone)
    assert [each.kind for each in theirs.reason] == ["guard.is_of_others"]


def test_until_the_user_has_answered_it_proposes_and_stops_nothing() -> None:
    asked = loaded("theirs", 1, ours=False, consent=Consent.ASK)
    situation = too_many(asked, loaded("ours", 2), loaded("new", 3))
    decisions = decide(situation)
    assert decisions[0].reason[0].kind == "guard.too_many"
    (only,) = decisions
    assert isinstance(only, Propose)
    assert (only.stop.model, only.stop.asks) == ("theirs", True)
    theirs, ours, _ = explain(situation)[0]
    assert (theirs.stop, theirs.proposed, ours.stop, ours.proposed) == (False, True, False, False)
    # What it would not touch is no question: its own model goes at once.
    idle = loaded("ours", 2, idle_s=700.0, idle_limit_s=600.0)
    assert stopped(decide(Situation(loaded=(asked, idle)))) == ["ours"]
    assert decide(replace(situation, held=True)) == (Nothing(HOLDING),)


def test_what_another_program_loaded_for_ever_goes_last() -> None:
    lasting = loaded("lasting", 1, ours=False, lasting=True)
    (stop,) = decide(too_many(lasting, loaded("b", 2)))
    assert (stopped((stop,)), kinds((stop,))) == (["b"], ["too_many", "longest_idle_not_lasting"])
    (stop,) = decide(too_many(lasting, loaded("b", 2, pinned=True)))
    assert (stopped((stop,)), kinds((stop,))) == (["lasting"], ["too_many", "last_to_go"])
    (explained,), _ = explain(Situation(loaded=(lasting,)))
    assert [each.kind for each in explained.reason] == ["guard.is_lasting"]


def test_a_memory_budget_is_a_limit_too() -> None:
    models = loaded("a", 1, size=GB), loaded("b", 2, size=4 * GB), loaded("c", 3, size=4 * GB)
    decisions = decide(too_many(*models, max_loaded=None, budget=6 * GB))
    # The first would not be enough, and with the second gone it is not needed any more.
    assert stopped(decisions) == ["b"]
    assert params(decisions, "too_much") == {"taken": 9 * GB, "budget": 6 * GB, "memory": "VRAM"}


def test_a_model_that_is_alone_may_take_more_than_the_budget() -> None:
    large = loaded("large", 2, size=9 * GB)
    assert stopped(decide(too_many(large, max_loaded=None, budget=GB))) == []
    assert stopped(decide(too_many(loaded("small", 1), large, max_loaded=None, budget=GB))) == ["small"]
    assert admit(too_many(max_loaded=None, budget=GB), Wanted("large", 9 * GB)) == Allow()
    asked = admit(too_many(loaded("small", 1), max_loaded=None, budget=GB), Wanted("large", 9 * GB))
    assert isinstance(asked, Ask)
    assert asked.enough


def test_one_of_unknown_size_gives_nothing_back() -> None:
    models = loaded("a", 1, size=None), loaded("b", 2, size=4 * GB), loaded("c", 3, size=4 * GB)
    assert stopped(decide(too_many(*models, max_loaded=None, budget=5 * GB))) == ["b"]


def test_both_limits_at_once() -> None:
    models = loaded("a", 1, size=GB), loaded("b", 2, size=GB), loaded("c", 3, size=9 * GB)
    # The last one may take more than the budget: it was wanted last, and is alone then.
    assert stopped(decide(too_many(*models, max_loaded=2, budget=5 * GB))) == ["a", "b"]
    assert stopped(decide(too_many(*models, max_loaded=1, budget=9 * GB))) == ["a", "b"]


def test_an_idle_one_goes_by_its_own_limit() -> None:
    models = (
        loaded("a", idle_s=700.0, idle_limit_s=600.0),
        loaded("b", idle_s=700.0, idle_limit_s=3600.0),
        loaded("never", idle_s=1e6, idle_limit_s=None),
        loaded("pinned", idle_s=1e6, idle_limit_s=600.0, pinned=True),
    )
    decisions = decide(Situation(loaded=models))
    assert stopped(decisions) == ["a"]
    assert params(decisions, "idle") == {"idle_s": 700.0, "limit_s": 600.0}
    assert [each.cause for each in decisions if isinstance(each, Stop)] == [Cause.IDLE]


def test_an_idle_one_that_goes_makes_room_for_the_others() -> None:
    models = loaded("idle", 9, idle_s=700.0, idle_limit_s=600.0), loaded("b", 1)
    assert stopped(decide(too_many(*models))) == ["idle"]


def test_what_is_held_stays() -> None:
    situation = replace(too_many(loaded("a", idle_s=700.0, idle_limit_s=600.0), loaded("b")), held=True)
    decisions = decide(situation)
    assert stopped(decisions) == []
    assert kinds(decisions) == ["holding"]


def test_heat_stops_one_model_at_a_time() -> None:
    hot = Situation(loaded=(loaded("a", 2), loaded("b", 1)), heat=HOT, hot_for_s=12.0)
    assert stopped(decide(hot)) == ["b"]
    assert kinds(decide(hot)) == ["throttled", "longest_idle"]
    assert stopped(decide(replace(hot, hot_for_s=2.0))) == []
    assert stopped(decide(replace(hot, heat_stop_s=20.0))) == []
    assert stopped(decide(replace(hot, heat_stop_s=61.0))) == ["b"]
    refused = admit(hot, Wanted("c"))
    assert isinstance(refused, Refuse)
    assert kinds([refused]) == ["throttled", "cooling"]


def test_more_pins_than_the_limit_are_told_and_kept() -> None:
    decisions = decide(too_many(loaded("a", pinned=True), loaded("b", pinned=True)))
    (warning,) = decisions
    assert isinstance(warning, Warn)
    assert params(decisions, "too_many_pins") == {"models": ("a", "b"), "limit": 1}


def test_a_stop_that_does_not_come_through_is_told() -> None:
    stuck = loaded("a", leaving_s=70.0, idle_s=65.0)
    (warning,) = decide(Situation(loaded=(stuck,)))
    assert isinstance(warning, Warn)
    assert params([warning], "stuck") == {"model": "a", "left_s": 70.0}
    for other in (replace(stuck, idle_s=20.0), replace(stuck, busy=True), replace(stuck, leaving_s=30.0)):
        assert isinstance(decide(Situation(loaded=(other,)))[0], Nothing)


def test_a_pin_is_renewed_shortly_before_another_clients_time_is_up() -> None:
    def renewed(**more: object) -> list[Renew]:
        model = loaded("a", 0.0, **{"pinned": True, "lapses_s": 40.0, **more})
        return [each for each in decide(Situation(loaded=(model,))) if isinstance(each, Renew)]

    assert params(renewed(), "lapsing") == {"left_s": 40.0}
    for lapses_s in (None, 61.0, 4.0, 0.0, -3.0):
        assert renewed(lapses_s=lapses_s) == []
    assert renewed(busy=True) == renewed(idle_s=0.0) == renewed(leaving_s=1.0) == []


def test_one_more_is_asked_for_with_what_would_go() -> None:
    situation = replace(too_many(loaded("a", 1), loaded("b", 2), max_loaded=2), looks_over=0)
    asked = admit(situation, Wanted("c"))
    assert isinstance(asked, Ask)
    assert asked.enough
    assert [stop.model for stop in asked.stops] == ["a"]
    assert params([asked], "too_many") == {"count": 2, "limit": 2}
    assert kinds(asked.stops) == ["makes_room", "longest_idle"]
    assert params(asked.stops, "makes_room") == {"model": "c"}
    assert admit(replace(situation, limits=Limits(max_loaded=3)), Wanted("c")) == Allow()
    assert admit(replace(situation, held=True), Wanted("c")) == Allow()


def test_what_is_coming_counts() -> None:
    situation = replace(too_many(loaded("a", 1), max_loaded=2), coming=1)
    asked = admit(situation, Wanted("c"))
    assert isinstance(asked, Ask)
    assert [stop.model for stop in asked.stops] == ["a"]
    assert kinds([asked]) == ["too_many", "coming"]
    assert [each.params["count"] for each in asked.reason] == [1, 1]
    assert admit(replace(situation, coming=0), Wanted("c")) == Allow()


def test_one_more_where_nothing_can_go() -> None:
    asked = admit(too_many(loaded("a", 1, pinned=True), loaded("b", 1, busy=True), max_loaded=2), Wanted("c"))
    assert isinstance(asked, Ask)
    assert not asked.enough
    assert not asked.stops
    assert params([asked], "kept_pinned") == {"models": ("a",)}
    assert params([asked], "kept_busy") == {"models": ("b",)}


def test_one_more_that_is_too_large() -> None:
    situation = too_many(loaded("a", 1, size=3 * GB), max_loaded=None, budget=4 * GB)
    asked = admit(situation, Wanted("b", 2 * GB))
    assert isinstance(asked, Ask)
    assert [stop.cause for stop in asked.stops] == [Cause.MEMORY]
    assert admit(situation, Wanted("b", GB)) == Allow()
    assert admit(situation, Wanted("of unknown size")) == Allow()


def test_a_model_at_rest_says_why() -> None:
    assert kinds(decide(Situation())) == ["none_loaded"]
    assert params(decide(too_many(loaded("a"), max_loaded=2)), "loaded_of") == {"count": 1, "limit": 2}


MODELS = st.lists(
    st.builds(
        LoadedModel,
        name=st.text("abc", min_size=1, max_size=3),
        digest=st.text("abc", max_size=1),
        size=st.none() | st.integers(0, 10),
        sign_at_s=st.integers(0, 5).map(float),
        lasting=st.booleans(),
        consent=st.sampled_from([Consent.YES, Consent.NO]),
        idle_s=st.integers(0, 100).map(float),
        busy=st.booleans(),
        pinned=st.booleans(),
        ours=st.booleans(),
        leaving_s=st.none() | st.integers(0, 100).map(float),
        spared=st.booleans(),
        idle_limit_s=st.none() | st.integers(1, 100).map(float),
        lapses_s=st.none() | st.integers(-5, 100).map(float),
    ),
    max_size=8,
    unique_by=lambda each: (each.name, each.digest),
).map(tuple)
SITUATIONS = st.builds(
    Situation,
    loaded=MODELS,
    limits=st.builds(
        Limits,
        max_loaded=st.none() | st.integers(1, 4),
        memory_budget=st.none() | st.integers(0, 30),
    ),
    looks_over=st.integers(0, 4),
    held=st.booleans(),
    heat=st.sampled_from(((), (), HOT)),
    hot_for_s=st.integers(0, 20).map(float),
    heat_stop_s=st.none() | st.integers(0, 100).map(float),
)


def replace_consents(situation: Situation) -> Situation:
    """The same, once the user has said yes."""
    loaded = tuple(replace(each, consent=Consent.YES) for each in situation.loaded)
    return replace(situation, loaded=loaded)


def _without(situation: Situation, stops: list[Stop]) -> list[LoadedModel]:
    gone = {(stop.model, stop.digest) for stop in stops}
    return [each for each in situation.loaded if (each.name, each.digest) not in gone]


@given(SITUATIONS)
def test_it_never_stops_what_is_pinned_busy_spared_or_leaving(situation: Situation) -> None:
    by_key = {(each.name, each.digest): each for each in situation.loaded}
    for stop in decide(situation):
        if isinstance(stop, Stop):
            model = by_key[stop.model, stop.digest]
            assert may_go(model)
            assert [model.pinned, model.busy, model.spared] == [False] * 3
            assert model.idle_s > 0
            assert model.leaving_s is None
            assert not situation.held
        if isinstance(stop, Renew):
            model = by_key[stop.model, stop.digest]
            assert model.pinned
            assert not model.busy
            assert model.leaving_s is None


@given(SITUATIONS)
def test_it_never_stops_what_it_has_to_ask_about(situation: Situation) -> None:
    asked = replace(situation, loaded=tuple(replace(each, consent=Consent.ASK) for each in situation.loaded))
    decisions, allowed = decide(asked), decide(replace_consents(asked))
    assert stopped(decisions) == []
    proposed = [each.stop.model for each in decisions if isinstance(each, Propose)]
    assert proposed == stopped(allowed)


@given(SITUATIONS)
def test_it_stops_no_more_than_it_takes(situation: Situation) -> None:
    stops = [each for each in decide(situation) if isinstance(each, Stop)]
    assert len({(stop.model, stop.digest) for stop in stops}) == len(stops)
    for stop in stops:
        if stop.cause in (Cause.COUNT, Cause.MEMORY):
            assert situation.looks_over >= LOOKS
            with_it = _without(situation, [each for each in stops if each is not stop])
            assert is_over(with_it, situation.limits)
        if stop.cause is Cause.HEAT:
            assert len(stops) == 1


@given(SITUATIONS)
def test_it_stops_as_many_as_it_takes(situation: Situation) -> None:
    decisions = decide(situation)
    stops = [each for each in decisions if isinstance(each, Stop)]
    left = _without(situation, stops)
    if situation.looks_over >= LOOKS and not situation.held and is_over(left, situation.limits):
        limit = situation.limits.max_loaded
        if limit is not None and sum(each.leaving_s is None for each in left) > limit:
            assert not any(may_go(each) for each in left)
        else:
            assert not any(may_go(each) and each.size for each in left)


@given(SITUATIONS)
def test_the_same_situation_gives_the_same_decisions(situation: Situation) -> None:
    decisions = decide(situation)
    assert decisions
    assert decide(situation) == decisions
    turned = replace(situation, loaded=situation.loaded[::-1])
    assert {(each.model, each.digest) for each in decide(turned) if isinstance(each, Stop)} == {
        (each.model, each.digest) for each in decisions if isinstance(each, Stop)
    }


@given(SITUATIONS, st.none() | st.integers(0, 40))
def test_a_preview_stops_no_more_than_it_takes(situation: Situation, size: int | None) -> None:
    wanted = Wanted("wanted", size)
    answer = admit(situation, wanted)
    if isinstance(answer, Allow):
        assert situation.held or not is_over(situation.loaded, situation.limits, wanted)
    if isinstance(answer, Ask):
        stops = list(answer.stops)
        assert answer.enough == (not is_over(_without(situation, stops), situation.limits, wanted))
        for stop in stops:
            kept = _without(situation, [each for each in stops if each is not stop])
            assert is_over(kept, situation.limits, wanted)
