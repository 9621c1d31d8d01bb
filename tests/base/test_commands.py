"""Programs of the system: what they say, and what they do that they should not."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.commands import RootCommand, checked, run
from tests.support.failures import fails
from tests.support.stand_ins import StandIns

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def there(tmp_path: Path) -> StandIns:
    return StandIns(tmp_path / "bin")


async def test_what_it_says_is_harmless_and_in_english(there: StandIns) -> None:
    there.program("tool", "#!/bin/sh\nprintf 'a \\033[31mred\\n%s\\n' \"$LC_ALL\"; echo why >&2; exit 3\n")
    done = await run("tool", environ=there.environ(LC_ALL="es_ES.UTF-8"))
    assert (done.status, done.output, done.errors) == (3, "a \ufffd[31mred\nC\n", "why\n")
    assert done.words == "why"


async def test_no_shell_reads_its_arguments_and_nothing_can_be_asked(there: StandIns) -> None:
    there.program("tool", '#!/bin/sh\nread answer || echo "nobody"; echo "$1"\n')
    done = await run("tool", "$(id); *", environ=there.environ())
    assert done.output == "nobody\n$(id); *\n"


async def test_an_endless_answer_is_cut(there: StandIns) -> None:
    there.program("tool", "#!/bin/sh\nyes | head -c 5000000\n")
    assert len((await run("tool", environ=there.environ())).output) == 1_000_000


async def test_one_that_hangs_is_ended_with_what_it_started(there: StandIns) -> None:
    there.program("tool", "#!/bin/sh\nsleep 60 & sleep 60\n")
    began = time.monotonic()
    with fails("command.hangs", limit_s=0.3):
        await run("tool", environ=there.environ(), limit_s=0.3)
    assert time.monotonic() - began < 5


async def test_one_that_is_missing_or_refuses_is_named(there: StandIns) -> None:
    with fails("command.missing", program="tool"):
        await run("tool", environ=there.environ())
    there.program("tool", "#!/bin/sh\necho 'Access denied' >&2; exit 4\n")
    with fails("command.refused", words="Access denied"):
        await checked("tool", "x", environ=there.environ())
    there.program("tool", "not a program")
    with fails("command.not_run", program="tool"):
        await run("tool", environ=there.environ())


def test_a_command_for_root_is_shown_as_it_would_be_typed() -> None:
    assert RootCommand(("systemctl", "start", "a b")).shown == "sudo systemctl start 'a b'"
