"""Puts installations together: what is asked of the machine, and how what was installed is started."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from llmstack_tui.base import paths
from llmstack_tui.base.address import default_host
from llmstack_tui.base.commands import CommandFailed
from llmstack_tui.base.structs import replace
from llmstack_tui.core.servers import OllamaStopped
from llmstack_tui.engine.process import requirements
from llmstack_tui.install.machine import has_user_services, look_at_machine, program_version
from llmstack_tui.install.service import InstallService
from llmstack_tui.ollama.client import answers_at
from llmstack_tui.ollama.local import find_ollama

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from llmstack_tui.core.servers import StartingCore
    from llmstack_tui.install.types import ThisMachine


def installation(core: StartingCore) -> InstallService:
    """Installations on this machine."""
    hands = _ServerStarter(core)
    return InstallService(core.settings.install, core.environ, hands, partial(_machine, core.environ))


class _ServerStarter:
    """Starts what was installed."""

    def __init__(self, core: StartingCore) -> None:
        self._core = core

    async def start(self, program: Path, url: str) -> None:
        found = program if program.is_absolute() else find_ollama(self._core.environ)
        if found is None:
            raise CommandFailed("command.missing", program=str(program))
        await self._core.start_ollama(OllamaStopped(found, url))

    async def start_engine(self) -> None:
        (await self._core.start_engine("stopped")).release()

    async def answers(self, url: str) -> bool:
        return await answers_at(url)


async def _machine(environ: Mapping[str, str]) -> ThisMachine:
    machine = await asyncio.to_thread(_look, environ, has_user_services=await has_user_services(environ))
    return replace(machine, version=await program_version(machine.ollama, environ))


def _look(environ: Mapping[str, str], *, has_user_services: bool) -> ThisMachine:
    machine = look_at_machine(
        environ,
        paths.ollama_folder(),
        default_host(environ),
        makers=requirements.card_makers(),
        has_user_services=has_user_services,
        engine_missing=requirements.missing_reason() or "",
    )
    return replace(machine, ollama=find_ollama(environ))
