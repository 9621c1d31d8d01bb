"""The list of the dashboard's features: a new one is a folder, and an entry here.

The order is that of the line of the screens, and of the help.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct
from textual.binding import Binding

from llmstack_tui.tui import (
    activity,
    catalog,
    details,
    disk,
    downloads,
    keys,
    models,
    updates,
)
from llmstack_tui.tui.shell import Controller
from llmstack_tui.tui.widgets.header import Tab

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Literal

    from textual.screen import Screen

    from llmstack_tui.core.state import StackState
    from llmstack_tui.tui.activity.feed import ActivityFeed
    from llmstack_tui.tui.activity.screen import ActivityPane, ActivityScreen
    from llmstack_tui.tui.catalog.screen import CatalogScreen
    from llmstack_tui.tui.details.cache import DetailsCache
    from llmstack_tui.tui.details.pane import DetailsPane
    from llmstack_tui.tui.details.screen import DetailsScreen
    from llmstack_tui.tui.disk.screen import DiskScreen
    from llmstack_tui.tui.downloads.actions import DownloadController
    from llmstack_tui.tui.downloads.screen import DownloadsScreen
    from llmstack_tui.tui.draw.glyphs import Marks
    from llmstack_tui.tui.guard.actions import GuardController
    from llmstack_tui.tui.memory.pane import FallbackNotifier, MemoryPane
    from llmstack_tui.tui.models.actions import ModelController
    from llmstack_tui.tui.screen import SidePane
    from llmstack_tui.tui.servers.connection import Connection
    from llmstack_tui.tui.shell import Shell
    from llmstack_tui.tui.updates.actions import UpdateController
    from llmstack_tui.tui.updates.screen import UpdatesScreen

C = TypeVar("C", bound=Controller)


class Feature(Struct, frozen=True, kw_only=True):
    """One part of the dashboard: its keys, and how to get its screen and its controller when they are needed.

    Attributes:
        name: of its folder; `Shell.open` and `Shell.act` know it by that.
        label: what the line of the screens and the palette call it.
        keys: the bindings of its screens, by the title that they have in the help.
        opened_by: the key that opens its screen from everywhere.
        is_tab: its screen stands in the line of the screens, and is kept when another one is shown.
        screen: imports its screen, which is made with the marks and what else is given to `Shell.open`.
        controller: imports what it does beside drawing.
        pane: imports what it shows beside the list of models, on ``pane_side`` of the first screen.
        badge: what stands behind its label in the line of the screens.
    """

    name: str
    label: str
    keys: Mapping[str, Sequence[Binding]] = {}
    opened_by: Binding | None = None
    is_tab: bool = False
    screen: Callable[[], Callable[..., Screen[None]]] | None = None
    controller: Callable[[], type[Controller]] | None = None
    pane: Callable[[], Callable[[Marks], SidePane]] | None = None
    pane_side: Literal["left", "right"] = "right"
    badge: Callable[[StackState], str] = lambda _: ""


def _models_controller() -> type[ModelController]:
    from llmstack_tui.tui.models.actions import ModelController

    return ModelController


def _downloads_screen() -> type[DownloadsScreen]:
    from llmstack_tui.tui.downloads.screen import DownloadsScreen

    return DownloadsScreen


def _downloads_controller() -> type[DownloadController]:
    from llmstack_tui.tui.downloads.actions import DownloadController

    return DownloadController


def _downloads_badge(state: StackState) -> str:
    """How many pulls are not over yet."""
    count = sum(not download.state.is_over for download in state.downloads)
    return f"({count})" if count else ""


def _catalog_screen() -> type[CatalogScreen]:
    from llmstack_tui.tui.catalog.screen import CatalogScreen

    return CatalogScreen


def _disk_screen() -> type[DiskScreen]:
    from llmstack_tui.tui.disk.screen import DiskScreen

    return DiskScreen


def _updates_screen() -> type[UpdatesScreen]:
    from llmstack_tui.tui.updates.screen import UpdatesScreen

    return UpdatesScreen


def _updates_controller() -> type[UpdateController]:
    from llmstack_tui.tui.updates.actions import UpdateController

    return UpdateController


def _details_screen() -> type[DetailsScreen]:
    from llmstack_tui.tui.details.screen import DetailsScreen

    return DetailsScreen


def _details_controller() -> type[DetailsCache]:
    from llmstack_tui.tui.details.cache import DetailsCache

    return DetailsCache


def _details_pane() -> type[DetailsPane]:
    from llmstack_tui.tui.details.pane import DetailsPane

    return DetailsPane


def _activity_screen() -> type[ActivityScreen]:
    from llmstack_tui.tui.activity.screen import ActivityScreen

    return ActivityScreen


def _activity_controller() -> type[ActivityFeed]:
    from llmstack_tui.tui.activity.feed import ActivityFeed

    return ActivityFeed


def _activity_pane() -> type[ActivityPane]:
    from llmstack_tui.tui.activity.screen import ActivityPane

    return ActivityPane


def _memory_controller() -> type[FallbackNotifier]:
    from llmstack_tui.tui.memory.pane import FallbackNotifier

    return FallbackNotifier


def _memory_pane() -> type[MemoryPane]:
    from llmstack_tui.tui.memory.pane import MemoryPane

    return MemoryPane


def _guard_controller() -> type[GuardController]:
    from llmstack_tui.tui.guard.actions import GuardController

    return GuardController


def _servers_controller() -> type[Connection]:
    from llmstack_tui.tui.servers.connection import Connection

    return Connection


FEATURES = (
    Feature(
        name="models",
        label="Models",
        keys={
            "Keys for models": models.KEYS,
            "Keys of the list": keys.LIST,
            "Keys while a filter is typed": keys.FILTER,
        },
        opened_by=Binding(
            "1", "open('models')", "Models", show=False, id="app.models", tooltip="The installed models"
        ),
        is_tab=True,
        controller=_models_controller,
    ),
    Feature(
        name="downloads",
        label="Downloads",
        keys={"Keys of the downloads": downloads.KEYS, "Keys in one download": downloads.ONE_KEYS},
        opened_by=Binding(
            "2", "open('downloads')", "Downloads", show=False, id="app.downloads",
            tooltip="What is being pulled, what waits, and the result",
        ),
        is_tab=True,
        screen=_downloads_screen,
        controller=_downloads_controller,
        badge=_downloads_badge,
    ),
    Feature(
        name="catalog",
        label="Catalog",
        keys={"Keys of the catalog": catalog.KEYS, "Keys in one entry of the catalog": catalog.ENTRY_KEYS},
        opened_by=Binding(
            "3", "open('catalog')", "Catalog", show=False, id="app.catalog",
            tooltip="Models worth having, what they take, and which of them fit here",
        ),
        is_tab=True,
        screen=_catalog_screen,
    ),
    Feature(
        name="disk",
        label="Disk",
        keys={"Keys of the disk": disk.KEYS},
        opened_by=Binding(
            "D", "open('disk')", "Disk", show=False, id="app.disk",
            tooltip="What the built-in engine's models take on the disk, and a clean-up of what nothing uses",
        ),
        screen=_disk_screen,
    ),
    Feature(
        name="updates",
        label="Updates",
        keys={"Keys on the screen of updates": updates.KEYS, "Keys of its list": updates.LIST_KEYS},
        screen=_updates_screen,
        controller=_updates_controller,
    ),
    Feature(
        name="details",
        label="Details",
        keys={"Keys in the details": details.KEYS, "Keys of the details' text": keys.TEXT},
        screen=_details_screen,
        controller=_details_controller,
        pane=_details_pane,
    ),
    Feature(
        name="activity",
        label="Activity",
        keys={
            "Keys of the activity": activity.LIST_KEYS,
            "Keys on the screen of the activity": activity.KEYS,
            "Keys in one line of the activity": activity.LINE_KEYS,
        },
        screen=_activity_screen,
        controller=_activity_controller,
        pane=_activity_pane,
    ),
    Feature(
        name="memory",
        label="Memory",
        controller=_memory_controller,
        pane=_memory_pane,
        pane_side="left",
    ),
    Feature(
        name="guard",
        label="Guard",
        controller=_guard_controller,
    ),
    Feature(
        name="servers",
        label="Servers",
        controller=_servers_controller,
    ),
)  # fmt: skip
BY_NAME = {feature.name: feature for feature in FEATURES}
OPENING = tuple(feature.opened_by for feature in FEATURES if feature.opened_by)
"""The keys that open a screen from everywhere."""

CONTEXTS = {
    "Keys everywhere": (*OPENING, *keys.APP),
    **{title: bindings for feature in FEATURES for title, bindings in feature.keys.items()},
    **keys.CONTEXTS,
}
"""What is pressed where, by the title that it has in the help."""

BINDINGS = tuple(binding for bindings in CONTEXTS.values() for binding in bindings)


def panes(marks: Marks) -> tuple[list[SidePane], list[SidePane]]:
    """What stands beside the list of models: below it on the left, and on the right."""
    left: list[SidePane] = []
    right: list[SidePane] = []
    for feature in FEATURES:
        if feature.pane is not None:
            (left if feature.pane_side == "left" else right).append(feature.pane()(marks))
    return left, right


def tabs(state: StackState | None, keys: Mapping[str, str]) -> list[Tab]:
    """The line of the screens; ``keys`` has the key of each binding by its id."""
    return [
        Tab(each.name, each.label, keys[each.opened_by.id or ""], each.badge(state) if state else "")
        for each in FEATURES
        if each.is_tab and each.opened_by
    ]


def import_controllers() -> None:
    """So that the first state need not wait for it. Takes some 20 ms: not on the event loop."""
    for feature in FEATURES:
        if feature.controller is not None:
            feature.controller()


class Controllers:
    """The one controller of each feature, made when it is first needed."""

    def __init__(self, shell: Shell, *made: Controller) -> None:
        self._shell = shell
        self._made = {type(each): each for each in made}

    def __iter__(self) -> Iterator[Controller]:
        """All of them, in the order of the features."""
        return (self.get(each.controller()) for each in FEATURES if each.controller)

    def get(self, kind: type[C]) -> C:
        found = self._made.get(kind)
        if not isinstance(found, kind):
            found = self._made[kind] = kind(self._shell)
        return found

    def act(self, name: str, *about: object) -> None:
        """As `Shell.act`."""
        feature, _, action = name.partition(".")
        imported = BY_NAME[feature].controller
        if imported is None:
            raise ValueError(f"The feature {feature!r} has no controller.")
        getattr(self.get(imported()), action)(*about)
