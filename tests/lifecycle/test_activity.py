"""Busy and idle from successive looks, against servers whose requests we know."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmstack_tui.base.durations import LONGEST
from llmstack_tui.base.kinds import Capability
from llmstack_tui.base.structs import replace
from llmstack_tui.hosts.errors import Unreachable
from llmstack_tui.hosts.types import Model, RunningModel, Snapshot
from llmstack_tui.lifecycle.activity import Activity, Trace, idle_time, observed, worked
from llmstack_tui.lifecycle.states import ModelStatus, statuses

T0 = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
URL = "http://127.0.0.1:11434"
FOR_EVER = timedelta(days=106_751)


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def model(
    expires_in: float | None = 300,
    name: str = "a:1",
    requests: int | None = None,
    processor_s: float | None = None,
) -> RunningModel:
    expires_at = None if expires_in is None else T0 + seconds(expires_in)
    return RunningModel(
        name=name, digest=name, expires_at=expires_at, requests=requests, processor_s=processor_s
    )


def look(at_s: float, *running: RunningModel, failed: bool = False) -> Snapshot:
    error = Unreachable("gone", host=URL) if failed else None
    return Snapshot(url=URL, capabilities=Capability(0), running=running, read_at=at_s, error=error)


def fold(*looks: Snapshot, before: Activity | None = None) -> Activity:
    """Looks by a clock that started at ``T0``."""
    activity = before or Activity()
    for each in looks:
        activity = observed(activity, each, T0 + seconds(each.read_at or 0))
    return activity


def trace(activity: Activity) -> Trace:
    (found,) = activity.traces.values()
    return found


def test_a_model_met_at_the_first_look_is_idle_for_at_least_so_long() -> None:
    first = trace(fold(look(10, model())))
    assert (first.busy, first.worked_at_s, first.at_least) == (False, 10, True)
    later = trace(fold(look(10, model()), look(12, model()), look(14, model())))
    assert (later.busy, later.worked_at_s, later.at_least) == (False, 10, True)


def test_a_model_that_appears_while_we_look_was_just_loaded() -> None:
    assert trace(fold(look(10), look(12, model()))).at_least is False


def test_one_movement_is_a_request_that_has_ended() -> None:
    found = trace(fold(look(0, model(300)), look(2, model(301)), look(4, model(301))))
    assert (found.busy, found.worked_at_s, found.at_least) == (False, 2, False)


def test_movement_at_each_of_two_looks_is_work() -> None:
    moving = fold(look(0, model(300)), look(2, model(302)), look(4, model(304)))
    assert trace(moving).busy
    rested = fold(look(6, model(305.5)), look(8, model(305.5)), before=moving)
    assert (trace(rested).busy, trace(rested).worked_at_s) == (False, 6)


def test_a_time_that_has_passed_twice_is_work() -> None:
    once = fold(look(0, model(2)), look(3, model(2)))
    assert not trace(once).busy, "it may be about to leave"
    twice = fold(look(5, model(2)), before=once)
    assert trace(twice).busy
    assert trace(twice).worked_at_s == 5
    assert not trace(fold(look(7, model(9)), before=twice)).busy, "its request has ended"


def test_the_count_of_requests_settles_it() -> None:
    assert trace(fold(look(0, model(requests=1)))).busy
    moving = fold(*(look(at, model(300 + at, requests=0)) for at in (0, 2, 4)))
    assert not trace(moving).busy
    assert trace(moving).worked_at_s == 4


def test_a_process_that_computes_is_at_work() -> None:
    looks = [look(at, model(processor_s=used)) for at, used in ((0, 5.0), (2, 5.01), (4, 5.2), (6, 5.2))]
    assert not trace(fold(*looks[:2])).busy, "that is noise"
    assert trace(fold(*looks[:3])).busy
    ended = trace(fold(*looks))
    assert (ended.busy, ended.worked_at_s, ended.at_least) == (False, 4, False)
    assert not trace(fold(look(0, model()), look(2, model(processor_s=9)))).busy, "nobody knows since when"


def test_a_server_that_says_when_a_model_was_used_last_is_believed() -> None:
    found = trace(fold(look(100, replace(model(400), requests=0, used_at=T0 + seconds(40)))))
    assert (found.worked_at_s, found.at_least) == (40, False)


@pytest.mark.parametrize(
    ("expires_in", "keep_alive", "loaded_before", "idle"),
    [
        (240, 300, None, 60),
        (240, 300, 70, 60),
        (240, 300, 50, None),  # It was loaded since: another client brought another keep-alive.
        (400, 300, None, None),
        (300.5, 300, None, 0),
        (240, None, None, None),
        (-1, 300, None, None),  # A request holds it.
        (None, 300, None, None),
        (LONGEST.total_seconds() - 60, None, None, 60),
        (LONGEST.total_seconds() - 60, 300, None, 60),
    ],
)
def test_idle_time_from_a_single_look(
    expires_in: float | None, keep_alive: float | None, loaded_before: float | None, idle: float | None
) -> None:
    found = idle_time(
        model(expires_in),
        T0,
        keep_alive=None if keep_alive is None else seconds(keep_alive),
        loaded_at=None if loaded_before is None else T0 - seconds(loaded_before),
    )
    told = None if found is None else found.total_seconds()
    assert told == (None if idle is None else pytest.approx(idle, abs=0.001))


def test_idle_time_where_the_server_knows_it() -> None:
    used = replace(model(-1), requests=0, used_at=T0 - seconds(7))
    assert idle_time(used, T0, keep_alive=None, loaded_at=None) == seconds(7)
    assert idle_time(replace(used, requests=1), T0, keep_alive=None, loaded_at=None) is None


def test_a_server_that_tells_no_time_shows_nothing() -> None:
    found = trace(fold(*(look(at, model(None)) for at in (0, 2, 400))))
    assert (found.busy, found.worked_at_s, found.at_least) == (False, 0, True)


def test_what_left_is_forgotten_and_what_comes_back_begins_anew() -> None:
    gone = fold(look(0, model()), look(2))
    assert gone.traces == {}
    assert trace(fold(look(9, model()), before=gone)).worked_at_s == 9


def test_looks_that_fail_tell_nothing() -> None:
    before = fold(look(0, model(300)), look(2, model(302)))
    assert fold(look(4, failed=True), before=before) is before


def test_a_request_of_our_own_counts_at_once() -> None:
    running = model()
    activity = fold(look(0, running))
    snapshot = Snapshot(
        url=URL,
        capabilities=Capability(0),
        installed=(Model(name="a:1", digest="a:1"), Model(name="b:1", digest="a:1")),
        running=(running,),
    )

    def work(*in_use: str) -> list[tuple[bool, float | None, bool]]:
        return [
            (each.busy, each.idle_since_s, each.idle_at_least)
            for each in statuses(snapshot, (), activity, in_use)
        ]

    assert work() == [(False, 0, True)] * 2, "two names of one runner"
    assert work("b:1") == [(True, None, False)] * 2
    activity = worked(activity, running, 7)
    assert work() == [(False, 7, False)] * 2
    assert worked(activity, model(name="c:1"), 9) is activity


def test_what_is_not_loaded_is_neither() -> None:
    snapshot = Snapshot(url=URL, capabilities=Capability(0), installed=(Model(name="a:1", digest="a"),))
    (status,) = statuses(snapshot, (), Activity(), ("a:1",))
    assert status == ModelStatus(URL, "a:1", status.state, status.model)


@dataclass
class Ollama:
    """``expires_at`` as Ollama sets it: at the end of the last request, and at each look during the first."""

    keep_alive: timedelta
    requests: list[tuple[float, float]]

    def look(self, at_s: float) -> RunningModel:
        ended = max((end for _, end in self.requests if end <= at_s), default=None)
        since = at_s if ended is None else ended
        return RunningModel(name="a:1", digest="a", expires_at=T0 + seconds(since) + self.keep_alive)

    def works(self, at_s: float) -> bool:
        return any(start <= at_s < end for start, end in self.requests)


@st.composite
def servers(draw: st.DrawFn) -> Ollama:
    """A server whose model was loaded for a request; others follow, one after another."""
    lengths = draw(st.lists(st.tuples(st.floats(0, 60), st.floats(0.1, 60)), min_size=1, max_size=6))
    requests: list[tuple[float, float]] = []
    at = 0.0
    for pause, length in lengths:
        start = at + (pause if requests else 0)
        requests.append((start, at := start + length))
    keep_alive = draw(st.sampled_from([seconds(2), seconds(300), FOR_EVER]))
    return Ollama(keep_alive, requests)


looks = st.lists(st.floats(0.05, 10), min_size=3, max_size=40)


@given(servers(), looks)
def test_idle_time_is_never_more_than_it_was(server: Ollama, pauses: list[float]) -> None:
    """A model is idle since the end of its last request, or seen later; never earlier."""
    activity, at = Activity(begun=True), 0.0
    for pause in pauses:
        at += pause
        activity = observed(activity, look(at, server.look(at)), T0 + seconds(at))
        found = trace(activity)
        ended = max((end for _, end in server.requests if end <= at), default=0.0)
        assert found.worked_at_s >= ended - 1e-6, "the servers tell microseconds"
        if not found.busy and not server.works(at):
            assert found.worked_at_s - ended <= max(pauses) * 3, "and later by few looks at most"


@given(servers(), looks)
def test_the_first_request_and_those_that_outlast_their_keep_alive_are_seen(
    server: Ollama, pauses: list[float]
) -> None:
    activity, at, during = Activity(begun=True), 0.0, 0
    for pause in pauses:
        at += pause
        activity = observed(activity, look(at, server.look(at)), T0 + seconds(at))
        during = during + 1 if at < server.requests[0][1] else 0
        if during > 2:
            assert trace(activity).busy


@given(servers(), looks, st.lists(st.floats(-1e8, 1e8), min_size=40, max_size=40))
def test_a_clock_that_jumps_changes_nothing_while_nothing_moves(
    server: Ollama, pauses: list[float], jumps: list[float]
) -> None:
    """From the end of the last request on, whatever this machine's clock says."""
    at = server.requests[-1][1]
    steady = jumping = fold(look(at, server.look(at)), before=Activity(begun=True))
    for pause, jump in zip(pauses, jumps, strict=False):
        at += pause
        snapshot = look(at, server.look(at))
        steady = observed(steady, snapshot, T0 + seconds(at))
        jumping = observed(jumping, snapshot, T0 + seconds(at + jump))
        assert jumping == steady


@pytest.mark.parametrize("keep_alive", [2.0, 300.0])
def test_the_server_s_own_clock_may_be_far_ahead(keep_alive: float) -> None:
    found = trace(fold(*(look(at, model(1e7 + keep_alive)) for at in (0, 2, 4))))
    assert not found.busy
