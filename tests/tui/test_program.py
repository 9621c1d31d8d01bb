"""The dashboard as a program in a real terminal: what it leaves behind, however it ends."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.support.engine_process import home_environment
from tests.support.terminal import Terminal
from tests.support.waiting import wait_until_sync

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# Nobody listens there, so that no engine is started.
RUN = (
    "from llmstack_tui.config.hosts import HostSettings\n"
    "from llmstack_tui.config.settings import Settings\n"
    "from llmstack_tui.tui.program import run_dashboard\n"
    "settings = Settings(hosts=(HostSettings(url='http://127.0.0.1:9'),))\n"
    "from llmstack_tui.base.sentences import quoted\n"
    "from llmstack_tui.config.loading import LoadedSettings\n"
    "problem = quoted('A [/problem] of the settings.')\n"
    "loaded = LoadedSettings(settings=settings, problems=(problem,))\n"
    "raise SystemExit(run_dashboard(settings, loaded=loaded))\n"
)
RAW_MODE = "import sys, termios; print('ECHO', bool(termios.tcgetattr(0)[3] & termios.ECHO), flush=True)\n"


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], Terminal]:
    def opened(code: str) -> Terminal:
        environment = {**home_environment(tmp_path), "LC_ALL": "C.UTF-8"}
        return Terminal((sys.executable, "-c", code), environment)

    return opened


@pytest.mark.parametrize(
    ("end", "status"), [("q", 0), (signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)]
)
def test_the_terminal_is_as_it_was(
    program: Callable[[str], Terminal], end: str | signal.Signals, status: int
) -> None:
    after = f"import subprocess, sys\nstatus = subprocess.call([sys.executable, '-c', {RUN!r}])\n"
    with program(f"{after}print('STATUS', status)\n{RAW_MODE}") as terminal:
        terminal.wait_for("No answer yet.", "A [/problem] of the settings.")
        if isinstance(end, str):
            terminal.press(end)
        else:
            (child,) = psutil.Process(terminal.pid).children()
            child.send_signal(end)
        terminal.wait_for(f"STATUS {status}", "ECHO True")
        assert terminal.shows_cursor


def test_a_terminal_that_is_lost_without_a_signal_ends_the_program(
    program: Callable[[str], Terminal], tmp_path: Path
) -> None:
    # In a session of its own it has no controlling terminal, and nobody sends it a SIGHUP.
    detached = (
        "import os, pathlib, sys, time\n"
        "if os.fork():\n    time.sleep(60)\n"
        "os.setsid()\n"
        f"pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(os.getpid()))\n" + RUN
    )
    with program(detached) as terminal:
        terminal.wait_for("No answer yet.")
        child = psutil.Process(int((tmp_path / "pid").read_text()))
        terminal.hang_up()
        wait_until_sync(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE, 15)


def test_a_defect_ends_with_a_sentence_and_a_private_report(
    program: Callable[[str], Terminal], tmp_path: Path
) -> None:
    broken = (
        "from llmstack_tui.tui.app import Dashboard\n"
        "def on_mount(self):\n    secret = 'a secret'\n    raise ZeroDivisionError('by zero')\n"
        "Dashboard.on_mount = on_mount\n"
    )
    with program(broken + RUN) as terminal:
        assert terminal.wait_exit() == 1
        assert "the dashboard failed" in terminal.text
        assert "Traceback" not in terminal.text
        assert "secret" not in terminal.text
    (report,) = tmp_path.rglob("dashboard-failure.log")
    assert "ZeroDivisionError: by zero" in report.read_text()
    assert stat.S_IMODE(report.stat().st_mode) == 0o600


@pytest.mark.parametrize(("variable", "value"), [("TERM", "dumb"), ("TERM", "")])
def test_a_terminal_that_cannot_draw_gets_one_sentence(tmp_path: Path, variable: str, value: str) -> None:
    environment = {**home_environment(tmp_path), variable: value}
    with Terminal((sys.executable, "-c", RUN), environment, columns=200) as terminal:
        assert terminal.wait_exit() == 1
        lines = [line for line in terminal.text.splitlines() if line]
        assert len(lines) == 1
        assert "llmstack --help" in lines[0]


def test_a_redirected_stream_gets_one_sentence(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        env=home_environment(tmp_path) | {"TERM": "xterm"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert "needs a terminal" in done.stderr
    assert os.sep not in done.stderr


def test_a_suspended_dashboard_is_drawn_whole_again(program: Callable[[str], Terminal]) -> None:
    with program(RUN) as terminal:
        terminal.wait_for("No answer yet.")
        child = psutil.Process(terminal.pid)
        terminal.type("\x1a")
        assert terminal.until(lambda: child.status() == psutil.STATUS_STOPPED, 10)
        # What it wrote before it stopped must not be taken for what it draws afterwards.
        terminal.pump(0.2)
        terminal.clear()
        child.resume()
        terminal.wait_for("No answer yet.", "Memory", "q Quit")
        terminal.press("q")
        assert terminal.wait_exit() == 0
