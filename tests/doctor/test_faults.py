"""Each check of the doctor is provoked once, and mended by its fix, or as it says."""

from __future__ import annotations

import shlex
import sys
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.doctor.rules import CHECKS
from llmstack_tui.doctor.types import FindingState
from llmstack_tui.tui.features import BY_NAME
from tests.doctor.faults import FAULTS
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from tests.doctor.checkups import Surroundings

FINE = (FindingState.FINE, FindingState.DOES_NOT_APPLY)
# What is as it may be, and yet told with what can be done.
TOLD = {"gpu.asleep": FindingState.FINE, "ollama.installed": FindingState.DOES_NOT_APPLY}

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes and programs of POSIX")


@pytest.mark.parametrize("id_", [check.id for check in CHECKS])
async def test_each_fault_is_found_and_mended(
    id_: str, here: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with aclosing(FAULTS[id_](here, monkeypatch)) as fault:
        await anext(fault)
        finding = await here.find(id_)
        assert finding.state not in FINE or finding.state is TOLD.get(id_)
        assert finding.fix or finding.command or finding.opens or finding.advice
        assert not finding.opens or finding.opens[0] in BY_NAME
        undo = None
        if finding.fix is not None:
            undo = await here.check_up().mend(finding)
            assert (undo is None) == (finding.fix.undo is None or id_ == "state.file")
        else:
            variable, _, value = finding.command.removeprefix("export ").partition("=")
            if value and " " not in variable:
                here.environ[variable] = "".join(shlex.split(value))
            await anext(fault)
        mended = await here.find(id_)
        assert mended.state in FINE
        assert (mended.state, mended.says) != (finding.state, finding.says)
        if undo is not None:
            await here.check_up().take_back(undo)

            async def is_back() -> bool:
                return (await here.find(id_)).state is finding.state

            await wait_for(is_back)
        await anext(fault, None)


def test_no_check_is_without_a_fault() -> None:
    assert [check.id for check in CHECKS] == sorted(FAULTS, key=[check.id for check in CHECKS].index)
