"""The program as forks of one process that has imported it: most of a short call is the start of Python.

Each call has a process, a home and streams of its own, as ever. What needs a Python that begins with nothing
(its imports, its locale, the end of a process) is tested without this. Where a command waits between two
looks at a server, it waits less.
"""

from __future__ import annotations

import functools
import gc
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import llmstack_tui
from llmstack_tui.cli import stacks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# The dashboard needs a terminal, llama.cpp is in processes of models alone, and `__main__` is imported last.
_LEFT_OUT = ("tui", "engine/runners/child.py", "__main__.py")
_USED_BY_FUNCTIONS = ("aiosqlite", "anyio", "httpx", "platformdirs", "tomlkit")
_INTERPRETER = ("PYTHON", "LANG", "LC_", "TZ")


def can_run(variables: Mapping[str, str]) -> bool:
    """Whether a fork is like a new process with these variables: not where Python reads one as it starts."""
    return hasattr(os, "fork") and not any(name.startswith(_INTERPRETER) for name in variables)


def run(
    words: Sequence[str], environment: Mapping[str, str], stdin: str, timeout_s: float
) -> subprocess.CompletedProcess[str]:
    """Call the program as `subprocess.run` does.

    Raises:
        subprocess.TimeoutExpired: it took longer, and was killed.
    """
    (its_in, to_it), (out, its_out), (error, its_error) = os.pipe(), os.pipe(), os.pipe()
    mine, its = socket.socketpair()
    with mine, its:
        socket.send_fds(_prepared()[0], [b"\0"], [its.fileno(), its_in, its_out, its_error])
        for each in (its_in, its_out, its_error):
            os.close(each)
        its.close()
        mine.settimeout(timeout_s)
        with mine.makefile("rw") as talk, ThreadPoolExecutor(2) as readers:
            json.dump([words, dict(environment), str(Path.cwd())], talk)
            talk.write("\n")
            talk.flush()
            pid = int(talk.readline())
            said = [readers.submit(_read, each) for each in (out, error)]
            try:
                with os.fdopen(to_it, "w", encoding="utf-8") as given:
                    given.write(stdin)
                read = [each.result(timeout_s) for each in said]
                return subprocess.CompletedProcess(words, int(talk.readline()), *read)
            except TimeoutError as late:
                os.kill(pid, signal.SIGKILL)
                raise subprocess.TimeoutExpired(words, timeout_s) from late


def _read(number: int) -> str:
    with os.fdopen(number, encoding="utf-8") as stream:
        return stream.read()


@functools.cache
def _prepared() -> tuple[socket.socket, subprocess.Popen[bytes]]:
    """The process that forks, which ends when this one does, and the way to it."""
    mine, its = socket.socketpair()
    environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
    with its:
        return mine, subprocess.Popen([sys.executable, "-m", __name__], stdin=its.fileno(), env=environment)


def _fork_for_each() -> None:
    """Fork for each call that is sent, until there is nobody to send one."""
    _import_all()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    calls = socket.socket(fileno=os.dup(0))
    while True:
        sent, numbers, _, _ = socket.recv_fds(calls, 1, 4)
        if not sent:
            return
        if os.fork() == 0:
            calls.close()
            _call(*numbers)
        for each in numbers:
            os.close(each)


def _call(its: int, *streams: int) -> None:
    """Run the program in a fork of this process, and tell the fork's id and exit status."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with socket.socket(fileno=its) as connection, connection.makefile("rw") as talk:
        words, environment, folder = json.loads(talk.readline())
        pid = os.fork()
        if pid:
            for each in streams:
                os.close(each)
            talk.write(f"{pid}\n")
            talk.flush()
            talk.write(f"{os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}\n")
            talk.flush()
            os._exit(0)
    for number, each in enumerate(streams):
        os.dup2(each, number)
        os.close(each)
    # As Python opens them in the locale C.UTF-8.
    sys.stdin = os.fdopen(0, encoding="utf-8", errors="surrogateescape", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", errors="surrogateescape", closefd=False)
    sys.stderr = os.fdopen(2, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv[1:] = words
    from llmstack_tui.__main__ import main  # noqa: PLC0415 - it is not imported before it runs

    status = main()
    for thread in threading.enumerate():
        if thread is not threading.main_thread() and not thread.daemon:
            thread.join()
    os._exit(status)  # To take all modules apart takes longer than most calls.


def _import_all() -> None:
    package = Path(llmstack_tui.__file__).parent
    for path in package.rglob("*.py"):
        place = path.relative_to(package)
        if not place.as_posix().startswith(_LEFT_OUT):
            parts = place.with_suffix("").parts
            importlib.import_module(".".join([package.name, *parts]).removesuffix(".__init__"))
    for name in _USED_BY_FUNCTIONS:
        importlib.import_module(name)
    stacks.LOOKS_APART_S = 0.1
    gc.freeze()  # So that forks share them.


if __name__ == "__main__":
    _fork_for_each()
