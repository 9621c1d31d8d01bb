"""Which terminals will do, and what ends the program from outside."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import threading

import pytest

from llmstack_tui.tui import program
from tests.support.waiting import wait_until, wait_until_sync


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


TTYS = (Tty(), Tty(), Tty())


def test_a_terminal_will_do() -> None:
    assert program.unusable({"TERM": "xterm-256color"}, TTYS) is None
    assert program.unusable({"TERM": "linux"}, TTYS) is None


@pytest.mark.parametrize("term", ["dumb", "", "unknown"])
def test_one_that_cannot_draw_is_named(term: str) -> None:
    reason = program.unusable({"TERM": term}, TTYS)
    assert reason is not None
    assert f"TERM is {term or 'not set'}" in reason
    assert "\n" not in reason


@pytest.mark.parametrize("broken", [0, 1, 2])
def test_all_three_streams_must_be_terminals(broken: int) -> None:
    for wrong in (io.StringIO(), None):
        streams = [*TTYS[:broken], wrong, *TTYS[broken + 1 :]]
        reason = program.unusable({"TERM": "xterm"}, streams)
        assert reason is not None
        assert "needs a terminal" in reason


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
async def test_signals_end_with_their_status() -> None:
    ended: list[int] = []
    loop = asyncio.get_running_loop()
    program.on_signals(loop, ended.append)
    try:
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            os.kill(os.getpid(), number)
        await wait_until(lambda: len(ended) == 3)
    finally:
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            loop.remove_signal_handler(number)
    assert sorted(ended) == [129, 130, 143]


def test_a_lost_terminal_is_told_once_and_then_ended_the_hard_way() -> None:
    lost, ended = [], threading.Event()
    codes: list[int] = []

    def end(code: int) -> None:
        codes.append(code)
        ended.set()

    there = iter([True, True, False, False, False])
    watch = program.TerminalWatch(
        lambda: lost.append(1), is_there=lambda: next(there), every_s=0.01, grace_s=0.01, end=end
    )
    with watch:
        assert ended.wait(5)
    assert (lost, codes) == ([1], [program.LOST])


def test_a_program_that_ends_in_time_is_not_ended_the_hard_way() -> None:
    lost = threading.Event()
    codes: list[int] = []
    watch = program.TerminalWatch(
        lost.set, is_there=lambda: False, every_s=0.01, grace_s=60, end=codes.append
    )
    with watch:
        wait_until_sync(lost.is_set)
    assert codes == []
