"""A pull as the store has it and as a screen shows it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.structs import replace
from llmstack_tui.downloads.types import Download, DownloadState, LayerProgress, Why

if TYPE_CHECKING:
    from llmstack_tui.downloads.job import DownloadJob
    from llmstack_tui.store.tables.downloads import DownloadRecord


def written(before: DownloadRecord, pulling: DownloadJob) -> DownloadRecord:
    download = pulling.download
    return replace(
        before,
        state=download.state.value,
        step=download.step,
        layers=tuple((each.digest, each.completed, each.total) for each in download.layers),
        speed=download.speed,
        reason=download.reason,
        was_active=pulling.was_active.encode() if pulling.was_active else None,
        ended_at=download.ended_at,
    )


def shown(row: DownloadRecord) -> Download:
    paused = row.requested == "pause" and row.state == "waiting"
    return Download(
        id=row.id,
        host=row.host,
        model=row.model,
        why=Why(row.why),
        state=DownloadState.PAUSED if paused else DownloadState(row.state),
        asked_at=row.asked_at,
        step=row.step,
        layers=tuple(LayerProgress(*layer) for layer in row.layers),
        speed=row.speed,
        reason=row.reason,
        ended_at=row.ended_at,
    )
