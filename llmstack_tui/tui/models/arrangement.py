"""Which models the list shows, their order, and the lines of their hosts. Pure."""

from __future__ import annotations

from collections import defaultdict
from enum import StrEnum
from math import inf
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from llmstack_tui.base.address import is_ssh
from llmstack_tui.base.languages import later, tr, tr_n
from llmstack_tui.base.structs import replace
from llmstack_tui.base.text import brief
from llmstack_tui.hosts.errors import NoTunnel
from llmstack_tui.lifecycle.states import ModelState
from llmstack_tui.tui.draw.figures import latency_text, used_text
from llmstack_tui.tui.draw.servers import address, server_name
from llmstack_tui.tui.draw.updates import progress_cell, speed_and_left, under_way
from llmstack_tui.tui.models.rows import ModelRow
from llmstack_tui.tui.widgets.table import SortOrder, known_first

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from llmstack_tui.core.state import HostState, StackState
    from llmstack_tui.downloads.types import Download
    from llmstack_tui.hosts.types import Snapshot
    from llmstack_tui.tui.draw.marks import Marks
    from llmstack_tui.tui.view import Key

_STATES = tuple(ModelState)
_ON_DISK = frozenset({ModelState.INACTIVE, ModelState.CLOUD})


class ModelColumn(StrEnum):
    """What the list can be sorted by; SERVER is the server's own order."""

    SERVER = later("server")
    NAME = later("name")
    UPDATE = later("update")
    VERSION = later("version")
    QUANTIZATION = later("quantisation")  # the spelling that is stored
    SIZE = later("size")
    MEMORY = later("memory")
    STATE = later("state")
    SPEED = later("speed")
    LEAVES = later("leaves")


_LARGEST_FIRST = frozenset(
    {ModelColumn.UPDATE, ModelColumn.VERSION, ModelColumn.SIZE, ModelColumn.MEMORY, ModelColumn.SPEED}
)


class ModelOrder(SortOrder[ModelColumn], frozen=True):
    """The order of the models.

    By default names go from a to z, and first come the largest figure, the newest version, the model that
    leaves next, and busy models before idle ones.
    """

    column: ModelColumn = ModelColumn.SERVER

    @property
    def upwards(self) -> bool:
        """Whether lower values come first."""
        return (self.column in _LARGEST_FIRST) == self.reverse


_AS_LISTED = ModelOrder()


class Arrangement(Struct, frozen=True):
    """The user's arrangement of the list, kept between sessions.

    Attributes:
        folded: the URLs of the hosts whose models are not shown.
    """

    order: ModelOrder = _AS_LISTED
    folded: tuple[str, ...] = ()


_FIGURES: Mapping[ModelColumn, Callable[[ModelRow], Any]] = {
    ModelColumn.UPDATE: lambda row: row.figures.download,
    ModelColumn.VERSION: lambda row: row.figures.modified_at,
    ModelColumn.QUANTIZATION: lambda row: row.quantization.casefold() or None,
    ModelColumn.SIZE: lambda row: row.figures.size,
    ModelColumn.MEMORY: lambda row: row.figures.memory,
    ModelColumn.SPEED: lambda row: row.figures.speed,
    ModelColumn.LEAVES: lambda row: row.figures.leaves_at,
}


def ordered(rows: Sequence[ModelRow], order: ModelOrder) -> tuple[ModelRow, ...]:
    """Sort rows. Equal ones keep the server's order; those without a figure come last, also in reverse."""
    match order.column:
        case ModelColumn.SERVER:
            return tuple(reversed(rows)) if order.reverse else tuple(rows)
        case ModelColumn.NAME:
            return tuple(sorted(rows, key=lambda row: row.name.casefold(), reverse=order.reverse))
        case ModelColumn.STATE:
            return tuple(sorted(rows, key=_by_state, reverse=order.reverse))
        case column:
            return known_first(rows, _FIGURES[column], reverse=not order.upwards)


def _by_state(row: ModelRow) -> tuple[int, float]:
    figures = row.figures
    # Busy ones first, unknown ones last.
    worked_s = inf if figures.busy else -inf if figures.idle_since_s is None else figures.idle_since_s
    return _STATES.index(row.state), -worked_s


def matching(rows: Sequence[ModelRow], text: str) -> tuple[ModelRow, ...]:
    """The rows that contain every word of ``text``, ignoring case; all of them if it has no words."""
    words = text.casefold().split()
    if not words:
        return tuple(rows)
    return tuple(row for row in rows if all(word in row.searched for word in words))


class HostRow(Struct, frozen=True, kw_only=True):
    """One host, as text.

    Attributes:
        key: its URL with an empty name, which is no model's key.
        reachable: None until it was first asked.
        trouble: why its figures are not current; empty if they are.
        facts: texts about it, the most important first.
    """

    key: Key
    reachable: bool | None
    name: str
    trouble: str
    facts: tuple[str, ...]
    folded: bool = False

    @property
    def url(self) -> str:
        return self.key[0]


