"""What a trial of a model shows: a finding for each step, of which one that failed ends the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.doctor.rules.cards import on_card
from llmstack_tui.doctor.rules.servers import server_name
from llmstack_tui.doctor.trial import Step
from llmstack_tui.doctor.types import Finding, FindingState, Report
from llmstack_tui.lifecycle.placement import Fallback, fallback

if TYPE_CHECKING:
    from llmstack_tui.doctor.trial import Trial

# A person waits for a first word, and reads some five tokens a second.
LATE_S, SLOW = 10.0, 5.0


def judged_trial(trial: Trial) -> Report:
    """The findings about all steps."""
    steps = list(Step)
    until = len(steps) if trial.failed is None else steps.index(trial.failed)
    passed = _passed(trial)
    return Report(
        (
            *(_judged(step, passed[step], trial) for step in steps[:until]),
            *(_failed(step, trial) for step in steps[until : until + 1]),
            *(_without(step, Sentence("trial.not_tried")) for step in steps[until + 1 :]),
        )
    )


def _failed(step: Step, trial: Trial) -> Finding:
    says = Sentence("trial.failed", {"step": step.value})
    return Finding(id=step.value, state=FindingState.BROKEN, says=says, evidence=trial.why)


def _without(step: Step, why: Sentence) -> Finding:
    return Finding(id=step.value, state=FindingState.DOES_NOT_APPLY, says=why)


def _judged(step: Step, says: Sentence | None, trial: Trial) -> Finding:
    """A step that was passed, or left out."""
    if says is None:
        return _without(step, Sentence("trial.left_out"))
    state, advice = FindingState.FINE, None
    if step is Step.LATENCY and (trial.first_token_s or 0) > LATE_S:
        state, advice = FindingState.WARNING, Sentence("trial.late", {"limit_s": LATE_S})
    elif step is Step.SPEED and (trial.tokens_per_second or 0) < SLOW:
        state, advice = FindingState.ADVICE, Sentence("trial.slow", {"model": trial.name})
    elif step is Step.MEMORY and (fell_back := _fallback(trial)) is not None:
        state, advice = FindingState.WARNING, fell_back.cause
    return Finding(id=step.value, state=state, says=says, advice=() if advice is None else (advice,))


def _passed(trial: Trial) -> dict[Step, Sentence | None]:
    """What is said of each step, None if it was left out."""
    server = trial.snapshot.server if trial.snapshot is not None else None
    url = trial.snapshot.url if trial.snapshot is not None else ""
    return {
        Step.SERVICE: None
        if server is None
        else Sentence(
            "doctor.answers", {"url": url, "name": server_name(server.kind), "version": server.version}
        ),
        Step.MODEL: Sentence("trial.there_somewhere", {"model": trial.name})
        if trial.size is None
        else Sentence("trial.there", {"model": trial.name, "size": trial.size}),
        Step.LOAD: Sentence("trial.was_loaded")
        if trial.load_s is None
        else Sentence("trial.loaded", {"took_s": trial.load_s}),
        Step.GENERATION: None
        if trial.generated is None
        else Sentence("trial.generated", {"count": trial.generated}),
        Step.CHAT: None if trial.chatted is None else Sentence("trial.chatted", {"count": trial.chatted}),
        Step.EMBEDDING: None
        if trial.dimensions is None
        else Sentence("trial.embedded", {"count": trial.dimensions}),
        Step.LATENCY: None
        if trial.first_token_s is None
        else Sentence("trial.first_token", {"took_s": trial.first_token_s}),
        Step.SPEED: None
        if trial.tokens_per_second is None
        else Sentence("trial.speed", {"speed": trial.tokens_per_second}),
        Step.MEMORY: _memory(trial),
    }


def _memory(trial: Trial) -> Sentence | None:
    """What it takes, and where, if there is a card."""
    running = trial.running
    if running is None or not running.size:
        return None
    has_card = trial.machine is not None and any(not each.lost for each in trial.machine.devices)
    if _fallback(trial) is not None or (has_card and running.size_vram):
        return on_card(running)
    if trial.device is None:
        return Sentence("trial.memory", {"size": running.size})
    return Sentence("trial.memory_of_device", {"size": running.size, "device": trial.device})


def _fallback(trial: Trial) -> Fallback | None:
    if trial.running is None or trial.snapshot is None:
        return None
    return fallback(trial.running, trial.snapshot, trial.machine)
