"""Servers of models: whether there is one, whether it answers, how fast, and to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.address import is_loopback
from llmstack_tui.base.kinds import HostKind
from llmstack_tui.base.languages import later
from llmstack_tui.base.sentences import Sentence, quoted
from llmstack_tui.doctor.types import Finding, FindingState, Fix, FixKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmstack_tui.doctor.facts import EngineFacts, OllamaFacts, OpenDoor, ServerFacts

    Servers = tuple[ServerFacts, ...]

# An idle server answers in a millisecond.
SLOW_S = 0.5
# The limit of `core.servers`, after which a started Ollama is taken for one that does not come up.
SLOW_START_S = 30.0
_NAMES = {
    HostKind.OLLAMA: "Ollama",
    HostKind.BUILTIN: later("built-in engine"),
    HostKind.OPENAI: "OpenAI API",
}


def server_name(kind: HostKind | None) -> str:
    """What a kind of server is called; to be translated."""
    return _NAMES[kind or HostKind.OLLAMA]


def any_server(id_: str, servers: Servers, ollama: OllamaFacts, engine: EngineFacts) -> Iterator[Finding]:
    """Whether models can run at all: a server answers, or can be started."""
    answering = sum(not server.problem for server in servers)
    if answering:
        says = Sentence("doctor.servers_answer", {"count": answering})
        yield Finding(id=id_, state=FindingState.FINE, says=says)
    elif ollama.binary is not None and is_loopback(ollama.url):
        does, undo = Sentence("doctor.start_ollama", {"url": ollama.url}), Sentence("doctor.stop_ollama")
        fix = Fix(FixKind.START_OLLAMA, does, undo)
        says = Sentence("doctor.ollama_stopped", {"url": ollama.url})
        yield Finding(id=id_, state=FindingState.WARNING, says=says, fix=fix)
    elif engine.missing is None:
        undo = Sentence("doctor.stop_the_engine")
        fix = Fix(FixKind.START_ENGINE, Sentence("doctor.start_engine"), undo)
        yield Finding(id=id_, state=FindingState.ADVICE, says=Sentence("doctor.engine_stopped"), fix=fix)
    else:
        evidence = (Sentence("doctor.no_ollama"), quoted(engine.missing))
        advice = (Sentence("doctor.install_one"),)
        yield Finding(
            id=id_,
            state=FindingState.BROKEN,
            says=Sentence("doctor.nothing_to_run"),
            evidence=evidence,
            advice=advice,
            opens=("install",),
        )


def answers(id_: str, servers: Servers) -> Iterator[Finding]:
    """Whether each server that the user named, or that is there, answers."""
    shown = [server for server in servers if server.named or not server.problem]
    if not shown:
        yield Finding(id=id_, state=FindingState.DOES_NOT_APPLY, says=Sentence("doctor.no_server"))
    for server in shown:
        if server.problem:
            says = Sentence("doctor.no_answer", {"url": server.url})
            state, evidence = FindingState.BROKEN, server.problem
        else:
            about = {"url": server.url, "name": server_name(server.kind), "version": server.version}
            says, state, evidence = Sentence("doctor.answers", about), FindingState.FINE, ()
        opens = ("settings", "hosts") if server.problem else ()
        yield Finding(id=id_, state=state, says=says, evidence=evidence, about=server.url, opens=opens)


def latency(id_: str, servers: Servers) -> Iterator[Finding]:
    timed = [server for server in servers if server.latency_s is not None]
    if not timed:
        yield Finding(id=id_, state=FindingState.DOES_NOT_APPLY, says=Sentence("doctor.no_server"))
    for server in timed:
        took_ms = (server.latency_s or 0) * 1000
        is_slow = took_ms >= SLOW_S * 1000
        says = Sentence("doctor.answered_in", {"url": server.url, "took_ms": round(took_ms)})
        yield Finding(
            id=id_,
            state=FindingState.WARNING if is_slow else FindingState.FINE,
            says=says,
            advice=(Sentence("doctor.slow_server", {"limit_ms": round(SLOW_S * 1000)}),) if is_slow else (),
            opens=("service",) if is_slow and is_loopback(server.url) else (),
            about=server.url,
        )


def port(id_: str, servers: Servers) -> Iterator[Finding]:
    """Whether another program has the port of a server."""
    taken = [server for server in servers if server.is_other and is_loopback(server.url)]
    if not taken:
        yield Finding(id=id_, state=FindingState.FINE, says=Sentence("doctor.ports_free"))
    for server in taken:
        seen = (Sentence("doctor.listens", {"program": server.program}),) if server.program else ()
        yield Finding(
            id=id_,
            state=FindingState.BROKEN,
            says=Sentence("doctor.port_taken", {"url": server.url}),
            evidence=(*seen, *server.problem),
            advice=(Sentence("doctor.other_port"),),
            opens=("settings", "engine.port"),
            about=server.url,
        )


def open_doors(id_: str, doors: tuple[OpenDoor, ...]) -> Iterator[Finding]:
    """Whether other machines reach a server of this one, and whether it asks them for a key."""
    if not doors:
        yield Finding(id=id_, state=FindingState.FINE, says=Sentence("doctor.closed"))
        return
    seen = tuple(
        Sentence("doctor.door_with_key", {"url": door.url})
        if door.has_key
        else Sentence("doctor.door", {"url": door.url})
        for door in doors
    )
    if all(door.has_key for door in doors):
        says = Sentence("doctor.open_with_key")
        yield Finding(id=id_, state=FindingState.FINE, says=says, evidence=seen)
    else:
        says, advice = Sentence("doctor.open"), (Sentence("doctor.close_it"),)
        yield Finding(
            id=id_,
            state=FindingState.WARNING,
            says=says,
            evidence=seen,
            advice=advice,
            opens=("variables", "OLLAMA_HOST"),
        )


def installed(id_: str, ollama: OllamaFacts) -> Iterator[Finding]:
    if ollama.binary is None:
        says = Sentence("doctor.no_ollama")
        yield Finding(id=id_, state=FindingState.DOES_NOT_APPLY, says=says, opens=("install",))
    else:
        says = Sentence("doctor.ollama_at", {"path": str(ollama.binary)})
        yield Finding(id=id_, state=FindingState.FINE, says=says)


def start(id_: str, ollama: OllamaFacts) -> Iterator[Finding]:
    """How long Ollama's last start took, by its log."""
    if ollama.start_s is None:
        yield Finding(id=id_, state=FindingState.DOES_NOT_APPLY, says=Sentence("doctor.no_start"))
        return
    is_slow = ollama.start_s > SLOW_START_S
    yield Finding(
        id=id_,
        state=FindingState.WARNING if is_slow else FindingState.FINE,
        says=Sentence("doctor.started_in", {"took_s": ollama.start_s}),
        evidence=(Sentence("doctor.read_in", {"file": ollama.log}),),
        advice=(Sentence("doctor.slow_start", {"limit_s": SLOW_START_S}),) if is_slow else (),
    )


def engine_usable(id_: str, engine: EngineFacts) -> Iterator[Finding]:
    """Whether the built-in engine is installed and suits this processor."""
    if engine.missing is None:
        yield Finding(id=id_, state=FindingState.FINE, says=Sentence("doctor.engine_usable"))
    else:
        says = quoted(engine.missing)
        yield Finding(id=id_, state=FindingState.ADVICE, says=says, opens=("install",))


def engine_answers(id_: str, engine: EngineFacts) -> Iterator[Finding]:
    """Whether the engine that runs by the record answers."""
    if engine.url is None:
        yield Finding(id=id_, state=FindingState.DOES_NOT_APPLY, says=Sentence("doctor.engine_not_running"))
        return
    about = {"url": engine.url, "pid": engine.pid}
    if engine.answers:
        yield Finding(id=id_, state=FindingState.FINE, says=Sentence("doctor.engine_runs", about))
    else:
        advice = (Sentence("doctor.end_engine"),)
        says = Sentence("doctor.engine_hangs", about)
        fix = Fix(FixKind.STOP_ENGINE, Sentence("doctor.kill_engine", about))
        yield Finding(id=id_, state=FindingState.BROKEN, says=says, advice=advice, fix=fix)
