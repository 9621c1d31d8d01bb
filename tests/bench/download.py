"""The built-in engine's downloads beside curl's and sha256sum's, and the memory that they take."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psutil

from tests.bench.figures import Figure
from tests.support.engine_process import engine_process
from tests.support.registry.published import Layer

if TYPE_CHECKING:
    from collections.abc import Iterator

RUNS = 5
SIZES = {"small": 20 * 1024**2, "large": 200 * 1024**2}


def figures() -> Iterator[Figure]:
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        for name, size in SIZES.items():
            (folder / name).write_bytes(os.urandom(size))
        names = opened.enter_context(registry_process({name: folder / name for name in SIZES}))
        yield speed(folder, names["large"])
        yield memory(folder, names)


@contextmanager
def registry_process(files: dict[str, Path]) -> Iterator[dict[str, str]]:
    """A registry that does not share an interpreter with who measures; the names to pull."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.registry", *(f"{name}={path}" for name, path in files.items())],
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        yield dict(zip(files, json.loads(process.stdout.readline())["names"], strict=True))
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()


def pull(http: httpx.Client, name: str) -> None:
    answer = http.post("/api/pull", json={"model": name, "insecure": True})
    assert answer.text.endswith('{"status":"success"}\n'), answer.text[-500:]


def speed(folder: Path, name: str) -> Figure:
    url, _, model = name.removeprefix("http://").partition("/")
    digest = Layer("model", folder / "large").digest
    blob = f"http://{url}/v2/{model.partition(':')[0]}/blobs/{digest}"
    curls, ours = [], []
    with ExitStack() as opened:
        engine = opened.enter_context(engine_process(folder / "home"))
        http = opened.enter_context(httpx.Client(base_url=engine, timeout=120, trust_env=False))
        # The first pull brings modules that a running engine has already.
        pull(http, name.replace("large", "small"))
        for _ in range(RUNS):
            begin = time.perf_counter()
            subprocess.run(["curl", "-sL", "--noproxy", "*", "-o", folder / "curled", blob], check=True)
            subprocess.run(["sha256sum", folder / "curled"], check=True, stdout=subprocess.DEVNULL)
            curls.append(time.perf_counter() - begin)
            begin = time.perf_counter()
            pull(http, name)
            ours.append(time.perf_counter() - begin)
            listed = name.removeprefix("http://")
            http.request("DELETE", "/api/delete", json={"model": listed}).raise_for_status()
    mb = SIZES["large"] / 1e6
    note = f"{mb / statistics.median(ours):.0f} / {mb / statistics.median(curls):.0f} MB/s"
    ratio = statistics.median(curl / own for curl, own in zip(curls, ours, strict=True))
    return Figure("download speed / curl and sha256sum", ratio, budget=0.9, at_least=True, note=note)


def memory(folder: Path, names: dict[str, str]) -> Figure:
    """How much more an engine ever took for the large blob than for the small one."""
    peaks = {}
    for size, name in names.items():
        with engine_process(folder / f"home-{size}") as engine:
            with httpx.Client(base_url=engine, timeout=120, trust_env=False) as http:
                pull(http, name)
            peaks[size] = _peak_bytes(_engine())
    note = f"peaks of {peaks['small'] / 1e6:.0f} and {peaks['large'] / 1e6:.0f} MB"
    more = (peaks["large"] - peaks["small"]) / 1e6
    return Figure("memory for 200 MB more than for 20 MB", more, "MB", 20.0, note=note)


def _engine() -> int:
    return next(
        child.pid
        for child in psutil.Process().children()
        if "llmstack_tui.engine.process.server" in child.cmdline()
    )


def _peak_bytes(pid: int) -> int:
    """The most that the process ever had in memory (Linux)."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024
