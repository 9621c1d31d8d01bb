"""How a server is kept running on this machine, as frozen values."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Literal, Protocol, get_args

from msgspec import Struct

from llmstack_tui.base.languages import later

if TYPE_CHECKING:
    from datetime import datetime

    from llmstack_tui.base.sentences import Sentences


Server = Literal["ollama", "engine"]
SERVERS: tuple[Server, ...] = get_args(Server)
"""The servers of this machine that can be services."""


class ManagerKind(StrEnum):
    """What keeps a server running. The values are those of ``llmstack service --json``.

    OURS: a process that llmstack started; FOREIGN: one that somebody else started; NONE: nothing could.
    """

    SYSTEMD = later("systemd")
    SYSTEMD_USER = later("systemd of this user")
    LAUNCHD = later("launchd")
    APP = later("its app")
    OURS = later("llmstack")
    FOREIGN = later("another program")
    NONE = later("nothing")


class UnitState(Struct, frozen=True, kw_only=True):
    """What a manager says of its unit, agent or app.

    Attributes:
        name: of the unit, the label of the agent, or the app.
        file: where it is defined; "" if that is unknown.
        drop_ins: the files that change it.
        is_enabled: it starts at login, or with the machine; None where that cannot be told.
        is_running: it runs, or is being started.
        is_failing: its process ended by itself and will be, or was, started again.
        exit_status: of its last process, negative for a signal; None if that is unknown.
        restarts: how often the manager has started it again.
    """

    kind: ManagerKind
    name: str
    file: str = ""
    drop_ins: tuple[str, ...] = ()
    is_enabled: bool | None = None
    is_running: bool = False
    is_failing: bool = False
    pid: int | None = None
    exit_status: int | None = None
    restarts: int = 0


class ServerRun(Struct, frozen=True):
    """A process that is a server.

    Attributes:
        created_s: when it was created, in Unix seconds.
        is_ours: llmstack has started it.
        parents: the processes that it descends from: a unit may run a script that runs the server.
    """

    pid: int
    created_s: float
    is_ours: bool = False
    parents: tuple[int, ...] = ()


class ServiceState(Struct, frozen=True, kw_only=True):
    """How a server is kept running, and whether it runs.

    Attributes:
        unit: the name of its unit, agent or app; "" without one.
        file, drop_ins: where that is defined; of a process without a unit, nothing.
        is_enabled: it starts at login, or with the machine; None where that cannot be told.
        since: when its process was created.
        problem: what is wrong with it, such as why it ended by itself.
    """

    kind: ManagerKind
    unit: str = ""
    file: str = ""
    drop_ins: tuple[str, ...] = ()
    is_running: bool = False
    pid: int | None = None
    is_enabled: bool | None = None
    since: datetime | None = None
    problem: Sentences = ()


class Manager(Protocol):
    """A program of the system that keeps servers running.

    All calls raise `CommandFailed`, and where only root may do it, `NeedsRoot`.
    """

    @property
    def kind(self) -> ManagerKind: ...
    @property
    def name(self) -> str:
        """That of its unit, agent or app."""

    async def find(self) -> UnitState | None:
        """The unit; None if this manager has none, or is not on this machine."""

    async def start(self, unit: UnitState) -> None: ...
    async def stop(self, unit: UnitState) -> None: ...
    async def restart(self, unit: UnitState) -> None: ...
    async def enable(self, unit: UnitState, enabled: bool) -> None: ...
