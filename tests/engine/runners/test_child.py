"""The process itself: what it does when its parent is gone, and what it does not hear."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.support.waiting import wait_until_sync

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and Unix sockets")
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")


@pytest.fixture
def endless_load(tmp_path: Path) -> Path:
    """A file whose opening waits for ever."""
    path = tmp_path / "pipe.gguf"
    os.mkfifo(path)
    return path


def order(weights: Path, folder: Path, parent: int | None = None) -> bytes:
    line = {
        "config": {"weights": str(weights), "context_length": 256, "threads": 1},
        "socket": str(folder / "x.sock"),
        "key": "",
        "parent": os.getpid() if parent is None else parent,
    }
    return json.dumps(line).encode() + b"\n"


def start() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "llmstack_tui.engine.runners.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def give(child: subprocess.Popen[bytes], line: bytes) -> None:
    assert child.stdin is not None
    child.stdin.write(line)
    child.stdin.flush()


def ready(child: subprocess.Popen[bytes]) -> str:
    assert child.stdout is not None
    answer: dict[str, str] = json.loads(child.stdout.readline())
    return answer["address"]


def test_it_says_where_it_answers_and_ends_with_its_input(tiny_model: Path, folder: Path) -> None:
    with start() as child:
        give(child, order(tiny_model, folder))
        assert ready(child) == f"unix://{folder / 'x.sock'}"
        assert child.stdin is not None
        child.stdin.close()
        assert child.wait(10) == 0


def test_without_an_order_it_ends(folder: Path) -> None:
    with start() as child:
        assert child.communicate(timeout=10) == (b"", b"")
        assert child.returncode == 0
    assert list(folder.iterdir()) == []


def test_it_does_not_hear_ctrl_c(tiny_model: Path, folder: Path) -> None:
    with start() as child:
        give(child, order(tiny_model, folder))
        ready(child)
        child.send_signal(signal.SIGINT)
        # Nothing happens that could be awaited.
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(0.3)
        child.stdin.close()  # type: ignore[union-attr]
        assert child.wait(10) == 0


def test_a_load_that_fails_says_why_and_ends(folder: Path) -> None:
    with start() as child:
        output, errors = child.communicate(order(folder / "missing.gguf", folder), timeout=10)
        assert output == b""
        assert b"No such file" in errors
        assert child.returncode > 0


def test_it_can_be_ended_while_it_loads(endless_load: Path, folder: Path) -> None:
    with start() as child:
        give(child, order(endless_load, folder))
        wait_until_sync(lambda: list(folder.iterdir()), what="it has begun to load")
        child.terminate()
        assert child.wait(10) == -signal.SIGTERM


@linux
def test_a_child_whose_parent_is_gone_already_does_not_begin(tiny_model: Path, folder: Path) -> None:
    with start() as child:
        output, errors = child.communicate(order(tiny_model, folder, parent=1), timeout=10)
        assert (output, errors, child.returncode) == (b"", b"", 0)


PARENT = """if True:
    import asyncio, pathlib, sys
    from llmstack_tui.engine.runners.messages import RunnerConfig
    from llmstack_tui.engine.runners.runner import Runner
    config = RunnerConfig(weights=sys.argv[1], context_length=256, threads=1)
    async def main():
        runner = await Runner.start(config, folder=pathlib.Path(sys.argv[2]))
        await runner.wait_exit()
    asyncio.run(main())
"""


def children(parent: subprocess.Popen[bytes]) -> list[psutil.Process]:
    return psutil.Process(parent.pid).children()


def is_dead(process: psutil.Process) -> bool:
    """Whether it has ended; that nobody has asked for its exit status yet does not matter."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@linux
@pytest.mark.parametrize("moment", ["started", "loading", "ready"])
def test_no_child_outlives_a_parent_that_is_killed(
    endless_load: Path, tiny_model: Path, folder: Path, moment: str
) -> None:
    weights = tiny_model if moment == "ready" else endless_load
    with subprocess.Popen([sys.executable, "-c", PARENT, str(weights), str(folder)]) as parent:
        wait_until_sync(lambda: children(parent), what="the child is there")
        (child,) = children(parent)
        if moment != "started":
            wait_until_sync(lambda: list(folder.iterdir()), what="it has begun to load")
        parent.kill()
        parent.wait()
    wait_until_sync(lambda: is_dead(child), timeout_s=10)


def test_modules_in_the_current_folder_are_not_imported(
    tiny_model: Path, folder: Path, tmp_path: Path
) -> None:
    for name in ("msgspec", "signal", "xllamacpp"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('shadowed')\n")
    code = PARENT.replace("await runner.wait_exit()", "await runner.stop(); print('loaded')")
    # The parent itself is started as an installed command is, without its current folder on the path.
    root = str(Path(__file__).resolve().parents[3])
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, str(tiny_model), str(folder)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": root},
        capture_output=True,
        check=False,
        timeout=30,
    )
    assert (done.stdout, done.stderr) == (b"loaded\n", b"")
