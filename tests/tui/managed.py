"""Services of this machine that are in the state that a test says, and whose log is that of a real Ollama."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from llmstack_tui.ollama.log.reading import TAIL_LINES, FileLog, JournalLog, read_log
from llmstack_tui.service.types import ManagerKind, ServiceState
from tests.support import seeded

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from llmstack_tui.ollama.log.reading import Batch, LogSource
    from llmstack_tui.service.types import Server
    from llmstack_tui.tui.stack import DashboardService

LOG = Path(__file__).parents[1] / "ollama/log/ollama-0.33.log"
RUNS = ServiceState(
    kind=ManagerKind.SYSTEMD,
    unit="ollama.service",
    file="/etc/systemd/system/ollama.service",
    drop_ins=("/etc/systemd/system/ollama.service.d/llmstack.conf",),
    is_running=True,
    pid=1234,
    is_enabled=True,
    since=datetime(2026, 11, 21, 9, 1, tzinfo=UTC),
)
STOPPED = ServiceState(kind=ManagerKind.OURS, is_enabled=False)


class FakeManaged:
    """Does what it is told at once, unless there is a ``failure``."""

    def __init__(self, state: ServiceState, log: Path = LOG) -> None:
        self.now = state
        self.log = log
        self.failure: Exception | None = None
        self.done: list[str] = []

    @property
    def url(self) -> str | None:
        return seeded.URL

    async def state(self) -> ServiceState:
        return self.now

    async def start(self) -> None:
        self._do("start")

    async def stop(self) -> None:
        self._do("stop")

    async def restart(self) -> None:
        self._do("restart")

    async def enable(self, enabled: bool) -> None:
        self._do("enable" if enabled else "disable")

    async def until_up(self) -> None:
        self.done.append("until up")

    async def log_source(self) -> LogSource:
        return JournalLog("ollama.service")

    def read_log(
        self, source: LogSource, *, follow: bool = False, tail: int = TAIL_LINES
    ) -> AsyncGenerator[Batch, None]:
        return read_log(FileLog(self.log), {}, follow=follow, tail=tail)

    def _do(self, what: str) -> None:
        self.done.append(what)
        failure, self.failure = self.failure, None
        if failure is not None:
            raise failure


def usual() -> dict[Server, FakeManaged]:
    return {"ollama": FakeManaged(RUNS), "engine": FakeManaged(STOPPED)}


def checked(fake: FakeManaged) -> DashboardService:
    """For mypy: it has all that the dashboard calls."""
    return fake
