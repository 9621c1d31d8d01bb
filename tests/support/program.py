"""The program as scripts and people run it: a process of its own, in a home of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.support import prepared

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tests.support.terminal import Terminal

COMMAND = (sys.executable, "-m", "llmstack_tui")


@dataclass(frozen=True)
class Program:
    """``llmstack`` for one user, whose files are in ``home`` and who set ``variables``."""

    home: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
        return {**kept, "HOME": str(self.home), "LANG": "C.UTF-8", **self.variables}

    def __call__(
        self, *arguments: str | Path, stdin: str = "", timeout_s: float = 60
    ) -> subprocess.CompletedProcess[str]:
        words = [*map(str, arguments)]
        if prepared.can_run(self.variables):
            done = prepared.run(words, self.environment, stdin, timeout_s)
        else:
            done = subprocess.run(
                [*COMMAND, *words],
                env=self.environment,
                input=stdin,
                capture_output=True,
                encoding="utf-8",
                timeout=timeout_s,
                check=False,
            )
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*COMMAND, *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )

    def in_terminal(self, *arguments: str, command: Sequence[str] = COMMAND, columns: int = 80) -> Terminal:
        """Where it asks, shows progress and hears Ctrl-C; ``command`` is run instead of the program."""
        from tests.support.terminal import Terminal  # noqa: PLC0415 - not on Windows

        return Terminal([*command, *arguments], self.environment, columns=columns, rows=24)

    def given(self, **variables: str) -> Program:
        return Program(self.home, {**self.variables, **variables})
