"""The list of the dashboard's features: a new feature is a folder, and a line here.

Their order is that of the tabs and of the help.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from llmstack_tui.base.languages import tr
from llmstack_tui.tui import (
    activity,
    api_keys,
    catalog,
    chat,
    details,
    disk,
    downloads,
    editors,
    guard,
    guide,
    install,
    keymap,
    keys,
    log,
    memory,
    models,
    servers,
    service,
    settings,
    system,
    updates,
    variables,
)
from llmstack_tui.tui.screen import SidePane
from llmstack_tui.tui.shell import Controller, Tab

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from llmstack_tui.base.sentences import Sentence
    from llmstack_tui.core.state import StackState
    from llmstack_tui.tui.shell import Feature, Shell

C = TypeVar("C", bound=Controller)

FEATURES = (
    models.FEATURE,
    downloads.FEATURE,
    catalog.FEATURE,
    chat.FEATURE,
    disk.FEATURE,
    updates.FEATURE,
    details.FEATURE,
    editors.FEATURE,
    activity.FEATURE,
    memory.FEATURE,
    guard.FEATURE,
    servers.FEATURE,
    settings.FEATURE,
    system.FEATURE,
    variables.FEATURE,
    install.FEATURE,
    api_keys.FEATURE,
    service.FEATURE,
    log.FEATURE,
    guide.FEATURE,
)
BY_NAME = {feature.name: feature for feature in FEATURES}
OPENING = tuple(feature.opened_by for feature in FEATURES if feature.opened_by)
"""The keys that open a screen from everywhere."""

CONTEXTS = {
    keymap.EVERYWHERE: (*OPENING, *keys.APP),
    **{title: bindings for feature in FEATURES for title, bindings in feature.keys.items()},
    **keys.CONTEXTS,
}
"""The key bindings of each context, by its title in the help."""

BINDINGS = tuple(binding for bindings in CONTEXTS.values() for binding in bindings)


def key_faults(own: Mapping[str, str]) -> Iterator[tuple[str, Sentence]]:
    """See `keymap.faults`."""
    return keymap.faults(CONTEXTS, own)


def panes() -> tuple[list[SidePane], list[SidePane]]:
    """The panes around the list of models: those below it (left), and those beside it (right)."""
    left: list[SidePane] = []
    right: list[SidePane] = []
    for feature in FEATURES:
        if feature.pane:
            make: Callable[[], SidePane] = feature.find_class(feature.pane, SidePane)
            (left if feature.pane_side == "left" else right).append(make())
    return left, right


def tabs(state: StackState | None, keys: Mapping[str, str]) -> list[Tab]:
    """The tabs of the screens; ``keys`` maps the id of each binding to its key."""
    return [
        Tab(each.name, tr(each.label), keys[each.opened_by.id or ""], each.badge(state) if state else "")
        for each in FEATURES
        if each.is_tab and each.opened_by
    ]


def import_controllers() -> None:
    """Import ahead what the first state needs. Takes some 20 ms: not on the event loop."""
    for feature in FEATURES:
        if feature.controller:
            feature.find_class(feature.controller, Controller)


class Controllers:
    """The one controller of each feature, made when it is first needed."""

    def __init__(self, shell: Shell, *made: Controller) -> None:
        self._shell = shell
        self._made = {type(each): each for each in made}

    def __iter__(self) -> Iterator[Controller]:
        """All controllers, in the order of the features."""
        return (self._of(each) for each in FEATURES if each.controller)

    def get(self, kind: type[C]) -> C:
        found = self._made.get(kind)
        if not isinstance(found, kind):
            found = self._made[kind] = kind(self._shell)
        return found

    def act(self, name: str, *about: object) -> None:
        """See `Shell.act`."""
        feature, _, action = name.partition(".")
        getattr(self._of(BY_NAME[feature]), action)(*about)

    def _of(self, feature: Feature) -> Controller:
        return self.get(feature.find_class(feature.controller, Controller))
