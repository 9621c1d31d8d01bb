"""A built-in engine in a process and a home of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).resolve().parents[1]


def environment(home: Path, **more: str) -> dict[str, str]:
    """This process's, without what points at the user's own models and folders."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OLLAMA_", "LLMSTACK_", "LLM_", "XDG_"))
    }
    return {**kept, "HOME": str(home), **more}


@contextmanager
def engine_process(folder: Path, *arguments: str, environ: Mapping[str, str] | None = None) -> Iterator[str]:
    """The address of an engine on a free port, whose home is ``folder``; it ends with the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "llmstack_tui.engine.server", "--port", "0", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=environment(folder, **(environ or {})),
    )
    assert process.stdout is not None
    try:
        said = json.loads(process.stdout.readline())
        assert "url" in said, said
        yield str(said["url"])
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()
