"""What is recorded against what is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from llmstack_tui.store.tables.activations import Difference, ListedModel, reconcile
from tests.store.samples import HOST, OTHER_HOST, activation

if TYPE_CHECKING:
    from llmstack_tui.store.tables.activations import Activation

_NAMES = st.sampled_from(["a", "b", "c"])
_DIGESTS = st.sampled_from(["", "1", "2"])
_RECORDED = st.builds(
    activation, _NAMES, host=st.sampled_from([HOST, OTHER_HOST]), digest=_DIGESTS, id=st.integers(1, 9)
)
_LOADED = st.builds(ListedModel, model=_NAMES, digest=_DIGESTS)
_RUNNING = st.dictionaries(st.sampled_from([HOST, OTHER_HOST]), st.lists(_LOADED, max_size=4))


def test_nothing_differs() -> None:
    recorded = (activation("a", digest="1"), activation("b", host=OTHER_HOST))
    running = {HOST: [ListedModel(model="a", digest="1")], OTHER_HOST: [ListedModel(model="b", digest="2")]}
    assert reconcile(recorded, running) == Difference()
    assert not reconcile(recorded, running)


def test_ended_and_appeared_while_nobody_looked() -> None:
    gone, still = activation("gone"), activation("still")
    new = ListedModel(model="new")
    difference = reconcile([gone, still], {HOST: [new, ListedModel(model="still")]})
    assert difference == Difference((gone,), ((HOST, new),))


def test_the_same_model_under_another_name() -> None:
    assert not reconcile([activation("copy", digest="1")], {HOST: [ListedModel(model="a", digest="1")]})


def test_another_version_under_the_same_name() -> None:
    old, new = activation("a", digest="1"), ListedModel(model="a", digest="2")
    assert reconcile([old], {HOST: [new]}) == Difference((old,), ((HOST, new),))


def test_the_same_name_on_another_host_is_another_model() -> None:
    here, there = activation("a"), ListedModel(model="a")
    assert reconcile([here], {HOST: [], OTHER_HOST: [there]}) == Difference((here,), ((OTHER_HOST, there),))


def test_of_a_host_that_did_not_answer_nothing_is_concluded() -> None:
    assert not reconcile([activation("a")], {OTHER_HOST: []})


@given(st.lists(_RECORDED, max_size=6), _RUNNING)
def test_it_adds_up(recorded: list[Activation], running: dict[str, list[ListedModel]]) -> None:
    difference = reconcile(recorded, running)
    assert set(map(id, difference.ended)) <= set(map(id, recorded))
    assert all(each.host in running for each in difference.ended)
    assert all(loaded in running[host] for host, loaded in difference.appeared)
    # Once it is settled there is no difference any more.
    settled = [each for each in recorded if each not in difference.ended] + [
        activation(loaded.model, host=host, digest=loaded.digest) for host, loaded in difference.appeared
    ]
    assert not reconcile(settled, running)
