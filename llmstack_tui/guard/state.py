"""What the guard of a host is up to, for those who show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

from llmstack_tui.guard.situation import Limits

if TYPE_CHECKING:
    from llmstack_tui.base.sentences import Sentences
    from llmstack_tui.guard.situation import Decision


class GuardState(Struct, frozen=True, kw_only=True):
    """The guard of one host.

    Attributes:
        off: why nothing is guarded there; empty where it is.
        leads: this program acts; False where another one does, None until that is known.
        held: nothing is stopped until that is taken back.
        heat: why the machine is too hot; empty where it is not.
        pinned: the names of models that are never stopped, as they were written.
        overridden: of those that are loaded, the ones that leave all the same: another client said when.
        renewed: of those, the ones that are told to stay before that.
        decisions: what it decided last.
    """

    limits: Limits = field(default_factory=Limits)
    off: Sentences = ()
    leads: bool | None = None
    held: bool = False
    heat: Sentences = ()
    pinned: frozenset[str] = frozenset()
    overridden: frozenset[str] = frozenset()
    renewed: frozenset[str] = frozenset()
    decisions: tuple[Decision, ...] = ()
