"""Models with every kind of verdict on them, frozen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from llmstack_tui.base.sentences import Sentence, quoted
from llmstack_tui.base.structs import replace
from llmstack_tui.downloads.types import Download, DownloadState, LayerProgress, Why
from llmstack_tui.updates.rules import Change, Update, UpdateState
from tests.support import seeded

if TYPE_CHECKING:
    from llmstack_tui.core.state import StackState

NOW = datetime(2026, 11, 21, 12, 1, tzinfo=UTC)
CHECKED = NOW - timedelta(minutes=12)
CURRENT = Update(state=UpdateState.CURRENT, checked_at=CHECKED, digest="c" * 64)
STALE = Update(
    state=UpdateState.STALE,
    changed=(Change.WEIGHTS, Change.TEMPLATE),
    download=4_100_000_000,
    checked_at=CHECKED,
    digest="a" * 64,
    pushed_at=NOW - timedelta(days=3),
)
TEMPLATE_ONLY = replace(
    STALE, changed=(Change.TEMPLATE, Change.LICENSE), download=12_345, at_most=True, digest="b" * 64
)
CHANGED_HERE = replace(
    STALE,
    state=UpdateState.UNKNOWN,
    changed=(Change.SYSTEM,),
    download=900,
    changed_here=True,
    reason=(Sentence("version.maybe_changed_here"),),
)
UNKNOWN = Update(
    state=UpdateState.UNKNOWN,
    reason=(quoted("The registry registry.example did not answer within 15 s."),),
    problems=(quoted("The registry registry.example did not answer within 15 s."),),
)
LOCAL = Update(state=UpdateState.LOCAL, reason=(Sentence("version.made_here"),))
CLOUD = Update(state=UpdateState.CLOUD, reason=(Sentence("version.cloud"),))

VERDICTS = {
    "qwen2.5-coder:7b": CURRENT,
    "smollm2:135m": TEMPLATE_ONLY,
    "mistral:7b": STALE,
    "llama3.2-vision:11b-instruct-q4_K_M": CHANGED_HERE,
    "nomic-embed-text:latest": UNKNOWN,
    "phi4:14b": LOCAL,
    "gpt-oss:120b-cloud": CLOUD,
}


def judged(of: StackState, **others: Update) -> StackState:
    """With a verdict on each of the typical models."""
    host = of.hosts[0]
    return replace(of, hosts=(replace(host, updates=VERDICTS | others),))


def coming(
    model: str,
    completed: int = 430,
    total: int | None = 1000,
    *,
    state: DownloadState = DownloadState.RUNNING,
) -> Download:
    """An update of a model that is under way."""
    return Download(
        id=1,
        host=seeded.URL,
        model=model,
        why=Why.UPDATE,
        state=state,
        asked_at=NOW,
        layers=(LayerProgress("sha256:" + "d" * 64, completed, total),),
    )
