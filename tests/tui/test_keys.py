"""Every key has an id under which it can be changed, and says what it does."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.tui import keys
from llmstack_tui.tui.features import BINDINGS, FEATURES, OPENING
from llmstack_tui.tui.preferences import key_problems, usable_keys

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


def test_a_clash_on_any_screen_is_named() -> None:
    (problem,) = key_problems({"catalog.use": "slash"})
    assert "catalog.search and catalog.use" in problem
    (problem,) = key_problems({"downloads.retry": "2"})
    assert "app.downloads" in problem


def test_ids_that_are_none_are_named() -> None:
    assert key_problems({"models.activate": "f5", "app.quit": "ctrl+x"}) == []
    (problem,) = key_problems({"models.activte": "f5"})
    assert "'models.activte'" in problem
    assert "models.activate" in problem


def test_keys_that_get_two_meanings_are_named() -> None:
    (problem,) = key_problems({"models.activate": "?"})
    assert "models.activate and app.help" in problem
    assert key_problems({"models.activate": "d", "models.deactivate": "a"}) == []


def test_what_is_no_key_leaves_the_usual_one() -> None:
    assert key_problems({"app.quit": " , "}) == ["ui.keys: ' , ' is not a key; app.quit keeps its usual one."]
    assert usable_keys({"models.activate": " , ", "app.quit": "ctrl+x"}) == {"app.quit": "ctrl+x"}
