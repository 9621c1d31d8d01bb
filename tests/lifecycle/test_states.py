"""The state of every model, from what the server lists and what we are doing."""

from __future__ import annotations

from llmstack_tui.base.kinds import Capability
from llmstack_tui.hosts.types import Model, RunningModel, Snapshot
from llmstack_tui.lifecycle.actions import Act, ActKind
from llmstack_tui.lifecycle.states import Loaded, ModelState, ModelStatus, statuses

URL = "http://127.0.0.1:11434"


def snapshot(installed: list[Model], running: list[RunningModel]) -> Snapshot:
    return Snapshot(
        url=URL, capabilities=~Capability(0), installed=tuple(installed), running=tuple(running), read_at=1.0
    )


def model(name: str, digest: str = "", **more: str) -> Model:
    return Model(name=name, digest=digest, **more)  # type: ignore[arg-type]  # only texts are given


def loaded(name: str, digest: str = "") -> RunningModel:
    return RunningModel(name=name, digest=digest)


def act(kind: ActKind, name: str, host: str = URL) -> Act:
    return Act(kind, host, name, 0.0)


def states(found: tuple[ModelStatus, ...]) -> list[tuple[str, ModelState]]:
    return [(status.name, status.state) for status in found]


def test_listed_is_active_and_the_order_is_the_servers() -> None:
    found = statuses(snapshot([model("b:1"), model("a:1")], [loaded("a:1")]))
    assert states(found) == [("b:1", ModelState.INACTIVE), ("a:1", ModelState.ACTIVE)]
    assert found[1].running == loaded("a:1")
    assert found[1].model == model("a:1")
    assert {status.host for status in found} == {URL}


def test_names_are_compared_as_ollama_does() -> None:
    (status,) = statuses(snapshot([model("Mistral:latest")], [loaded("registry.ollama.ai/library/mistral")]))
    assert status.state is ModelState.ACTIVE


def test_our_acts_show() -> None:
    acts = [act(ActKind.ACTIVATE, "a"), act(ActKind.DEACTIVATE, "b:latest")]
    found = statuses(
        snapshot([model("a:latest"), model("b:latest"), model("c:latest")], [loaded("b:latest")]), acts
    )
    assert [state for _, state in states(found)] == [
        ModelState.LOADING,
        ModelState.STOPPING,
        ModelState.INACTIVE,
    ]


def test_an_activation_of_a_listed_model_leaves_it_active_and_a_stop_of_an_unlisted_one_inactive() -> None:
    acts = [act(ActKind.ACTIVATE, "a:1"), act(ActKind.DEACTIVATE, "b:1")]
    found = statuses(snapshot([model("a:1"), model("b:1")], [loaded("a:1")]), acts)
    assert [state for _, state in states(found)] == [ModelState.ACTIVE, ModelState.INACTIVE]


def test_acts_on_another_host_do_not_count() -> None:
    (status,) = statuses(snapshot([model("a:1")], []), [act(ActKind.ACTIVATE, "a:1", "http://other:1")])
    assert status.state is ModelState.INACTIVE


def test_two_names_over_one_digest_share_a_runner() -> None:
    running = loaded("first:1", "d")
    one, other = statuses(snapshot([model("first:1", "d"), model("second:1", "d")], [running]))
    assert one.running is other.running is not None
    assert [one.state, other.state] == [ModelState.ACTIVE, ModelState.ACTIVE]


def test_names_that_share_a_process_know_of_each_other_and_one_of_them_is_counted() -> None:
    installed = [model("second:1", "d"), model("first:1", "d"), model("other:1", "e")]
    found = statuses(snapshot(installed, [loaded("first:1", "d"), loaded("other:1", "e")]))
    assert [status.shares for status in found] == [("first:1",), ("second:1",), ()]
    assert [status.counted_with for status in found] == ["first:1", "", ""]
    # Its own name was removed: the first that is left is counted.
    left = statuses(snapshot(installed, [loaded("gone:1", "d")]))
    assert [status.counted_with for status in left] == ["", "second:1", ""]
    stopping = statuses(snapshot(installed, [loaded("first:1", "d")]), [act(ActKind.DEACTIVATE, "second:1")])
    assert [state for _, state in states(stopping)][:2] == [ModelState.STOPPING] * 2


def test_a_name_counts_before_a_digest() -> None:
    a, b = loaded("a:1", "d"), loaded("b:1", "d")
    found = statuses(snapshot([model("b:1", "d"), model("a:1", "d")], [a, b]))
    assert [status.running for status in found] == [b, a]
    assert Loaded([a, b]).find("c:1", "d") is a


def test_unknown_digests_are_not_equal() -> None:
    (status, orphan) = statuses(snapshot([model("a:1")], [loaded("b:1")]))
    assert status.state is ModelState.INACTIVE
    assert (orphan.name, orphan.state, orphan.model) == ("b:1", ModelState.ACTIVE, None)


def test_what_is_loaded_under_no_name_is_shown_too_and_can_be_stopping() -> None:
    acts = [act(ActKind.DEACTIVATE, "gone:1")]
    found = statuses(snapshot([model("a:1", "x")], [loaded("gone:1", "d"), loaded("a:1", "x")]), acts)
    assert states(found) == [("a:1", ModelState.ACTIVE), ("gone:1", ModelState.STOPPING)]


def test_a_cloud_model_is_never_anything_else() -> None:
    listed = model("big:cloud", "d", remote_host="https://ollama.com")
    (status,) = statuses(snapshot([listed], [loaded("big:cloud", "d")]), [act(ActKind.ACTIVATE, "big:cloud")])
    assert status.state is ModelState.CLOUD


def test_strange_names_stay_what_they_are() -> None:
    found = statuses(snapshot([model("\x1b[2J"), model("")], [loaded("\x1b[2J")]))
    assert states(found) == [("\x1b[2J", ModelState.ACTIVE), ("", ModelState.INACTIVE)]
