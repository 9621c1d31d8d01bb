"""Machines for which plans are made, and an installation over a stand-in for the server of releases."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmstack_tui.config.settings import InstallSettings
from llmstack_tui.core.wording import text
from llmstack_tui.install.service import InstallService
from llmstack_tui.install.types import Asset, OllamaRelease, Python, ThisMachine, Told

if TYPE_CHECKING:
    from llmstack_tui.install.types import InstallPlan
    from tests.support.releases import ReleaseServer

URL = "http://127.0.0.1:11434"
PYTHON = Python(program="/venv/bin/python", prefix="/venv", base="/usr")
FOLDER = Path("/home/ann/.local/share/llmstack/ollama")
UNIT = Path("/home/ann/.config/systemd/user/ollama.service")
GB = 10**9


def machine(system: str = "Linux", **about: Any) -> ThisMachine:
    """A Linux box of a user who may do nothing more than others, with zstd and room."""
    usual: dict[str, Any] = {
        "arch": "amd64",
        "home": Path("/home/ann"),
        "folder": FOLDER,
        "unit": UNIT,
        "url": URL,
        "python": PYTHON,
    }
    usual |= {"has_zstd": True, "free": 500 * GB}
    return ThisMachine(**{"system": system, **usual, **about})


def release(version: str = "0.33.0", size: int | None = 2 * GB) -> OllamaRelease:
    asset = Asset("ollama-linux-amd64.tar.zst", f"https://example.org/v{version}/archive", "a" * 64, size)
    script = Asset("install.sh", "https://example.org/install.sh", "b" * 64)
    return OllamaRelease(
        version=version, assets=(asset,), script=script, script_text="#!/bin/sh\necho hello\n"
    )


class Starter:
    """Starts nothing: ``up`` is what answers, ``started`` what was to be started."""

    def __init__(self) -> None:
        self.up = False
        self.started: list[Path] = []
        self.failure: Exception | None = None

    async def start(self, program: Path, url: str) -> None:
        if self.failure is not None:
            raise self.failure
        self.started.append(program.resolve())

    async def start_engine(self) -> None:
        self.up = True

    async def answers(self, url: str) -> bool:
        return self.up


class Home:
    """An installation in a home of its own, over a server of releases."""

    def __init__(self, home: Path, served: ReleaseServer, **about: Any) -> None:
        self.home = home
        self.folder = home / "ollama"
        self.bin = home / "bin"
        self.hands = Starter()
        self.served = served
        self.told: list[Told] = []
        self.about = about
        self.settings = InstallSettings(
            archive_url=f"{served.url}/files", versions_url=f"{served.url}/versions"
        )
        path = f"{self.bin}:/usr/bin:/bin"
        self.environ = {"HOME": str(home), "PATH": path, "NOTES": str(home / "notes")}

    @property
    def service(self) -> InstallService:
        return InstallService(self.settings, self.environ, self.hands, self.look)

    async def look(self) -> ThisMachine:
        unit = self.home / ".config/systemd/user/ollama.service"
        command = self.home / ".local/bin/ollama"
        about = {"has_unit": unit.exists(), "has_command": command.is_symlink(), **self.about}
        return machine(home=self.home, folder=self.folder, unit=unit, **about)

    async def plan(self, version: str = "", way: str = "archive") -> InstallPlan:
        offer = await self.service.offer(version)
        return next(each for each in offer.plans if each.way == way)

    async def install(self, version: str = "", way: str = "archive") -> None:
        plan = await self.plan(version, way)
        assert not plan.problems, text(*plan.problems)
        await self.carry_out(plan)

    async def carry_out(self, plan: InstallPlan) -> None:
        await self.service.carry_out(plan, self.told.append)

    def left(self) -> set[str]:
        """All files below the home, but those of the stand-ins."""
        files = (each for each in self.home.rglob("*") if each.is_symlink() or each.is_file())
        own = {str(each.relative_to(self.home)) for each in files if self.bin not in each.parents}
        return own - {"notes", "ollama/.lock"}

    @property
    def notes(self) -> list[str]:
        """What the stand-ins were called with."""
        file = self.home / "notes"
        return file.read_text().splitlines() if file.exists() else []

    @property
    def lines(self) -> list[str]:
        return [each.line for each in self.told if each.line]