class PullRow(Struct, frozen=True):
    """A model that is being pulled and is not installed yet, as text.

    Attributes:
        key: that of the model once it is there.
    """

    key: Key
    mark: str
    name: str
    progress: str


ListRow = ModelRow | HostRow | PullRow


def pull_rows(downloads: Sequence[Download], rows: Iterable[ModelRow], marks: Marks) -> tuple[PullRow, ...]:
    """A row for each model under way that is none of ``rows``."""
    pulls = under_way(downloads) if downloads else {}
    for row in rows if pulls else ():
        pulls.pop(row.key, None)
    return tuple(
        PullRow(key, marks.pulling, brief(key[1], 400), _progress(each, marks)) for key, each in pulls.items()
    )


def _progress(download: Download, marks: Marks) -> str:
    said = progress_cell(download, marks).removeprefix(f"{marks.pulling} ")
    amount = used_text(download.completed, download.total) if download.completed else ""
    return "  ".join(filter(None, (said, amount, *speed_and_left(download))))


def host_rows(
    state: StackState,
    rows: Iterable[ModelRow],
    *,
    names: Mapping[str, str],
    look_only: Collection[str] = (),
) -> tuple[HostRow, ...]:
    """A row for each host; none if there is only one.

    Args:
        rows: of all models.
        names: the user's names for hosts, by URL.
        look_only: the URLs of hosts on which nothing may be changed.
    """
    if len(state.hosts) < 2:
        return ()
    models = models_by_host(rows)
    return tuple(
        host_row(
            host,
            models.get(host.snapshot.url, ()),
            name=names.get(host.snapshot.url, ""),
            look_only=host.snapshot.url in look_only,
        )
        for host in state.hosts
    )


def host_row(
    host: HostState, rows: Sequence[ModelRow], *, name: str = "", look_only: bool = False
) -> HostRow:
    snapshot = host.snapshot
    where = address(snapshot.url)
    version = f" {brief(snapshot.server.version, 30)}" if snapshot.server else ""
    facts = (
        _counts(rows) if rows or snapshot.read_at is not None else "",
        tr("read-only") if look_only else "",
        server_name(snapshot.server) + version if snapshot.server else "",
        latency_text(snapshot.latency_s) if snapshot.reachable and snapshot.latency_s is not None else "",
        where if name else "",
    )
    return HostRow(
        key=(snapshot.url, ""),
        reachable=snapshot.reachable if snapshot.was_polled else None,
        name=name or where,
        trouble=_trouble(snapshot),
        facts=tuple(each for each in facts if each),
    )


def _trouble(snapshot: Snapshot) -> str:
    if isinstance(snapshot.error, NoTunnel):
        return tr("no SSH connection")
    if snapshot.error is not None:
        return tr("not reachable")
    if snapshot.read_at is not None:
        return ""
    return tr("connecting through SSH") if is_ssh(snapshot.url) else tr("no answer yet")


def _counts(rows: Sequence[ModelRow]) -> str:
    if not rows:
        return tr("no models")
    return tr_n(
        "{count:,} model, {active} active",
        "{count:,} models, {active} active",
        len(rows),
        active=active_count(rows),
    )


def active_count(rows: Iterable[ModelRow]) -> int:
    """The number of active models; names that share one process count once."""
    return sum(row.state is ModelState.ACTIVE and not row.is_further for row in rows)


def models_by_host(rows: Iterable[ModelRow]) -> dict[str, list[ModelRow]]:
    found = defaultdict[str, list[ModelRow]](list)
    for row in rows:
        found[row.key[0]].append(row)
    return found


def listed_rows(
    rows: Sequence[ModelRow],
    hosts: Sequence[HostRow],
    order: ModelOrder,
    *,
    pulls: Sequence[PullRow] = (),
    active_first: bool = False,
    folded: Collection[str] = (),
    only_found: bool = False,
) -> tuple[ListRow, ...]:
    """The rows from top to bottom: each host with what is pulled to it and its sorted models.

    Args:
        rows: the models that pass the filter.
        hosts: none if there is only one host, which needs no row.
        active_first: of each host, the models in memory come first.
        folded: the URLs of hosts whose models are not shown.
        only_found: leave out the hosts that have none of ``rows``.
    """
    rows = ordered(rows, order)
    if active_first:
        # Python's sort keeps the order of what is equal.
        rows = sorted(rows, key=lambda row: row.state in _ON_DISK)
    if not hosts:
        return (*pulls, *rows)
    by_host = models_by_host(rows)
    found: list[ListRow] = []
    for host in hosts:
        models = by_host.get(host.url, [])
        if models or not only_found:
            found.append(replace(host, folded=host.url in folded))
            pulled = [each for each in pulls if each.key[0] == host.url]
            found += () if host.url in folded else (*pulled, *models)
    return tuple(found)
