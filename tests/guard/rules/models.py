"""Loaded models as tests write them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.base.structs import replace
from llmstack_tui.guard.types import Allow, Limits, LoadedModel, Situation, Stop

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from llmstack_tui.base.sentences import Param
    from llmstack_tui.guard.types import Admission, Decision

GB = 1_000_000_000
HOT = (Sentence("guard.throttled", {"device": "GPU 0"}),)
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


def kinds(decisions: Iterable[Decision | Admission]) -> list[str]:
    """What is said of them, without the room's name."""
    said = [sentence for each in decisions if not isinstance(each, Allow) for sentence in each.reason]
    return [each.kind.removeprefix("guard.") for each in said]


def params(decisions: Iterable[Decision | Admission], kind: str) -> Mapping[str, Param]:
    """With what that is said."""
    said = [sentence for each in decisions if not isinstance(each, Allow) for sentence in each.reason]
    return next(each.params for each in said if each.kind == f"guard.{kind}")
