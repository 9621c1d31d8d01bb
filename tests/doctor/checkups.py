"""An examination of a machine that a test has made up, in a home of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from llmstack_tui.config.loading import load_settings
from llmstack_tui.core.check_up import CheckUp
from llmstack_tui.core.open import Core
from llmstack_tui.core.wording import text
from llmstack_tui.tui.features import key_faults

if TYPE_CHECKING:
    from llmstack_tui.doctor.types import Finding, Report

NOBODY = "http://127.0.0.1:1"
ROOT = Path("/")


class Surroundings:
    """A home, the environment in it, and what of the machine a test sets.

    Attributes:
        root: the folder that contains ``proc``, ``sys`` and ``dev``.
        registry: nobody listens there, unless a test says otherwise.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.data = home / ".local/share/llmstack"
        self.environ = {"HOME": str(home), "PATH": str(home / "bin"), "OLLAMA_HOST": NOBODY}
        self.root = ROOT
        self.registry = NOBODY
        self.addresses = ("127.0.0.1",)
        self.hosts: tuple[str, ...] = ()

    def check_up(self) -> CheckUp:
        environ = dict(self.environ)
        if self.hosts:
            environ["LLMSTACK_HOSTS"] = ",".join(self.hosts)
        loaded = load_settings(None, environ)
        return CheckUp(
            Core(loaded.settings, environ, check_keys=key_faults),
            root=self.root,
            registry=self.registry,
            addresses=self.addresses,
        )

    async def examine(self) -> Report:
        return await self.check_up().examine()

    async def find(self, id_: str) -> Finding:
        """The first finding with this id."""
        return next(each for each in (await self.examine()).findings if each.id == id_)


def said(finding: Finding) -> str:
    """All that a finding says."""
    return text(finding.says, *finding.evidence, *finding.advice)
