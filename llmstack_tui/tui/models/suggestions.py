"""What an empty list shows: the models that suit this machine, and what the keys do with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base import lazy
from llmstack_tui.base.address import is_loopback
from llmstack_tui.base.kinds import Capability, HostKind
from llmstack_tui.base.languages import current, tr
from llmstack_tui.base.names import listed_name
from llmstack_tui.base.units import bytes_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from llmstack_tui.catalog.types import Catalog, Entry, Use
    from llmstack_tui.core.state import StackState
    from llmstack_tui.hosts.types import Snapshot
    from llmstack_tui.tui.stack import DashboardStack
    from llmstack_tui.tui.view import Key, View


class HintRow(Struct, frozen=True):
    """A line of text, which the cursor passes over. Its key is no model's."""

    key: Key
    text: str
    is_heading: bool = False


class SuggestionRow(Struct, frozen=True, kw_only=True):
    """A model of the catalog in two lines, as text.

    Attributes:
        key: that of the model once it is there.
        name: its name in the catalog.
        may_pull: it is drawn as something that a key gets.
    """

    key: Key
    name: str
    quantization: str
    download: str
    memory: str
    fits: str
    good_for: str
    may_pull: bool


NewcomerRow = SuggestionRow | HintRow


class Suggestions:
    """Makes the rows from the catalog, and again only when what they depend on has changed."""

    def __init__(self) -> None:
        self._catalog: Catalog | None = None
        self._made_of: tuple[object, ...] = ()
        self._rows: tuple[NewcomerRow, ...] = ()

    @property
    def is_read(self) -> bool:
        return self._catalog is not None

    async def read(self, stack: DashboardStack) -> None:
        await lazy.load(".catalog.rules")
        self._catalog = await stack.catalog.catalog()

    def rows(self, view: View, stack: DashboardStack) -> tuple[NewcomerRow, ...]:
        """The rows for a list without models; none where no server of this machine can pull one."""
        state = view.state
        host = _host(state) if state is not None else None
        if self._catalog is None or state is None or host is None:
            return ()
        may_pull = not stack.read_only and host.url not in stack.look_only
        profile, kind = state.profile, host.server.kind if host.server else None
        disk = state.machine.disk.free if state.machine and state.machine.disk else None
        budget, name = (profile.memory_budget, profile.name) if profile else (None, "")
        # The free space of the disk changes all the time; what it means for the suggestions does not.
        made_of = (host.url, kind, budget, name, disk and disk >> 30, may_pull, view.keys, current())
        if made_of != self._made_of:
            from llmstack_tui.catalog.rules import engine_runs, suggested

            entries = [
                each for each in self._catalog.entries if kind is not HostKind.BUILTIN or engine_runs(each)
            ]
            found = suggested(entries, budget=budget, disk=disk, on_cpu=name == "cpu")
            self._made_of = made_of
            self._rows = (*_lines(found, host.url, budget, view, may_pull=may_pull),) if found else ()
        return self._rows


def _host(state: StackState) -> Snapshot | None:
    """The first server of this machine that can pull a model now."""
    snapshots = (host.snapshot for host in state.hosts)
    can = (each for each in snapshots if each.reachable and Capability.PULL in each.capabilities)
    return next((each for each in can if is_loopback(each.url)), None)


def _lines(
    found: Mapping[Use, Entry], url: str, budget: int | None, view: View, *, may_pull: bool
) -> Iterator[NewcomerRow]:
    from llmstack_tui.catalog.rules import SHORT, estimate, fit

    yield HintRow((url, "\nheading"), tr("No models here yet. These suit this machine:"), is_heading=True)
    for use, each in found.items():
        file = each.files[0]
        needs = estimate(each, file, SHORT)
        yield SuggestionRow(
            key=(url, listed_name(each.name)),
            name=each.name,
            quantization=file.quantization or "",
            download=bytes_text(file.bytes),
            memory=f"~{bytes_text(needs.total)}" if needs else "",
            fits=tr(fit(each, file, budget)),
            good_for=f"{tr(use)}: {tr(each.good_for)}",
            may_pull=may_pull,
        )
    keys = view.keys
    if may_pull:
        add, catalog = keys["models.import"], keys["app.catalog"]
        said = (
            tr("{key} downloads the model under the cursor, after a question.", key=keys["models.open"]),
            tr(
                "{add} pulls another by its name or imports a file, {catalog} shows the catalog.",
                add=add,
                catalog=catalog,
            ),
        )
    else:
        said = (
            tr("Nothing can be downloaded: llmstack is read-only."),
            tr("Press {key} for models worth having.", key=keys["app.catalog"]),
        )
    yield from (HintRow((url, f"\nhint {text}"), text) for text in ("", *said))
