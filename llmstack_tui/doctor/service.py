"""Gathers the facts, all at once and each within its limit, and has the rules judge them."""

from __future__ import annotations

import asyncio
import logging
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from llmstack_tui.doctor.facts import Facts
from llmstack_tui.doctor.rules import judged

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from llmstack_tui.doctor import facts
    from llmstack_tui.doctor.types import Report
    from llmstack_tui.hardware.readings import MachineReading

_log = logging.getLogger(__name__)
T = TypeVar("T")

# All together take less than five seconds, with a dead host and a dead registry, too.
LIMIT_S = 4.0


class Sources(NamedTuple):
    """Where each part of `Facts` comes from. Those that are not awaited are blocking."""

    program: Callable[[], facts.ProgramFacts]
    servers: Callable[[], Awaitable[tuple[facts.ServerFacts, ...]]]
    ollama: Callable[[], facts.OllamaFacts]
    engine: Callable[[], facts.EngineFacts]
    machine: Callable[[], MachineReading]
    cards: Callable[[], facts.CardFacts]
    disk: Callable[[], Awaitable[facts.DiskFacts]]
    settings: Callable[[], facts.SettingsFacts]
    registry: Callable[[], Awaitable[facts.RegistryFacts]]
    doors: Callable[[], Awaitable[tuple[facts.OpenDoor, ...]]]
    state: Callable[[], facts.StateFacts]
    system: Callable[[], facts.SystemFacts]
    terminal: Callable[[], facts.TerminalFacts]


async def examine(sources: Sources, limit_s: float = LIMIT_S) -> Report:
    """What is wrong with this installation, and what is not. Changes nothing."""

    def awaited(source: Callable[[], Awaitable[T]]) -> asyncio.Task[T | None]:
        return asyncio.create_task(_within(limit_s, source()))

    def blocking(source: Callable[[], T]) -> asyncio.Task[T | None]:
        return asyncio.create_task(_within(limit_s, _in_daemon(source)))

    program, servers = blocking(sources.program), awaited(sources.servers)
    ollama, engine = blocking(sources.ollama), blocking(sources.engine)
    machine, cards = blocking(sources.machine), blocking(sources.cards)
    disk, settings = awaited(sources.disk), blocking(sources.settings)
    registry, doors = awaited(sources.registry), awaited(sources.doors)
    state, system = blocking(sources.state), blocking(sources.system)
    terminal = blocking(sources.terminal)
    found = Facts(
        program=await program,
        servers=await servers,
        ollama=await ollama,
        engine=await engine,
        machine=await machine,
        cards=await cards,
        disk=await disk,
        settings=await settings,
        registry=await registry,
        doors=await doors,
        state=await state,
        system=await system,
        terminal=await terminal,
    )
    return judged(found, limit_s)


async def _within(limit_s: float, work: Awaitable[T]) -> T | None:
    """The result, or None if it does not come in time, or not at all."""
    try:
        async with asyncio.timeout(limit_s):
            return await work
    except TimeoutError:
        return None
    except Exception:  # noqa: BLE001 - logged; one that fails must not hide the others
        _log.exception("an examination failed")
        return None


async def _in_daemon(work: Callable[[], T]) -> T:
    """Do blocking work in a thread that the end of the program does not wait for: a driver may hang."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: Exception | None) -> None:
        if not answer.done():
            if error is not None:
                answer.set_exception(error)
            else:
                answer.set_result(result)  # type: ignore[arg-type]  # One of both is there.

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except Exception as failure:  # noqa: BLE001 - raised again where the result is awaited
            error = failure
        with suppress(RuntimeError):  # The loop may have ended by now.
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, name="doctor", daemon=True).start()
    return await answer
