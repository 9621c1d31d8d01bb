"""What a model's process may still do, tried in processes that gave up the rest."""

from __future__ import annotations

import ctypes
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from llmstack_tui.config.engine import EngineOptions
from llmstack_tui.config.settings import EngineSettings
from tests.engine.runners import real_runners
from tests.engine.serving import served

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux's own means")


def landlock() -> int:
    """The kernel's version of Landlock; below 1 it has none."""
    if sys.platform != "linux":
        return 0
    return int(ctypes.CDLL(None).syscall(444, None, ctypes.c_size_t(0), 1))


needs_landlock = pytest.mark.skipif(landlock() < 1, reason="this kernel has no Landlock")

# Tries each expression, and writes what came of it.
ATTEMPTS = """if True:
    import json, os, socket, sys
    from llmstack_tui.engine.runners.confinement import confine
    confine((sys.argv[1],), sys.argv[2] + "/x.sock")
    def outcome(text):
        try:
            eval(text)
        except OSError as error:
            return os.strerror(error.errno)
        return "done"
    print(json.dumps([outcome(text) for text in sys.argv[3:]]))
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "secret.txt").write_text("a secret")
    (tmp_path / "model.gguf").write_text("weights")
    return tmp_path


def outcomes(home: Path, folder: Path, *attempts: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", ATTEMPTS, home / "model.gguf", folder, *attempts],
        env={**os.environ, "HOME": str(home)},
        cwd="/",
        capture_output=True,
        check=True,
        timeout=30,
    )
    assert done.stderr == b""
    found: list[str] = json.loads(done.stdout)
    return found


@needs_landlock
def test_it_reads_its_model_and_the_systems_files(home: Path, folder: Path) -> None:
    attempts = (
        f"open('{home}/model.gguf')",
        "open('/etc/passwd')",
        "open('/proc/meminfo')",
        "os.listdir('/sys')",
        "open('/dev/null', 'w')",
        "__import__('xllamacpp')",
        "socket.socket(socket.AF_UNIX).bind(sys.argv[2] + '/x.sock')",
        "os.unlink(sys.argv[2] + '/x.sock')",
    )
    assert outcomes(home, folder, *attempts) == ["done"] * len(attempts)


@needs_landlock
def test_it_gets_at_nothing_else(home: Path, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    attempts = (
        f"open('{home}/secret.txt')",
        f"os.listdir('{home}')",
        f"open('{home}/model.gguf', 'a')",
        f"os.unlink('{home}/model.gguf')",
        f"open('{elsewhere}/new', 'w')",
        f"os.mkdir('{elsewhere}/new')",
        f"open('{folder}/new', 'w')",
        "os.listdir('/home')",
        "open('/proc/1/environ')",
    )
    assert outcomes(home, folder, *attempts) == ["Permission denied"] * len(attempts)


@pytest.mark.skipif(landlock() < 4, reason="Landlock knows TCP from version 4 on")
def test_it_has_no_network(home: Path, folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        attempts = (
            f"socket.create_connection(('127.0.0.1', {port}))",
            "socket.socket().bind(('127.0.0.1', 0))",
        )
        assert outcomes(home, folder, *attempts) == ["Permission denied"] * 2


@pytest.mark.skipif(landlock() < 6, reason="Landlock knows signals from version 6 on")
def test_it_signals_nobody(home: Path, folder: Path) -> None:
    assert outcomes(home, folder, "os.kill(os.getppid(), 0)") == ["Operation not permitted"]


async def test_a_loaded_model_runs_like_that(
    tiny_model: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"OPENAI_API_KEY": "k1", "LLAMA_API_KEY": "k2", "HF_TOKEN": "k3", "MY_OWN": "k4"}
    kept = {"GGML_OP_OFFLOAD_MIN_BATCH": "32", "CUDA_VISIBLE_DEVICES": "0", "OMP_PROC_BIND": "false"}
    for name, value in (given | kept).items():
        monkeypatch.setenv(name, value)
    async with real_runners.running(tiny_model, folder) as runner:
        assert (await real_runners.ask(runner)).text
        process = psutil.Process(runner.pid)
        status = Path(f"/proc/{runner.pid}/status").read_text()
        environment = process.environ()
    assert "NoNewPrivs:\t1\n" in status
    assert kept.items() <= environment.items()
    assert not given.keys() & environment.keys()
    assert environment["HOME"] == os.environ["HOME"]


async def test_it_can_be_left_with_all_its_rights(tmp_path: Path, tiny_model: Path) -> None:
    options = EngineOptions.read(EngineSettings(confine=False), {})
    async with served(tmp_path, options=options) as server:
        await server.http.post("/api/import", json={"model": "tiny", "path": str(tiny_model)})
        await server.http.post("/api/generate", json={"model": "tiny"})
        (loaded,) = (await server.http.get("/api/ps")).json()["models"]
        assert "NoNewPrivs:\t0\n" in Path(f"/proc/{loaded['pid']}/status").read_text()


@pytest.fixture
def old_kernel(tmp_path: Path) -> dict[str, str]:
    """The environment of a process for which the kernel has no Landlock."""
    (tmp_path / "sitecustomize.py").write_text(
        "import ctypes\n"
        "class Old(ctypes.CDLL):\n"
        "    def __getattr__(self, name):\n"
        "        if name != 'syscall': return super().__getattr__(name)\n"
        "        def none(*_): ctypes.set_errno(38); return -1\n"
        "        return none\n"
        "ctypes.CDLL = Old\n"
    )
    return {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{Path(__file__).parents[3]}"}


def test_an_older_kernel_leaves_it_as_it_was(
    home: Path, tiny_model: Path, folder: Path, old_kernel: dict[str, str]
) -> None:
    code = ATTEMPTS + "    print([line for line in open('/proc/self/status') if 'NoNew' in line])\n"
    done = subprocess.run(
        [sys.executable, "-c", code, tiny_model, folder, f"open('{home}/secret.txt')"],
        env=old_kernel,
        capture_output=True,
        check=True,
        timeout=30,
    )
    assert done.stderr == b""
    assert done.stdout == b"[\"done\"]\n['NoNewPrivs:\\t1\\n']\n"
