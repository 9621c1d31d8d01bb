"""How a stack works, which `core.open` says by the settings; what it may do where, and its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.kinds import Actor
from llmstack_tui.hosts.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
    from datetime import timedelta
    from pathlib import Path

    from llmstack_tui.base.kinds import Capability
    from llmstack_tui.config.settings import GuardSettings
    from llmstack_tui.fit.memory import Request
    from llmstack_tui.hardware.service import MachineReader
    from llmstack_tui.hosts.host import Host
    from llmstack_tui.lifecycle.journal import Journal
    from llmstack_tui.lifecycle.monitor import HostMonitor
    from llmstack_tui.lifecycle.worker import Lifecycle
    from llmstack_tui.store.session import StoreSession
    from llmstack_tui.updates.programs import Program


def _engine_request() -> Request:
    from llmstack_tui.config.engine import EngineOptions  # noqa: PLC0415
    from llmstack_tui.fit.subjects import usual_request  # noqa: PLC0415

    return usual_request(EngineOptions())


class StackOptions(Struct, frozen=True, kw_only=True):
    """How a stack works; `core.open` makes it from the settings.

    Attributes:
        actor: who asks for what is done by this stack.
        look_only: the URLs of hosts on which nothing may be changed, as with ``read_only`` on none.
        running_every_s: seconds between looks at what is loaded; ``installed_every_s`` at what is installed.
        machine_every_s: seconds between two readings of the machine.
        machine: what is read; None is this machine.
        models_folder: the built-in engine's own, for the room that is left on its disk.
        profile: the name of the profile that the user chose; None works it out.
        state_file: where all is remembered; None remembers as long as the program runs.
        check_every: how often registries are asked for newer versions, from the first list on; None never
            asks by itself.
        parallel_pulls: how many models are pulled at once.
        patient_pulls: a pull waits for a server that does not answer, or for room; else it fails.
        only_own_pulls: only pulls that were asked for here are done.
        releases: where the newest versions of programs are told; None never asks for them.
        automatic: newer versions are fetched without a question, of models that are not busy.
        guard: how much may be loaded and how long it may be idle; None guards nothing.
        model_folders: finds the folders of models on this machine that tell what is installed. Blocking.
        usual: how a model is loaded where nobody asks for something else. Blocking.
        processes: what the processes of loaded models hold and compute is read with each look.
        stop_patience_s: how long a stop waits for its model to leave.
        services_after_s: seconds after the first list until services import what they need: that would hold
            up the drawing.
        guard_take_over_s: seconds between two tries of a guard that watches to be the one that acts.
    """

    actor: Actor = Actor.USER
    read_only: bool = False
    look_only: Collection[str] = ()
    running_every_s: float = 2.0
    installed_every_s: float = 30.0
    machine_every_s: float = 1.0
    machine: MachineReader | None = None
    models_folder: Path | None = None
    profile: str | None = None
    state_file: Path | None = None
    check_every: timedelta | None = None
    parallel_pulls: int = 1
    patient_pulls: bool = True
    only_own_pulls: bool = False
    releases: Mapping[Program, str] | None = None
    automatic: bool = False
    guard: GuardSettings | None = None
    model_folders: Callable[[], Sequence[Path]] = tuple
    usual: Callable[[], Request] = _engine_request
    processes: bool = True
    stop_patience_s: float = 10.0
    services_after_s: float = 0.15
    guard_take_over_s: float = 3.0


class Permissions:
    """By the settings, and by what each host can do.

    Args:
        hosts: by URL.
        look_only: the URLs of hosts on which nothing may be changed, as with ``read_only`` on none.
    """

    def __init__(self, hosts: Mapping[str, Host], *, read_only: bool, look_only: Collection[str]) -> None:
        self._hosts = hosts
        self.read_only = read_only
        self.look_only = frozenset(look_only)

    def allowed(self, host_url: str, capability: Capability, *, act: bool = False) -> Host:
        """The host, if it can do this and, to ``act``, may be changed. Raises `Refused`."""
        if act and self.read_only:
            raise Refused("core.read_only", host=host_url)
        if act and host_url in self.look_only:
            raise Refused("core.only_looked_at", host=host_url)
        host = self._hosts.get(host_url)
        if host is None:
            raise Refused("core.no_host", host=host_url)
        if capability not in host.capabilities:
            raise Refused("core.no_way", host=host_url, act=(capability.name or "this").lower())
        return host

    def may_act(self, host_url: str) -> bool:
        """Whether anything may be changed on the host at this URL."""
        return not self.read_only and host_url not in self.look_only

    @property
    def acting_urls(self) -> tuple[str, ...]:
        """The hosts on which something may be changed; all of them where nothing may, to be refused there."""
        return tuple(url for url in self._hosts if self.read_only or url not in self.look_only)


class StackParts(Struct, frozen=True):
    """What the services and the actions of a stack are made of.

    Attributes:
        monitors: the hosts, by URL.
        settle: returns when the state shows what was just done on a host.
    """

    options: StackOptions
    monitors: Mapping[str, HostMonitor]
    permissions: Permissions
    session: StoreSession
    lifecycle: Lifecycle
    journal: Journal
    settle: Callable[[Host], Awaitable[None]]
