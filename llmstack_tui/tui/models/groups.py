"""The line that heads the models of a host, where there are several hosts. Pure."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.structs import replace
from llmstack_tui.base.text import clean
from llmstack_tui.lifecycle.states import ModelState
from llmstack_tui.tui.draw.figures import count_text, latency_text
from llmstack_tui.tui.draw.servers import address, server_name
from llmstack_tui.tui.models.ordering import ordered
from llmstack_tui.tui.models.rows import ModelRow

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from llmstack_tui.core import HostState, StackState
    from llmstack_tui.hosts.types import Snapshot
    from llmstack_tui.tui.models.ordering import Order
    from llmstack_tui.tui.models.rows import Key


class HostLine(Struct, frozen=True, kw_only=True):
    """One host, as text.

    Attributes:
        key: its URL and no name: no model has this key.
        reachable: None until it was first asked.
        trouble: why its figures are not those of now; empty when they are.
        told: what there is to say of it, the more important first.
    """

    key: Key
    reachable: bool | None
    name: str
    trouble: str
    told: tuple[str, ...]
    folded: bool = False

    @property
    def url(self) -> str:
        return self.key[0]


Line = ModelRow | HostLine


def host_lines(
    state: StackState,
    rows: Iterable[ModelRow],
    *,
    names: Mapping[str, str],
    look_only: Collection[str] = (),
) -> tuple[HostLine, ...]:
    """A line for each host; none where there is only one.

    Args:
        rows: of all models.
        names: what the user calls a host, by its URL.
        look_only: the URLs of hosts on which nothing may be changed.
    """
    if len(state.hosts) < 2:
        return ()
    of = by_host(rows)
    return tuple(
        host_line(
            host,
            of.get(host.snapshot.url, ()),
            name=names.get(host.snapshot.url, ""),
            look_only=host.snapshot.url in look_only,
        )
        for host in state.hosts
    )


def host_line(
    host: HostState, rows: Sequence[ModelRow], *, name: str = "", look_only: bool = False
) -> HostLine:
    snapshot = host.snapshot
    where = clean(address(snapshot.url), limit=200)
    version = f" {clean(snapshot.server.version, limit=30)}" if snapshot.server else ""
    told = (
        _counts(rows) if rows or snapshot.read_at is not None else "",
        "only looked at" if look_only else "",
        server_name(snapshot.server) + version if snapshot.server else "",
        latency_text(snapshot.latency_s) if snapshot.reachable and snapshot.latency_s is not None else "",
        where if name else "",
    )
    asked = snapshot.read_at is not None or snapshot.error is not None
    return HostLine(
        key=(snapshot.url, ""),
        reachable=snapshot.reachable if asked else None,
        name=clean(name, limit=60) or where,
        trouble=_trouble(snapshot),
        told=tuple(each for each in told if each),
    )


def _trouble(snapshot: Snapshot) -> str:
    if snapshot.error is not None:
        return "not reachable"
    return "" if snapshot.read_at is not None else "no answer yet"


def _counts(rows: Sequence[ModelRow]) -> str:
    if not rows:
        return "no models"
    return f"{count_text(len(rows))} {'model' if len(rows) == 1 else 'models'}, {active_count(rows)} active"


def active_count(rows: Iterable[ModelRow]) -> int:
    """How many lines say so: several names of what is loaded once are each active."""
    return sum(row.state is ModelState.ACTIVE for row in rows)


def by_host(rows: Iterable[ModelRow]) -> dict[str, list[ModelRow]]:
    found = defaultdict[str, list[ModelRow]](list)
    for row in rows:
        found[row.key[0]].append(row)
    return found


def lines(
    rows: Sequence[ModelRow],
    hosts: Sequence[HostLine],
    order: Order,
    *,
    folded: Collection[str] = (),
    only_found: bool = False,
) -> tuple[Line, ...]:
    """What the list shows, from top to bottom: each host with its models in order, or only the models.

    Args:
        rows: those that are wanted.
        folded: the URLs of hosts whose models are not shown.
        only_found: leave out the hosts that have none of ``rows``.
    """
    if not hosts:
        return ordered(rows, order)
    of = by_host(rows)
    found: list[Line] = []
    for host in hosts:
        models = of.get(host.url, [])
        if models or not only_found:
            found.append(replace(host, folded=host.url in folded))
            found += () if host.url in folded else ordered(models, order)
    return tuple(found)
