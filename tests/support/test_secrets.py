"""The checker finds a secret wherever it is, or its other tests would show nothing."""

from __future__ import annotations

import base64
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.secrets import assert_nowhere, processes

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "sk-Zr7/never+shown=anywhere"  # noqa: S105 (of nobody)


@pytest.mark.parametrize(
    "content",
    [
        f"log: {SECRET}!".encode(),
        b"/?key=sk-Zr7%2Fnever%2Bshown%3Danywhere",
        base64.b64encode(f'{{"key": "{SECRET}"}}'.encode()),
        SECRET.encode().hex().encode(),
    ],
)
def test_it_finds_it_in_files_and_outputs(tmp_path: Path, content: bytes) -> None:
    assert_nowhere(SECRET, tmp_path, [b"nothing", "nothing"])
    with pytest.raises(AssertionError, match="output 1"):
        assert_nowhere(SECRET, tmp_path, [b"nothing", content])
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / ".hidden").write_bytes(content)
    with pytest.raises(AssertionError, match="hidden"):
        assert_nowhere(SECRET, tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_it_finds_it_in_the_arguments_of_a_process(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import sys; print(flush=True); sys.stdin.read()", SECRET]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        running.stdout.readline()
        with pytest.raises(AssertionError, match="output 0"):
            assert_nowhere(SECRET, tmp_path, [processes(running.pid)])
        running.communicate()
