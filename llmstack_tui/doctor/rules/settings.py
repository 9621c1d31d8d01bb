"""Settings: those of llmstack, and the variables of a server that are set, in force, or neither."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.address import is_loopback
from llmstack_tui.base.kinds import HostKind
from llmstack_tui.base.sentences import Sentence
from llmstack_tui.doctor.types import Finding, FindingState, Fix, FixKind
from llmstack_tui.hardware.readings import CARDS
from llmstack_tui.variables.rules.rows import is_idle, is_unset
from llmstack_tui.variables.table import VARIABLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from llmstack_tui.base.sentences import Sentences
    from llmstack_tui.doctor.facts import EngineFacts, OllamaFacts, ServerFacts, SettingsFacts
    from llmstack_tui.hardware.readings import MachineReading
    from llmstack_tui.ollama.processes import ServerProcess

# Ollama's clients read OLLAMA_HOST, too.
_OF_SERVER = tuple(each for each in VARIABLES if each.name != "OLLAMA_HOST")
# The first request of an agent such as Codex or Claude Code has 10,000 to 20,000 tokens; Ollama's
# documentation (context-length) asks for 64,000.
AGENT_TOKENS, ADVISED_TOKENS = 16_384, 64_000
_GIB = 2**30
# Ollama's default by the memory of its cards, from the same page: 4k, from 24 GiB 32k, from 48 GiB 256k.
_DEFAULTS = ((48 * _GIB, 262_144), (24 * _GIB, 32_768), (0, 4096))


def file(id_: str, settings: SettingsFacts) -> Iterator[Finding]:
    """Whether the settings of llmstack are without mistakes."""
    if not settings.problems:
        says = Sentence("doctor.settings_fine", {"file": settings.file})
        yield Finding(id=id_, state=FindingState.FINE, says=says)
    else:
        says = Sentence("doctor.settings_wrong", {"count": len(settings.problems)})
        yield Finding(
            id=id_,
            state=FindingState.WARNING,
            says=says,
            evidence=settings.problems,
            advice=(Sentence("doctor.see_settings"),),
            opens=("settings",),
        )


def in_force(id_: str, ollama: OllamaFacts, servers: tuple[ServerFacts, ...]) -> Iterator[Finding]:
    """Whether what is set for Ollama is what it runs with: it reads its variables once, at its start.

    Where they cannot be read, as those of a service of another user, its unit counts, and for the context
    what is loaded.
    """
    server = ollama_process(ollama)
    if server is None:
        yield Finding(id=id_, state=FindingState.DOES_NOT_APPLY, says=Sentence("doctor.no_ollama_process"))
        return
    running, loaded = server.variables, dict[str, str]()
    if running is None and ollama.unit is not None:
        loaded = _context_of_loaded(ollama.url, servers)
        running = {**ollama.unit, **loaded}
    if running is None:
        about = {"pid": server.pid}
        says = Sentence("doctor.settings_unreadable", about)
        yield Finding(id=id_, state=FindingState.DOES_NOT_APPLY, says=says)
        return
    advice: Sentences
    fix: Fix | None = None
    in_unit = _idle(ollama.unit or {}, running, by_unit=True)
    idle = (*in_unit, *_idle(ollama.exported, running, by_unit=False))
    unset = () if server.variables is None else _unset(ollama, running)
    if idle:
        guessed = [each for each in idle if each.params["name"] in loaded]
        doubt = (Sentence("doctor.by_what_is_loaded"),) if guessed else ()
        advice = (Sentence("doctor.restart_for_settings"), *doubt)
        says = Sentence("doctor.settings_idle", {"count": len(idle)})
        state = FindingState.ADVICE if guessed == [*idle] else FindingState.WARNING
        if in_unit:
            fix = Fix(FixKind.RESTART_OLLAMA, Sentence("doctor.restart_ollama"))
    elif unset:
        advice = (Sentence("doctor.set_for_good"),)
        says, state = Sentence("doctor.settings_unset", {"count": len(unset)}), FindingState.ADVICE
    else:
        advice, says, state = (), Sentence("doctor.settings_in_force"), FindingState.FINE
    opens = ("variables",) if advice else ()
    seen = (*idle, *unset)
    yield Finding(id=id_, state=state, says=says, evidence=seen, advice=advice, fix=fix, opens=opens)


def ollama_process(ollama: OllamaFacts) -> ServerProcess | None:
    return next((each for each in ollama.processes if each.kind is HostKind.OLLAMA), None)


def _context_of_loaded(url: str, servers: tuple[ServerFacts, ...]) -> dict[str, str]:
    """The context that all loaded models have, by ``/api/ps``; nothing if they differ or do not tell."""
    found = {each.context_length for server in servers if server.url == url for each in server.loaded}
    tokens = found.pop() if len(found) == 1 else None
    return {"OLLAMA_CONTEXT_LENGTH": str(tokens)} if tokens else {}


def _idle(wanted: Mapping[str, str], running: Mapping[str, str], *, by_unit: bool) -> Sentences:
    """The variables that are set, and do not have that value in the running server."""
    kind = "doctor.idle_in_unit" if by_unit else "doctor.idle_in_shell"
    return tuple(
        Sentence(
            kind, {"name": each.name, "value": wanted[each.name], "running": running.get(each.name) or "-"}
        )
        for each in _OF_SERVER
        if is_idle(each, wanted.get(each.name, ""), running.get(each.name, ""))
    )


def _unset(ollama: OllamaFacts, running: Mapping[str, str]) -> Sentences:
    """The variables that the running server has, and that are set nowhere: a restart loses them."""
    known = {**ollama.exported, **(ollama.unit or {})}
    return tuple(
        Sentence("doctor.set_nowhere", {"name": each.name, "value": running[each.name]})
        for each in _OF_SERVER
        if is_unset(known.get(each.name, ""), running.get(each.name, ""))
    )


def context(
    id_: str,
    servers: tuple[ServerFacts, ...],
    ollama: OllamaFacts,
    engine: EngineFacts,
    machine: MachineReading,
) -> Iterator[Finding]:
    """Whether models are loaded with enough context for an agent, on the servers of this machine."""
    answering = [server for server in servers if not server.problem and is_loopback(server.url)]
    if not answering:
        yield Finding(id=id_, state=FindingState.DOES_NOT_APPLY, says=Sentence("doctor.no_server"))
    for server in answering:
        is_ours = server.kind is HostKind.BUILTIN
        tokens = engine.context_length if is_ours else _ollamas_context(ollama, machine)
        is_small = tokens < AGENT_TOKENS
        how = Sentence("doctor.context_of_engine") if is_ours else Sentence("doctor.context_of_ollama")
        about = {"needed": AGENT_TOKENS, "advised": ADVISED_TOKENS}
        yield Finding(
            id=id_,
            state=FindingState.ADVICE if is_small else FindingState.FINE,
            says=Sentence("doctor.context", {"url": server.url, "tokens": tokens}),
            advice=(Sentence("doctor.small_context", about), how) if is_small else (),
            fix=_more_context() if is_small and is_ours else None,
            opens=("variables", "OLLAMA_CONTEXT_LENGTH") if is_small and not is_ours else (),
            about=server.url,
        )


def _more_context() -> Fix:
    """The least that an agent needs: more takes memory from all models."""
    name, tokens = "engine.context_length", str(AGENT_TOKENS)
    does = Sentence("doctor.set_context", {"tokens": AGENT_TOKENS})
    undo = Sentence("doctor.unset", {"names": (name,)})
    return Fix(FixKind.SET, does, undo, {name: tokens})


def _ollamas_context(ollama: OllamaFacts, machine: MachineReading) -> int:
    """What Ollama takes by default: its variable, or by the memory of the cards."""
    process = ollama_process(ollama)
    running = (process.variables if process else None) or ollama.unit or {}
    stated = running.get("OLLAMA_CONTEXT_LENGTH", "").strip("\"' ")
    if stated.isdecimal() and int(stated):
        return int(stated)
    cards = (each.total or 0 for each in machine.devices if each.kind in CARDS and not each.lost)
    memory = sum(cards)
    return next(tokens for least, tokens in _DEFAULTS if memory >= least)
