"""The options of a stack, its permissions, and the parts that its services share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.kinds import Actor
from llmstack_tui.hosts.errors import Refused, cannot

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
    from datetime import timedelta
    from pathlib import Path

    from llmstack_tui.base.kinds import Capability
    from llmstack_tui.base.secret import Secret
    from llmstack_tui.base.sentences import Failure
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
    """The options of a stack; `core.open` makes them from the settings.

    Attributes:
        actor: on whose behalf this stack acts.
        read_only: nothing may be changed on any host.
        look_only: the URLs of the hosts on which nothing may be changed.
        running_every_s: seconds between two polls of a host's loaded models; more with many hosts.
        installed_every_s: the same for the installed models.
        machine_every_s: seconds between two readings of the machine.
        machine: what to read; None is this machine.
        models_folder: of the built-in engine, to read the free space of its disk.
        profile: the name of the hardware profile that the user chose; None detects it.
        state_file: the database, or why there can be none; None keeps the state in memory on purpose.
        check_every: how often registries are asked for newer versions, after the first list; None asks only
            on request.
        parallel_pulls: how many models are pulled at once.
        patient_pulls: a pull waits for a server that does not answer, or for disk space; else it fails.
        only_own_pulls: do only the pulls that were requested through this stack.
        releases: the addresses that publish the newest versions of programs; None never asks.
        held: the version of Ollama with which the user stays on this machine, "" for none. Blocking.
        automatic: update models that are not busy without asking the user.
        guard: how much may be loaded, and how long it may be idle; None guards nothing.
        model_folders: finds the folders of models on this machine. Blocking.
        usual: how a model is loaded by default. Blocking.
        processes: each poll also reads the memory and processor time of the loaded models' processes.
        stop_patience_s: how long a stop waits for its model to leave.
        services_after_s: seconds from the first list until the services are imported, so that the imports
            do not delay drawing it.
        online_url: where the catalog searches for models online; None is Hugging Face.
        guard_take_over_s: seconds between two attempts of a passive guard to become the active one.
        guard_asks: the guard unloads what other programs loaded only once the user has said so; else, unless
            the user has forbidden it.
        keys: the key of each server that asks for one, by URL.
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
    state_file: Path | Failure | None = None
    check_every: timedelta | None = None
    parallel_pulls: int = 1
    patient_pulls: bool = True
    only_own_pulls: bool = False
    releases: Mapping[Program, str] | None = None
    held: Callable[[], str] = str
    automatic: bool = False
    guard: GuardSettings | None = None
    model_folders: Callable[[], Sequence[Path]] = tuple
    usual: Callable[[], Request] = _engine_request
    processes: bool = True
    stop_patience_s: float = 10.0
    services_after_s: float = 0.15
    online_url: str | None = None
    guard_take_over_s: float = 3.0
    guard_asks: bool = True
    keys: Mapping[str, Secret] = {}


class Permissions:
    """What may be done on each host, by the settings and by what the host can do.

    Args:
        hosts: by URL.
        read_only: nothing may be changed on any host.
        look_only: the URLs of the hosts on which nothing may be changed.
    """

    def __init__(self, hosts: Mapping[str, Host], *, read_only: bool, look_only: Collection[str]) -> None:
        self._hosts = hosts
        self.read_only = read_only
        self.look_only = frozenset(look_only)

    def allowed(self, host_url: str, capability: Capability, *, act: bool = False) -> Host:
        """The host, if it has the capability and, with ``act``, may be changed. Raises `Refused`."""
        if act and self.read_only:
            raise Refused("core.read_only", host=host_url)
        if act and host_url in self.look_only:
            raise Refused("core.only_looked_at", host=host_url)
        host = self._hosts.get(host_url)
        if host is None:
            raise Refused("core.no_host", host=host_url)
        if capability not in host.capabilities:
            raise cannot(capability, host=host_url, server=host.server)
        return host

    def may_act(self, host_url: str) -> bool:
        """Whether anything may be changed on the host at this URL."""
        return not self.read_only and host_url not in self.look_only

    @property
    def acting_urls(self) -> tuple[str, ...]:
        """The hosts on which something may be changed. If the stack is read-only, all: each refuses then."""
        return tuple(url for url in self._hosts if self.read_only or url not in self.look_only)


class StackParts(Struct, frozen=True):
    """What the services and the actions of a stack are made of.

    Attributes:
        monitors: the hosts, by URL.
        settle: returns when the state shows the change just made on a host.
    """

    options: StackOptions
    monitors: Mapping[str, HostMonitor]
    permissions: Permissions
    session: StoreSession
    lifecycle: Lifecycle
    journal: Journal
    settle: Callable[[Host], Awaitable[None]]
