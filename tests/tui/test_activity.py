"""What was seen to happen without us."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from llmstack_tui.hosts.errors import Unreachable
from llmstack_tui.hosts.types import HostKind, Snapshot
from llmstack_tui.lifecycle.acts import Act, ActKind
from llmstack_tui.tui.activity import LIMIT, Activity, Event, Kind, changes
from tests.tui import seeded

if TYPE_CHECKING:
    from llmstack_tui.stack import StackState

MODEL = seeded.model("a:latest")
IDLE = seeded.state(seeded.snapshot((MODEL,)))
LOADED = seeded.state(seeded.snapshot((MODEL,), (seeded.running(MODEL),)))
ACT = Act(ActKind.ACTIVATE, seeded.URL, MODEL.name, 0.0)


def away(snapshot: Snapshot) -> StackState:
    return seeded.state(replace(snapshot, error=Unreachable("No.", host=seeded.URL)))


def test_another_client_loads_and_leaves() -> None:
    assert list(changes(IDLE, LOADED)) == ["a:latest was loaded by another client."]
    (left,) = changes(LOADED, IDLE)
    assert left.startswith("a:latest left memory")


def test_our_own_acts_speak_for_themselves() -> None:
    acting = seeded.state(IDLE.hosts[0].snapshot, (ACT,))
    assert list(changes(acting, LOADED)) == []
    assert list(changes(IDLE, acting)) == []


def test_a_server_goes_away_and_comes_back() -> None:
    gone = away(LOADED.hosts[0].snapshot)
    assert list(changes(LOADED, gone)) == ["Ollama is not reachable."]
    assert list(changes(gone, LOADED)) == ["Ollama is back."]
    builtin = seeded.snapshot(kind=HostKind.BUILTIN)
    assert list(changes(seeded.state(builtin), away(builtin))) == ["The built-in engine is not reachable."]


def test_what_changed_while_it_was_away_is_seen_when_it_is_back() -> None:
    assert list(changes(away(IDLE.hosts[0].snapshot), LOADED)) == [
        "Ollama is back.",
        "a:latest was loaded by another client.",
    ]


def test_the_first_answer_is_no_change() -> None:
    first = seeded.state(Snapshot(url=seeded.URL, capabilities=seeded.ALL))
    assert list(changes(first, LOADED)) == []


def test_a_model_that_was_deleted_while_loaded_left() -> None:
    (left,) = changes(LOADED, seeded.state(seeded.snapshot()))
    assert left.startswith("a:latest left memory")


def test_the_activity_is_newest_first_and_bounded() -> None:
    activity = Activity()
    for number in range(LIMIT + 10):
        activity.add(Event(datetime.now(UTC), Kind.NOTE, str(number)))
    assert len(activity) == LIMIT
    assert [event.text for event in activity.newest(2)] == [str(LIMIT + 9), str(LIMIT + 8)]
