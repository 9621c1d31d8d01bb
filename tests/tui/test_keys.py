"""Every key has an id under which it can be changed, and says what it does."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.config.kinds import wrong
from llmstack_tui.tui import keys
from llmstack_tui.tui.features import BINDINGS, FEATURES, OPENING, key_faults
from llmstack_tui.tui.keymap import usable_keys

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.binding import Binding

    from llmstack_tui.tui.shell import Feature


def _pressed(*lists: Iterable[Binding]) -> Counter[str]:
    """How often each key is used in these."""
    return Counter(key.strip() for bindings in lists for each in bindings for key in each.key.split(","))


def test_every_binding_has_an_id_of_its_own_and_a_tooltip() -> None:
    ids = Counter(binding.id for binding in BINDINGS)
    assert None not in ids
    assert set(ids.values()) == {1}
    assert all(binding.tooltip and binding.description for binding in BINDINGS)


@pytest.mark.parametrize("feature", FEATURES, ids=lambda each: each.name)
def test_no_key_means_two_things_on_one_screen(feature: Feature) -> None:
    for title, own in feature.keys.items():
        is_list = bool({"cursor_up", "scroll_up", "keep"} & {each.action for each in own})
        moving = [] if is_list else keys.TEXT if title == "Keys in one download" else keys.LIST
        pressed = _pressed(own, moving)
        assert [key for key, count in pressed.items() if count > 1] == [], title
        # What lies over the screens may be closed with the key that opened it, or that leaves the program.
        closing = {"q", *(_pressed([feature.opened_by]) if feature.opened_by else ())}
        assert _pressed(OPENING, keys.APP).keys() & pressed.keys() <= closing, title


def faults(**own: str) -> list[tuple[str, Sentence]]:
    return list(key_faults(own))


def taken(key: str, *others: str) -> Sentence:
    return Sentence("setting.key_taken", {"key": repr(key), "others": others})


@pytest.mark.parametrize(
    ("name", "key", "others"),
    [
        ("models.activate", "d", ("models.deactivate",)),
        ("models.activate", "j,f5", ("list.down",)),
        ("models.activate", "?", ("app.help",)),
        ("catalog.use", "slash", ("catalog.search",)),
        ("downloads.retry", "2", ("app.downloads",)),
        ("log.copy", "k", ("log.up",)),
        ("hosts.test", "1", ("app.models",)),
        ("ask.quit", "r", ("ask.again",)),
    ],
)
def test_a_key_that_another_action_has_there_is_named(name: str, key: str, others: tuple[str, ...]) -> None:
    single = {"?": "question_mark"}.get(key, key.partition(",")[0])
    assert faults(**{name: key}) == [(name, taken(single, *others))]


def test_two_that_get_the_same_key_are_named_once() -> None:
    own = {"models.activate": "f5", "models.deactivate": "f5"}
    assert faults(**own) == [("models.activate", taken("f5", "models.deactivate"))]


@pytest.mark.parametrize(
    "own",
    [
        {"models.activate": "f5", "app.quit": "ctrl+x"},
        {"models.activate": "d", "models.deactivate": "a"},
        {"models.activate": "a", "app.quit": "q"},  # the usual ones
        {"dialog.cancel": "f9", "help.close": "f8"},
        {"log.copy": "n", "variables.write": "l"},  # never on one screen
    ],
)
def test_keys_that_can_be_told_apart_are_fine(own: dict[str, str]) -> None:
    assert faults(**own) == []


@pytest.mark.parametrize(
    ("name", "near"),
    [("models.activte", {"models.activate", "models.activity"}), ("zzz", {"app.*", "models.*", "disk.*"})],
)
def test_ids_that_are_none_are_named_with_those_that_look_alike(name: str, near: set[str]) -> None:
    ((given, fault),) = faults(**{name: "f5"})
    assert (given, fault.kind) == (name, "setting.unknown_key")
    found = fault.params["near"]
    assert isinstance(found, tuple)
    assert near <= {*found}


def test_what_is_no_key_leaves_the_usual_one() -> None:
    assert faults(**{"app.quit": " , "}) == [("app.quit", wrong(Sentence("allowed.key"), " , "))]
    assert usable_keys({"models.activate": " , ", "app.quit": "ctrl+x"}) == {"app.quit": "ctrl+x"}
