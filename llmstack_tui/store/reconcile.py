"""What is recorded as loaded against what is. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from llmstack_tui.store.tables.activations import Activation


class Loaded(Struct, frozen=True, kw_only=True):
    """A model that a host lists as loaded now."""

    model: str
    digest: str = ""
    context_length: int | None = None


class Difference(Struct, frozen=True):
    """Where the record and the hosts differ.

    Attributes:
        ended: recorded as loaded, and not loaded any more.
        appeared: loaded, and not recorded; each with its host.
    """

    ended: tuple[Activation, ...] = ()
    appeared: tuple[tuple[str, Loaded], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.ended or self.appeared)


def reconcile(
    recorded_active: Iterable[Activation], really_running: Mapping[str, Iterable[Loaded]]
) -> Difference:
    """Compare the activations without an end with what each host lists.

    ``really_running`` has only the hosts that answered: of the others nothing is known or concluded.
    Another name with the same digest is the same model; the same name with another digest is another version,
    so one load ended and another began. Contexts are not compared: a server may change the one that was asked
    for.
    """
    running = {host: tuple(each) for host, each in really_running.items()}
    recorded = [each for each in recorded_active if each.host in running]
    ended = (each for each in recorded if not any(_same(each, loaded) for loaded in running[each.host]))
    appeared = (
        (host, loaded)
        for host, listed in running.items()
        for loaded in listed
        if not any(each.host == host and _same(each, loaded) for each in recorded)
    )
    return Difference(tuple(ended), tuple(appeared))


def _same(recorded: Activation, loaded: Loaded) -> bool:
    if recorded.digest and loaded.digest:
        return recorded.digest == loaded.digest
    return recorded.model == loaded.model
