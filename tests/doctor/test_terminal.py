"""Terminals that show less than they could."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from llmstack_tui.doctor.facts import TerminalFacts
from llmstack_tui.doctor.rules import terminal
from llmstack_tui.doctor.sources.terminal import terminal_facts
from llmstack_tui.doctor.types import FindingState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from llmstack_tui.doctor.types import Finding

GOOD = TerminalFacts(size=(120, 40), term="xterm-256color", colours=256, encoding="utf-8")


@pytest.mark.parametrize(
    ("rule", "facts", "state"),
    [
        (terminal.colours, TerminalFacts(size=(80, 24), term="linux", colours=16), FindingState.ADVICE),
        (terminal.unicode, TerminalFacts(size=(80, 24), encoding="latin-1"), FindingState.ADVICE),
        (terminal.mouse, TerminalFacts(size=(80, 24), term="linux"), FindingState.ADVICE),
        (terminal.size, TerminalFacts(size=(70, 24)), FindingState.ADVICE),
        (terminal.size, TerminalFacts(size=(40, 24)), FindingState.WARNING),
        (terminal.size, TerminalFacts(size=(80, 12)), FindingState.WARNING),
        (terminal.clipboard, TerminalFacts(size=(80, 24), term="linux"), FindingState.ADVICE),
        (
            terminal.clipboard,
            TerminalFacts(size=(80, 24), term="xterm", program="Apple_Terminal"),
            FindingState.ADVICE,
        ),
        (
            terminal.clipboard,
            TerminalFacts(size=(80, 24), term="tmux", program="tmux", passes_clipboard=False),
            FindingState.ADVICE,
        ),
    ],
)
def test_what_a_terminal_lacks(
    rule: Callable[[str, TerminalFacts], Iterator[Finding]], facts: TerminalFacts, state: FindingState
) -> None:
    def judged(facts: TerminalFacts) -> FindingState:
        (finding,) = rule("terminal", facts)
        return finding.state

    assert judged(facts) is state
    assert judged(GOOD) is FindingState.FINE
    assert judged(TerminalFacts(size=None)) is FindingState.DOES_NOT_APPLY


@pytest.mark.parametrize(
    ("environ", "colours"),
    [
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, 2**24),
        ({"TERM": "screen-256color"}, 256),
        ({"TERM": "linux"}, 16),
        ({"TERM": "dumb"}, 0),
        ({}, 0),
    ],
)
def test_the_colours_of_a_terminal(environ: dict[str, str], colours: int) -> None:
    assert terminal_facts(environ).colours == colours
