"""Which of several units is meant, and what its state is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.service.types import ManagerKind, ServiceState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmstack_tui.base.sentences import Sentences
    from llmstack_tui.service.types import ServerRun, UnitState


def meant(units: Sequence[UnitState], running: ServerRun | None) -> UnitState | None:
    """The unit that runs the server; else the one that fails, starts by itself, or comes first.

    None where a process runs that no unit has started.
    """
    running_units = [unit for unit in units if unit.is_running]
    if running is not None:
        pids = (running.pid, *running.parents, None)
        own = [unit for unit in running_units if unit.pid in pids]
        return own[0] if own else None
    ranked = sorted(units, key=lambda unit: (not unit.is_running, not unit.is_failing, not unit.is_enabled))
    return ranked[0] if ranked else None


def service_state(
    units: Sequence[UnitState],
    running: ServerRun | None,
    *,
    can_start: bool,
    failed: Sentences = (),
    why: Sentences = (),
) -> ServiceState:
    """How a server is kept running.

    Args:
        running: its process, as far as it can be seen.
        can_start: its program is here, so that llmstack could start it.
        failed: what is wrong with a manager that could not be asked.
        why: what its log says of its end, for one that ended by itself.
    """
    unit = meant(units, running)
    pid = running.pid if running is not None else unit.pid if unit is not None else None
    since = datetime.fromtimestamp(running.created_s, UTC) if running is not None else None
    if unit is None:
        kind = ManagerKind.OURS if can_start else ManagerKind.NONE
        if running is not None:
            kind = ManagerKind.OURS if running.is_ours else ManagerKind.FOREIGN
        is_unknown = kind is ManagerKind.NONE or (bool(failed) and not units)
        return ServiceState(
            kind=kind,
            is_running=running is not None,
            pid=pid,
            is_enabled=None if is_unknown else any(each.is_enabled for each in units),
            since=since,
            problem=(*failed, *_beside(units, running)),
        )
    return ServiceState(
        kind=unit.kind,
        unit=unit.name,
        file=unit.file,
        drop_ins=unit.drop_ins,
        is_running=unit.is_running,
        pid=pid,
        is_enabled=unit.is_enabled,
        since=since,
        problem=(*failed, *_failing(unit, why)),
    )


def _failing(unit: UnitState, why: Sentences) -> Sentences:
    if not unit.is_failing:
        return ()
    if unit.restarts:
        return (Sentence("service.crashes", {"unit": unit.name, "count": unit.restarts}), *why)
    if unit.exit_status is not None and unit.exit_status < 0:
        return (Sentence("service.killed", {"unit": unit.name, "signal": -unit.exit_status}), *why)
    status = unit.exit_status or 0
    return (Sentence("service.failed", {"unit": unit.name, "status": status}), *why)


def _beside(units: Sequence[UnitState], running: ServerRun | None) -> Sentences:
    """A unit that is to run, and cannot while another process has its address."""
    if running is None or running.is_ours:
        return ()
    wanted = (unit for unit in units if unit.is_enabled or unit.is_failing)
    return tuple(Sentence("service.beside", {"unit": unit.name, "pid": running.pid}) for unit in wanted)
