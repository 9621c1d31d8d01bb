"""Loaded models as tests write them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.structs import replace
from llmstack_tui.guard.situation import Limits, LoadedModel, Situation, Stop

if TYPE_CHECKING:
    from llmstack_tui.guard.situation import Decision

GB = 1_000_000_000
_USUAL = LoadedModel(name="", sign_at_s=0.0, idle_s=5.0, size=GB)


def loaded(name: str, used_at_s: float = 0.0, **more: object) -> LoadedModel:
    """A model that was used at that time, and that nothing keeps."""
    return replace(_USUAL, name=name, digest=name, sign_at_s=used_at_s, **more)  # type: ignore[arg-type]


def too_many(*models: LoadedModel, max_loaded: int | None = 1, budget: int | None = None) -> Situation:
    """Two looks have found these."""
    limits = Limits(max_loaded=max_loaded, memory_budget=budget, memory_word="VRAM")
    return Situation(loaded=models, limits=limits, looks_over=2)


def stopped(decisions: tuple[Decision, ...]) -> list[str]:
    return [each.model for each in decisions if isinstance(each, Stop)]


def reasons(decisions: tuple[Decision, ...]) -> str:
    return " ".join(each.reason for each in decisions).replace("\N{NO-BREAK SPACE}", " ")
