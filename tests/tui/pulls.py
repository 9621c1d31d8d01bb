"""Pulls for tests and pictures, and a queue that does what a test tells it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from unittest.mock import Mock

from llmstack_tui.base.sentences import quoted
from llmstack_tui.base.structs import replace
from llmstack_tui.downloads.types import Download, DownloadState, LayerProgress, Why
from tests.support import seeded

if TYPE_CHECKING:
    from llmstack_tui.base.sentences import Sentences
    from tests.tui.fakes import FakeStack

_SIZES = (4_683_073_184, 11_343, 485)


def pull(
    number: int,
    model: str,
    state: DownloadState,
    *,
    now: datetime | None = None,
    done: tuple[int, ...] = (),
    ended: timedelta | None = None,
    sizes: tuple[int | None, ...] = _SIZES,
    host: str = seeded.URL,
    why: Why = Why.PULL,
    step: str = "",
    speed: float | None = None,
    reason: Sentences = (),
) -> Download:
    """One that was asked for five minutes ago; of the first layers ``done`` bytes are there."""
    now = now or datetime.now(UTC)
    return Download(
        id=number,
        host=host,
        model=model,
        why=why,
        state=state,
        asked_at=now - timedelta(minutes=5),
        layers=tuple(
            LayerProgress(f"sha256:{index:x}{'6a0746a1ec1a':0<63}", completed, sizes[index])
            for index, completed in enumerate(done)
        ),
        step=step,
        speed=speed,
        reason=reason,
        ended_at=None if ended is None else now - ended,
    )


def morning(now: datetime) -> tuple[Download, ...]:
    """One of each state."""
    state = DownloadState
    return (
        pull(
            5, "qwen2.5-coder:7b", state.RUNNING, now=now, done=(2_400_000_000, 11_343, 0), why=Why.UPDATE,
            step="pulling 60e05f210007", speed=21.4e6,
        ),
        pull(6, "mistral:7b", state.WAITING, now=now),
        pull(7, "phi4:14b", state.PAUSED, now=now, done=(3_000_000_000,), sizes=(9_053_114_464,)),
        pull(
            8,
            "llama3.3:70b",
            state.WAITING,
            now=now,
            reason=(quoted("It needs 42 GB, and 12 GB are left."),),
        ),
        pull(
            4, "nomic-embed-text:latest", state.DONE, now=now, done=(274_290_656,), sizes=(274_290_656,),
            ended=timedelta(minutes=1),
        ),
        pull(
            3, "evil/[/red]:latest", state.FAILED, now=now, ended=timedelta(hours=1),
            reason=(quoted("registry.ollama.ai has no model evil/[/red]:latest."),),
        ),
        pull(2, "gemma3:4b", state.CANCELLED, now=now, done=(90_000_000,), ended=timedelta(days=2)),
    )  # fmt: skip


class FakeDownloads:
    """The queue's interface over the state of a `FakeStack`."""

    def __init__(self, stack: FakeStack) -> None:
        self._stack = stack
        self.stopped: tuple[Download, ...] = ()
        # Tests of these have the real core.
        self.update = self.pause = self.resume = self.forget_over = self.put_back = Mock(
            side_effect=NotImplementedError
        )

    @property
    def under_way(self) -> tuple[Download, ...]:
        return tuple(each for each in self._stack.state.downloads if each.state is DownloadState.RUNNING)

    async def start_again(self) -> tuple[Download, ...]:
        self._stack.calls.append(("start again", *(each.model for each in self.stopped)))
        await self._stack.gate.wait()
        self.put(*(replace(each, state=DownloadState.WAITING) for each in self._stack.state.downloads))
        left, self.stopped = self.stopped if self._stack.failure else (), ()
        return left

    def put(self, *downloads: Download) -> None:
        self._stack.put(replace(self._stack.state, downloads=downloads))

    def _to(self, number: int, state: DownloadState) -> None:
        self.put(
            *(
                replace(each, state=state) if each.id == number else each
                for each in self._stack.state.downloads
            )
        )

    async def pull(self, host_url: str, name: str) -> int:
        self._stack.calls.append(("pull", host_url, name))
        if self._stack.failure is not None:
            raise self._stack.failure
        downloads = self._stack.state.downloads
        number = max((each.id for each in downloads), default=0) + 1
        self.put(*downloads, pull(number, name, DownloadState.WAITING, host=host_url))
        return number

    async def cancel(self, number: int, *, keep: bool) -> None:
        self._stack.calls.append(("cancel", str(number), "keep" if keep else "delete"))
        self._to(number, DownloadState.CANCELLED)

    async def retry(self, number: int) -> int:
        self._stack.calls.append(("retry", str(number)))
        if self._stack.failure is not None:
            raise self._stack.failure
        self._to(number, DownloadState.WAITING)
        return number
