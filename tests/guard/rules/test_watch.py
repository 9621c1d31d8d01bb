"""What looks at a host come to."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from llmstack_tui.base.names import model_key
from llmstack_tui.guard.rules.policy import decide
from llmstack_tui.guard.rules.watch import Rules
from llmstack_tui.guard.types import Consent, Limits, Propose, Warn
from llmstack_tui.hosts.types import Model
from tests.guard.rules.looks import NOW, Looks, running
from tests.guard.rules.models import HOT, stopped

if TYPE_CHECKING:
    from llmstack_tui.guard.types import Situation

ONE = Rules(limits=Limits(max_loaded=1))
TEN_MINUTES = Rules(idle_limit_s=600.0)


def _idle(situation: Situation) -> list[float]:
    return [each.idle_s for each in situation.loaded]


def test_idle_time_begins_with_the_first_look_and_with_each_sign() -> None:
    looks = Looks()
    assert _idle(looks.look(running("a"))) == [0.0]
    assert _idle(looks.look(running("a"))) == [2.0]
    assert _idle(looks.look(running("a", 302.0))) == [0.0]
    assert _idle(looks.look(running("a", 302.0))) == [2.0]


def test_a_sign_is_also_a_request_of_our_own_and_what_the_built_in_engine_says() -> None:
    looks = Looks()
    looks.look(running("a"), running("b", requests=0, used_at=NOW))
    looks.look(running("a"), running("b", requests=0, used_at=NOW))
    situation = looks.look(running("a"), running("b", requests=1, used_at=NOW), used=("a",))
    assert [each.busy for each in situation.loaded] == [True, True]
    later = running("b", requests=0, used_at=NOW + timedelta(seconds=6))
    assert _idle(looks.look(running("a"), later)) == [2.0, 0.0]


def test_it_takes_two_looks_over_the_limit() -> None:
    looks = Looks(ONE)
    assert not stopped(decide(looks.look(running("a"))))
    assert not stopped(decide(looks.look(running("a"), running("b"))))
    assert stopped(decide(looks.look(running("a"), running("b")))) == ["a"]


def test_a_look_that_errs_changes_nothing() -> None:
    looks = Looks(Rules(limits=Limits(max_loaded=1), idle_limit_s=30.0))
    for _ in range(10):
        looks.look(running("a"))
    assert not stopped(decide(looks.look(running("a"), running("b"), running("c"))))
    assert not stopped(decide(looks.look()))
    # It was away for a moment only, so it is idle for as long as before.
    situation = looks.look(running("a"))
    assert _idle(situation) == [24.0]
    assert looks.watch.looks_over == 0


def test_one_that_is_away_for_long_begins_anew() -> None:
    looks = Looks()
    for _ in range(5):
        looks.look(running("a"))
    for _ in range(5):
        looks.look()
    assert _idle(looks.look(running("a"))) == [0.0]


def test_an_hour_of_sleep_is_no_idle_time() -> None:
    looks = Looks(TEN_MINUTES)
    looks.look(running("a", 1e6))
    situation = looks.look(running("a", 1e6), after_s=3600.0)
    assert _idle(situation) == [20.0]
    assert not stopped(decide(situation))


def test_a_clock_that_jumps_is_no_idle_time() -> None:
    looks = Looks(TEN_MINUTES)
    looks.look(running("a", requests=0, used_at=NOW))
    for jump in (timedelta(hours=5), timedelta(hours=-9)):
        looks.clock = jump
        assert _idle(looks.look(running("a", requests=0, used_at=NOW)))[0] < 10


def test_an_idle_one_is_stopped_after_its_time() -> None:
    looks = Looks(Rules(idle_limit_s=600.0, idle_limits_s={model_key("b"): None, model_key("c"): 60.0}))
    at_s: dict[str, float] = {}
    for _ in range(400):
        models = [running(name, 1e6) for name in "abc"]
        for name in stopped(decide(looks.look(*models))):
            at_s.setdefault(name, looks.now_s)
    assert at_s == {"a": 602.0, "c": 62.0}


def test_a_pin_counts_for_all_names_of_a_model() -> None:
    rules = Rules(limits=Limits(max_loaded=1), pins=frozenset({model_key("copy")}))
    installed = Model(name="one:latest", digest="1"), Model(name="copy:latest", digest="1")
    looks = Looks(rules, *installed)
    situation = looks.look(running("one:latest", digest="1"), running("other:latest", digest="2"))
    assert [each.pinned for each in situation.loaded] == [True, False]
    # Of one whose weights another name's process answers for, too.
    answers = running("third:latest", digest="3", answers_for=frozenset({"1"}))
    assert [each.pinned for each in looks.look(answers).loaded] == [True]


def test_of_several_names_the_longest_time_counts() -> None:
    rules = Rules(idle_limit_s=60.0, idle_limits_s={model_key("b"): 600.0})
    looks = Looks(rules, Model(name="a:latest", digest="1"), Model(name="b:latest", digest="1"))
    assert [each.idle_limit_s for each in looks.look(running("a:latest", digest="1")).loaded] == [600.0]


def test_one_under_no_name_is_seen_too() -> None:
    looks = Looks(ONE)
    looks.look(running("deleted"), running("b"))
    looks.look(running("deleted", 302.0), running("b"))
    assert stopped(decide(looks.look(running("deleted", 302.0), running("b")))) == ["b"]


def test_one_that_was_removed_is_not_asked_for_no_name_can_stop_it() -> None:
    looks = Looks(ONE, Model(name="b", digest="b"))
    looks.look(running("deleted"), running("b"))
    assert [each.spared for each in looks.look(running("deleted"), running("b")).loaded] == [True, False]


def test_what_was_asked_to_leave_is_leaving() -> None:
    looks = Looks(ONE)
    looks.look(running("a:latest"), running("b"))
    looks.asked = {model_key("a"): looks.now_s}
    situation = looks.look(running("a:latest"), running("b"))
    assert [each.leaving_s for each in situation.loaded] == [2.0, None]
    assert looks.watch.looks_over == 0


def test_one_that_stayed_is_spared_for_half_a_minute() -> None:
    looks = Looks(ONE)
    looks.look(running("a:latest"), running("b"))
    looks.watch = looks.watch.stayed("a")
    assert stopped(decide(looks.look(running("a:latest"), running("b")))) == ["b"]
    for _ in range(15):
        looks.look(running("a:latest"), running("b"))
    assert not any(each.spared for each in looks.look(running("a:latest"), running("b")).loaded)
    looks.watch = looks.watch.stayed("a")
    for _ in range(20):
        looks.look(running("a:latest"), running("b"))
    assert looks.look(running("a:latest"), running("b")).loaded[0].spared, "the second time for longer"


def test_heat_has_a_beginning() -> None:
    looks = Looks()
    looks.look(heat=HOT)
    assert looks.look(heat=HOT).hot_for_s == 2.0
    looks.watch = looks.watch.cooled()
    assert looks.look(heat=HOT).heat_stop_s == 2.0
    assert looks.look().hot_for_s == 0.0
    assert looks.look(heat=HOT).hot_for_s == 0.0


FOR_EVER = 1e10
PINNED = Rules(limits=Limits(max_loaded=1), pins=frozenset({model_key("a")}))


def _lapses(looks: Looks, expires_in_s: float, **more: object) -> float | None:
    (model,) = looks.look(running("a", expires_in_s, **more)).loaded
    return model.lapses_s


def test_a_pin_lapses_where_another_client_set_a_time_and_nothing_else() -> None:
    looks = Looks(PINNED)
    assert _lapses(looks, FOR_EVER, context_length=4096) is None
    assert _lapses(looks, 304.0, context_length=4096) == 300.0
    assert _lapses(looks, 304.0, context_length=4096) == 298.0
    assert _lapses(looks, 304.0, context_length=8192) is None, "it was loaded anew, with other options"
    assert _lapses(looks, 304.0, context_length=4096, size_vram=1) is None
    looks.ours = False
    assert _lapses(looks, 304.0, context_length=4096) is None, "it is another client's"


def test_a_pin_of_which_too_little_is_known_does_not_lapse() -> None:
    looks = Looks(PINNED)
    assert _lapses(looks, 302.0, context_length=4096) is None, "it was never seen to stay for ever"
    looks = Looks(PINNED)
    assert _lapses(looks, FOR_EVER) is None
    assert _lapses(looks, 302.0) is None, "the server tells no context"
    looks = Looks()
    assert _lapses(looks, FOR_EVER, context_length=4096) is None
    assert _lapses(looks, 302.0, context_length=4096) is None, "it is not pinned"


def test_a_pinned_model_that_left_by_itself_is_lost() -> None:
    looks = Looks(PINNED)
    assert looks.look(running("b")).lost == ()
    looks.look(running("a", FOR_EVER))
    lost = [looks.look().lost for _ in range(5)]
    assert lost == [(), (), (), ("a",), ("a",)], "a list that is empty for a moment tells nothing"
    (warning,) = decide(looks.look())
    assert isinstance(warning, Warn)
    assert warning.about == ("lost", "a")
    assert looks.look(running("a", FOR_EVER)).lost == ()


def test_a_pinned_model_that_was_asked_to_leave_is_not_lost() -> None:
    looks = Looks(PINNED)
    looks.look(running("a", FOR_EVER))
    looks.let_go = (model_key("a"),)
    looks.look()
    looks.let_go = ()
    assert [looks.look().lost for _ in range(5)] == [()] * 5
    looks.look(running("a", FOR_EVER))
    looks.rules = ONE
    assert [looks.look().lost for _ in range(5)] == [()] * 5, "it is not pinned any more"


def test_what_another_program_loaded_for_ever_is_idle_for_too_long_only_if_the_user_said_so() -> None:
    looks = Looks(Rules(idle_limit_s=600.0, idle_limits_s={model_key("b"): 600.0}))
    looks.ours = False
    for_ever = 200 * 365 * 86_400.0
    situation = looks.look(running("a", for_ever), running("b", for_ever), running("c"))
    assert [each.lasting for each in situation.loaded] == [True, True, False]
    assert [each.idle_limit_s for each in situation.loaded] == [None, 600.0, 600.0]
    looks.ours = True
    (model,) = looks.look(running("a", for_ever)).loaded
    assert (model.lasting, model.idle_limit_s) == (False, 600.0)


def test_what_leaves_with_a_model_is_said() -> None:
    names = [Model(name=name, digest="d") for name in ("a", "b")]
    looks = Looks(ONE, *names, Model(name="c", digest="c"))
    looks.look(running("a", digest="d"), running("c"))
    situation = looks.look(running("a", digest="d"), running("c"))
    assert [each.shares for each in situation.loaded] == [("b",), ()]
    (stop,) = decide(situation)
    assert stop.reason[-1].params == {"models": ("b",)}


def test_the_answer_is_about_models_of_others() -> None:
    looks = Looks(Rules(limits=Limits(max_loaded=1), others=Consent.ASK))
    looks.ours = False
    looks.look(running("a"), running("b"))
    (proposed,) = decide(looks.look(running("a"), running("b")))
    assert isinstance(proposed, Propose)
    looks.ours = True
    assert stopped(decide(looks.look(running("a"), running("b")))) == ["a"]
