"""The list of features, walked: what each of them has to have, and what its keys may ask of the others."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import pytest
from textual.actions import parse
from textual.binding import Binding
from textual.screen import Screen

from llmstack_tui.tui.app import Dashboard
from llmstack_tui.tui.features import BY_NAME, FEATURES, OPENING
from llmstack_tui.tui.models.screen import ModelsScreen
from llmstack_tui.tui.palette import SCREENS
from llmstack_tui.tui.screen import LiveScreen, SidePane
from llmstack_tui.tui.shell import Controller

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmstack_tui.tui.shell import Feature

every_feature = pytest.mark.parametrize("feature", FEATURES, ids=lambda each: each.name)


def _screen(feature: Feature) -> type[object] | None:
    if feature.name == "models":
        return ModelsScreen
    return feature.find_class(feature.screen, Screen) if feature.screen else None


@every_feature
def test_a_feature_has_a_label_and_what_it_says_it_has(feature: Feature) -> None:
    assert feature.label
    assert BY_NAME[feature.name] is feature
    if _screen(feature) is not None:
        assert any(feature.keys.values()), "a screen has keys, and a title for them in the help"
    if feature.controller:
        feature.find_class(feature.controller, Controller)
    if feature.pane:
        feature.find_class(feature.pane, SidePane)


def test_what_stands_in_the_line_of_the_screens_has_a_key() -> None:
    assert all(feature.opened_by for feature in FEATURES if feature.is_tab)
    assert [binding.action for binding in OPENING] == [
        f"open('{feature.name}')" for feature in FEATURES if feature.opened_by
    ]


def test_the_palette_opens_what_no_key_opens_from_everywhere() -> None:
    about_a_model = {"details", "editors"}
    keyless = {each.name for each in FEATURES if each.screen and not each.opened_by}
    assert {*SCREENS} == keyless - about_a_model
    assert all(BY_NAME[name].label == label for name, (label, _) in SCREENS.items())


def _actions(feature: Feature) -> Iterator[tuple[str, str]]:
    """The actions of its keys that another feature may have, with their parameter."""
    for binding in (each for bindings in feature.keys.values() for each in bindings):
        assert isinstance(binding, Binding)
        _, name, parameters = parse(binding.action)
        if name in {"act", "act_on", "go", "go_on"}:
            (parameter,) = parameters
            yield name, str(parameter)


@every_feature
def test_what_its_keys_ask_of_features_is_there(feature: Feature) -> None:
    for action, what in _actions(feature):
        name, _, method = what.partition(".")
        if action in ("go", "go_on"):
            assert BY_NAME[name].is_tab or BY_NAME[name].screen
            continue
        owner = BY_NAME[name]
        assert owner.controller, what
        controller = owner.find_class(owner.controller, Controller)
        wants = inspect.signature(getattr(controller, method)).parameters
        assert len(wants) == (1 if action == "act" else 2), what


@every_feature
def test_its_screen_can_do_what_its_first_keys_ask(feature: Feature) -> None:
    screen = _screen(feature)
    if not isinstance(screen, type) or not issubclass(screen, LiveScreen):
        return
    for binding in screen.BINDINGS:
        assert isinstance(binding, Binding)
        namespace, name, _ = parse(binding.action)
        owner = Dashboard if namespace == "app" else screen
        assert callable(getattr(owner, f"action_{name}", None)), binding.action
