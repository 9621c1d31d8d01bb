"""One plain function for each check: from the facts that it needs to what it finds."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.doctor.rules import cards, disk, machine, network, servers, settings, terminal
from llmstack_tui.doctor.types import Finding, FindingState, Report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from llmstack_tui.doctor.facts import Facts


class Check(NamedTuple):
    """A check: its id, its rule, and the parts of `Facts` that the rule takes."""

    id: str
    rule: Callable[..., Iterator[Finding]]
    needs: tuple[str, ...]


CHECKS = (
    Check("server.any", servers.any_server, ("servers", "ollama", "engine")),
    Check("server.answers", servers.answers, ("servers",)),
    Check("server.latency", servers.latency, ("servers",)),
    Check("server.port", servers.port, ("servers",)),
    Check("server.open", servers.open_doors, ("doors",)),
    Check("server.settings", settings.in_force, ("ollama", "servers")),
    Check("server.context", settings.context, ("servers", "ollama", "engine", "machine")),
    Check("ollama.installed", servers.installed, ("ollama",)),
    Check("ollama.start", servers.start, ("ollama",)),
    Check("engine.usable", servers.engine_usable, ("engine",)),
    Check("engine.answers", servers.engine_answers, ("engine",)),
    Check("gpu.driver", cards.driver, ("machine", "cards")),
    Check("gpu.used", cards.used, ("machine", "servers")),
    Check("gpu.asleep", cards.asleep, ("machine",)),
    Check("gpu.container", cards.container, ("cards",)),
    Check("gpu.engine", cards.engine_build, ("engine",)),
    Check("mac.system", machine.mac_system, ("system",)),
    Check("mac.memory", machine.mac_memory, ("machine",)),
    Check("disk.space", disk.space, ("disk",)),
    Check("disk.models", disk.models, ("disk",)),
    Check("disk.leftovers", disk.leftovers, ("disk",)),
    Check("disk.noprune", disk.noprune, ("disk", "ollama")),
    Check("settings.file", settings.file, ("settings",)),
    Check("state.file", disk.state, ("state",)),
    Check("net.registry", network.registry, ("registry",)),
    Check("net.proxy", network.proxy, ("system",)),
    Check("net.clock", network.clock, ("registry", "system")),
    Check("system.files", machine.open_files, ("system",)),
    Check("program.python", machine.python, ("program",)),
    Check("program.packages", machine.packages, ("program",)),
    Check("terminal.colours", terminal.colours, ("terminal",)),
    Check("terminal.unicode", terminal.unicode, ("terminal",)),
    Check("terminal.mouse", terminal.mouse, ("terminal",)),
    Check("terminal.size", terminal.size, ("terminal",)),
    Check("terminal.clipboard", terminal.clipboard, ("terminal",)),
)


def judged(facts: Facts, limit_s: float) -> Report:
    """What all checks find. One whose facts did not come within ``limit_s`` says so."""
    return Report(tuple(finding for check in CHECKS for finding in _found(check, facts, limit_s)))


def _found(check: Check, facts: Facts, limit_s: float) -> Iterator[Finding]:
    known = [getattr(facts, name) for name in check.needs]
    if None not in known:
        yield from check.rule(check.id, *known)
    else:
        late = Sentence("doctor.late", {"limit_s": limit_s})
        yield Finding(id=check.id, state=FindingState.WARNING, says=late)
