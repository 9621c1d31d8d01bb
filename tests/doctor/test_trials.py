"""What a trial of a model shows: slow, late, on the processor, or not at all."""

from __future__ import annotations

import pytest

from llmstack_tui.base.kinds import Capability, HostKind
from llmstack_tui.base.sentences import quoted
from llmstack_tui.base.structs import replace
from llmstack_tui.doctor.rules.trials import judged_trial
from llmstack_tui.doctor.trial import Step, Trial
from llmstack_tui.doctor.types import FindingState
from llmstack_tui.hardware.readings import MachineReading
from llmstack_tui.hosts.types import ServerVersion, Snapshot
from tests.doctor.checkups import NOBODY, said
from tests.doctor.test_cards import CARD, HALF, RAM, WHOLE

OLLAMA = ServerVersion(kind=HostKind.OLLAMA, version="0.33.0")
GOOD = Trial(
    name="a:1",
    snapshot=Snapshot(url=NOBODY, capabilities=Capability(0), server=OLLAMA),
    size=4,
    generated=9,
    chatted=8,
    first_token_s=0.2,
    tokens_per_second=50.0,
    running=WHOLE,
    machine=MachineReading(taken_at=0.0, ram=RAM, devices=(CARD,)),
)


def states(trial: Trial) -> dict[str, FindingState]:
    return {each.id: each.state for each in judged_trial(trial).findings}


def test_a_model_that_works() -> None:
    found = states(GOOD)
    assert found.pop("embedding") is FindingState.DOES_NOT_APPLY
    assert set(found.values()) == {FindingState.FINE}


@pytest.mark.parametrize(
    ("trial", "id_", "state"),
    [
        (replace(GOOD, first_token_s=30.0), "latency", FindingState.WARNING),
        (replace(GOOD, tokens_per_second=1.5), "speed", FindingState.ADVICE),
        (replace(GOOD, running=HALF), "memory", FindingState.WARNING),
        (replace(GOOD, running=None), "memory", FindingState.DOES_NOT_APPLY),
    ],
)
def test_a_model_that_could_be_better(trial: Trial, id_: str, state: FindingState) -> None:
    assert states(trial)[id_] is state
    assert judged_trial(trial).broken == ()


@pytest.mark.parametrize("step", list(Step))
def test_the_step_that_failed_is_broken_and_those_after_it_were_not_tried(step: Step) -> None:
    report = judged_trial(replace(GOOD, failed=step, why=(quoted("The reason."),)))
    (broken,) = report.broken
    assert broken.id == step
    assert "The reason." in said(broken)
    place = list(Step).index(step)
    assert {each.state for each in report.findings[place + 1 :]} <= {FindingState.DOES_NOT_APPLY}
    assert [each.id for each in report.findings] == list(Step)
