"""The rows of the installation: the ways, the versions on this machine, and the published ones. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.languages import tr
from llmstack_tui.install.types import WAY_NAMES, InstallPlan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmstack_tui.install.types import InstallOffer

_MOST_PUBLISHED = 12


class InstallRow(Struct, frozen=True, kw_only=True):
    """A way with its plan, or a version; a heading has neither.

    Attributes:
        is_kept: the version is on this machine.
    """

    key: str
    label: str
    about: str = ""
    tone: str = "plain"
    plan: InstallPlan | None = None
    version: str = ""
    is_kept: bool = False

    def __hash__(self) -> int:
        return hash((self.key, self.label, self.about))

    @property
    def is_heading(self) -> bool:
        return self.plan is None and not self.version


def install_rows(offer: InstallOffer) -> Iterator[InstallRow]:
    yield InstallRow(key="ways", label=tr("Ways"), tone="heading")
    for plan in offer.plans:
        tone = "muted" if plan.problems else "name"
        label = tr(WAY_NAMES[plan.way])
        yield InstallRow(
            key=plan.way, label=label, about=plan.version, tone=tone, plan=plan, version=plan.version
        )
    yield from _versions(offer, tr("On this machine"), offer.versions.kept, is_kept=True)
    published = tuple(each for each in offer.known if each not in offer.versions.kept)
    yield from _versions(offer, tr("Published"), published[:_MOST_PUBLISHED], is_kept=False)


def _versions(
    offer: InstallOffer, heading: str, versions: tuple[str, ...], *, is_kept: bool
) -> Iterator[InstallRow]:
    if versions:
        yield InstallRow(key=heading, label=heading, tone="heading")
    for each in versions:
        about = tr("in use") if each == offer.versions.current else ""
        about = tr("stays") if each == offer.versions.record.held else about
        tone = "good" if each == offer.versions.current else "plain"
        yield InstallRow(
            key=f"version {each}", label=each, about=about, tone=tone, version=each, is_kept=is_kept
        )
