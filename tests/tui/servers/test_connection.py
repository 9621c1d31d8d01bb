"""The way to a server: every answer to "what is there" and what the user makes of it."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from llmstack_tui.base.kinds import HostKind
from llmstack_tui.base.sentences import quoted
from llmstack_tui.base.structs import replace
from llmstack_tui.config.hosts import HostSettings
from llmstack_tui.config.settings import EngineSettings, Settings
from llmstack_tui.core.servers import BuiltinStopped, Found, NothingToRun, OllamaStopped
from llmstack_tui.engine.process.control import EngineFailed, EngineHandle, EngineProcess
from llmstack_tui.hosts.errors import HostError, Unreachable
from llmstack_tui.tui.models.rows import ModelRow
from llmstack_tui.tui.servers.connection import with_remedies
from tests.support import seeded
from tests.support.waiting import wait_until
from tests.tui.driving import dashboard
from tests.tui.fakes import FakeServices, FakeStack

STOPPED = OllamaStopped(Path("/usr/local/bin/ollama"), seeded.URL)
NOTHING = NothingToRun(quoted("Nothing."))


class FakeHandle(EngineHandle):
    def __init__(self, *, notice: str | None = None) -> None:
        super().__init__(
            EngineProcess(
                pid=1,
                url=seeded.URL,
                version="0.1.0",
                created_s=0.0,
                log="engine.log",
                notice=notice,
            )
        )
        self.released = 0

    def release(self) -> None:
        self.released += 1


def builtin() -> FakeStack:
    model = seeded.model("a:latest")
    return FakeStack(seeded.state(seeded.snapshot((model,), (seeded.running(model),), kind=HostKind.BUILTIN)))


async def test_the_first_paint_does_not_wait_for_a_server() -> None:
    services = FakeServices(FakeStack(seeded.typical()), never=True)
    async with dashboard(services=services, connected=False) as desk:
        await desk.until_shown("Looking for a server", "q Quit")
        await wait_until(lambda: re.search(r"Looking for a server…  \d s", desk.text))


async def test_what_was_listed_last_is_shown_until_a_server_is_found() -> None:
    services = FakeServices(FakeStack(seeded.typical()), never=True)
    of = replace(seeded.snapshot((seeded.model("old:latest"),), read_at=None), recalled_at=datetime.now(UTC))
    services.last_session = seeded.state(of)
    async with dashboard(services=services, connected=False) as desk:
        await desk.until_shown("old:latest")
        assert all(row.old for row in desk.app.models.list.rows if isinstance(row, ModelRow))
        await desk.press("a")
        await desk.until_shown("There is no server yet.", "old:latest")


async def test_what_was_listed_last_is_put_away_when_its_server_is_not_there() -> None:
    services = FakeServices(FakeStack(seeded.typical()), BuiltinStopped())
    services.engine = asyncio.get_running_loop().create_future()
    of = replace(seeded.snapshot((seeded.model("old:latest"),), read_at=None), recalled_at=datetime.now(UTC))
    services.last_session = seeded.state(of)
    async with dashboard(services=services, connected=False) as desk:
        await desk.until_shown("Starting the built-in engine")
        assert "old:latest" not in desk.text


async def test_what_was_listed_last_gives_way_to_what_the_server_lists() -> None:
    nothing_yet = seeded.state(seeded.snapshot(read_at=None))
    stack = FakeStack(nothing_yet)
    services = FakeServices(stack)
    of = replace(seeded.snapshot((seeded.model("old:latest"),), read_at=None), recalled_at=datetime.now(UTC))
    services.last_session = seeded.state(of)
    async with dashboard(services=services, connected=False) as desk:
        await desk.until_shown("old:latest")
        await wait_until(lambda: desk.app.stack is not None)
        stack.put(replace(nothing_yet, last_event_id=1))  # A state in which no server has answered.
        await desk.pilot.pause()
        assert "old:latest" in desk.text
        stack.put(seeded.typical())
        await desk.until_shown("qwen2.5-coder:7b")
        # The panes follow the list.
        await wait_until(lambda: "old:latest" not in desk.text)


async def test_a_server_that_answers_is_used() -> None:
    async with dashboard() as desk:
        assert desk.services.opened == [(seeded.URL,)]


async def test_a_stopped_ollama_is_offered_and_started() -> None:
    services = FakeServices(FakeStack(seeded.typical()), STOPPED)
    services.ollama = asyncio.get_running_loop().create_future()
    async with dashboard(services=services, connected=False) as desk:
        await desk.until_shown("Ollama is installed, but not running", "/usr/local/bin/ollama")
        await desk.press("enter")
        await desk.until_shown("Starting Ollama", "of 30 s")
        services.ollama.set_result(None)
        await desk.until_shown("qwen2.5-coder:7b")
        assert services.opened == [(seeded.URL,)]


async def test_starting_ollama_can_be_given_up_and_left() -> None:
    services = FakeServices(FakeStack(seeded.typical()), STOPPED)
    services.ollama = asyncio.get_running_loop().create_future()
    async with dashboard(services=services, connected=False) as desk:
        await desk.until_shown("Start Ollama")
        await desk.press("enter")
        await desk.until_shown("of 30 s")
        await desk.press("escape")
        await desk.until_shown("Start Ollama")
        assert services.ollama.cancelled()
        await desk.press("escape")
        await wait_until(lambda: not desk.app.is_running)
    assert desk.app.return_code == 0


async def test_an_ollama_that_does_not_start_says_why_and_the_engine_takes_over() -> None:
    services = FakeServices(builtin(), STOPPED)
    loop = asyncio.get_running_loop()
    services.ollama, services.engine = loop.create_future(), loop.create_future()
    services.ollama.set_exception(HostError("quoted", text="The port [11434] is in use.", host=seeded.URL))
    handle = FakeHandle()
    services.engine.set_result(handle)
    async with dashboard(services=services, connected=False) as desk:
        await desk.until_shown("Start Ollama")
        await desk.press("enter")
        await desk.until_shown("It did not start: The port [11434] is in use.")
        await desk.press("right", "enter")
        await desk.until_shown("Built-in engine 0.1.0")
    assert handle.released == 1


async def test_the_builtin_engine_is_started_and_let_go_at_the_end() -> None:
    services = FakeServices(builtin(), BuiltinStopped())
    services.engine = asyncio.get_running_loop().create_future()
    handle = FakeHandle(notice="An NVIDIA card is here, which this build cannot use.")
    async with dashboard(services=services, connected=False) as desk:
        await desk.until_shown("Starting the built-in engine")
        services.engine.set_result(handle)
        await desk.until_shown("Built-in engine 0.1.0", "a:latest")
        await desk.until_said("An NVIDIA card is here")
        assert handle.released == 0
        await desk.press("q")
    assert handle.released == 1
    assert "ends by itself as soon as nobody uses it" in desk.app.farewell


async def test_an_engine_that_is_to_stay_has_no_farewell() -> None:
    services = FakeServices(builtin(), BuiltinStopped())
    services.engine = asyncio.get_running_loop().create_future()
    services.engine.set_result(FakeHandle())
    settings = Settings(engine=EngineSettings(keep=True))
    async with dashboard(services=services, settings=settings) as desk:
        await desk.press("q")
    assert desk.app.farewell == ""


async def test_the_start_of_the_engine_can_be_cancelled_and_tried_again() -> None:
    services = FakeServices(builtin(), BuiltinStopped())
    loop = asyncio.get_running_loop()
    services.engine = loop.create_future()
    async with dashboard(services=services, connected=False) as desk:
        await desk.until_shown("Starting the built-in engine", "esc cancels")
        await desk.press("escape")
        await desk.until_shown("You cancelled its start", "Try again", "Quit")
        assert services.engine.cancelled()
        services.engine = loop.create_future()
        services.engine.set_result(FakeHandle())
        await desk.press("enter")
        await desk.until_shown("Built-in engine 0.1.0")


async def test_quitting_while_the_engine_starts_cancels_its_start() -> None:
    services = FakeServices(builtin(), BuiltinStopped())
    services.engine = asyncio.get_running_loop().create_future()
    async with dashboard(services=services, connected=False) as desk:
        await desk.until_shown("Starting the built-in engine")
        await desk.press("q")
        await wait_until(lambda: not desk.app.is_running)
    assert services.engine.cancelled()


async def test_an_engine_that_does_not_start_can_be_tried_again() -> None:
    services = FakeServices(builtin(), BuiltinStopped())
    loop = asyncio.get_running_loop()
    services.engine = loop.create_future()
    services.engine.set_exception(EngineFailed("The port 11434 is in use: choose another."))
    async with dashboard(services=services, connected=False) as desk:
        await desk.until_shown("The built-in engine did not start", "choose another")
        services.engine = loop.create_future()
        services.engine.set_result(FakeHandle())
        await desk.press("enter")
        await desk.until_shown("Built-in engine 0.1.0")


@pytest.mark.parametrize("size", [(80, 24), (60, 16), (120, 40)])
async def test_a_machine_with_nothing_to_run_says_how_to_get_it(size: tuple[int, int]) -> None:
    reason = "The built-in engine is not installed. Install it with: pip install 'llmstack-tui[engine]'"
    services = FakeServices(FakeStack(seeded.typical()), NothingToRun(quoted(reason)), Found((seeded.URL,)))
    async with dashboard(services=services, size=size, connected=False) as desk:
        await desk.until_shown(
            "https://ollama.com/download", "  pip install 'llmstack-tui[engine]'", "Try again"
        )
        await desk.press("enter")
        await desk.until_shown("─ Installation")
        await desk.press("escape")
        await desk.until_shown("qwen2.5-coder:7b")


async def test_r_tries_again_where_nothing_was_found() -> None:
    services = FakeServices(FakeStack(seeded.typical()), NOTHING, Found((seeded.URL,)))
    async with dashboard(services=services, connected=False) as desk:
        await desk.until_shown("Nothing.", "Try again")
        await desk.press("r")
        await desk.until_shown("qwen2.5-coder:7b")


async def test_q_leaves_where_nothing_was_found() -> None:
    services = FakeServices(FakeStack(seeded.typical()), NOTHING)
    async with dashboard(services=services, connected=False) as desk:
        await desk.until_shown("Nothing.", "Try again")
        await desk.press("q")
        await wait_until(lambda: not desk.app.is_running)


async def test_an_address_that_is_none_is_named() -> None:
    services = FakeServices(
        FakeStack(seeded.typical()), ValueError("'ht!tp' is no address: write host:port.")
    )
    async with dashboard(services=services, connected=False) as desk:
        await desk.until_shown("'ht!tp' is no address")
        await desk.press("right", "enter")
        await wait_until(lambda: not desk.app.is_running)


async def test_quitting_while_a_server_is_looked_for() -> None:
    services = FakeServices(FakeStack(seeded.typical()), never=True)
    async with dashboard(services=services, connected=False) as desk:
        await desk.until_shown("Looking for a server")
        await desk.press("q")
        await wait_until(lambda: not desk.app.is_running)


async def test_our_engine_that_died_is_started_again_with_r() -> None:
    services = FakeServices(builtin(), BuiltinStopped())
    loop = asyncio.get_running_loop()
    first, second = FakeHandle(), FakeHandle()
    services.engine = loop.create_future()
    services.engine.set_result(first)
    async with dashboard(services=services) as desk:
        well = desk.stack.snapshot
        gone = Unreachable("quoted", text="No server answers.", host=seeded.URL, detail="connection refused")
        desk.stack.put_snapshot(replace(well, error=gone))
        await desk.until_shown("Press r to start the engine again.")
        services.engine = loop.create_future()
        services.engine.set_result(second)
        desk.stack.put_snapshot(well)
        desk.stack.put_snapshot(replace(well, error=gone))
        await desk.press("r")
        await wait_until(lambda: first.released == 1)
        desk.stack.put_snapshot(well)
        await wait_until(lambda: "not reachable" not in desk.text)
        assert len(services.opened) == 2
    assert (first.released, second.released) == (1, 1)


async def test_an_engine_that_somebody_else_started_and_that_died_is_started_with_r() -> None:
    services = FakeServices(builtin(), Found((seeded.URL,)), BuiltinStopped())
    services.engine = asyncio.get_running_loop().create_future()
    handle = FakeHandle()
    services.engine.set_result(handle)
    async with dashboard(services=services) as desk:
        well = desk.stack.snapshot
        gone = Unreachable("quoted", text="No server answers.", host=seeded.URL, detail="connection refused")
        desk.stack.put_snapshot(replace(well, error=gone))
        await desk.until_shown("Press r to start the engine again.")
        desk.stack.put_snapshot(well)
        desk.stack.put_snapshot(replace(well, error=gone))
        await desk.press("r")
        await wait_until(lambda: len(services.opened) == 2)
    assert handle.released == 1, "it ends with the dashboard that started it"


async def test_an_engine_whose_address_was_given_is_not_started() -> None:
    settings = Settings(hosts=(HostSettings(url=seeded.URL),))
    async with dashboard(builtin().state, settings=settings) as desk:
        gone = Unreachable("quoted", text="No server answers.", host=seeded.URL, detail="connection refused")
        desk.stack.put_snapshot(replace(desk.stack.snapshot, error=gone))
        await desk.until_shown("is not reachable")
        assert "start the engine" not in desk.text
        await desk.press("r")
        await wait_until(lambda: ("refresh",) in desk.stack.calls)


async def test_a_connection_that_ends_by_a_defect_is_told_and_can_be_made_anew() -> None:
    class Broken(FakeServices):
        broken = True

        async def find(self) -> Found:
            if self.broken:
                raise ZeroDivisionError("by zero")
            return Found((seeded.URL,))

    services = Broken(FakeStack(seeded.typical()))
    async with dashboard(services=services, connected=False) as desk:
        await desk.until_shown("Press r to try again", "ZeroDivisionError")
        services.broken = False
        await desk.press("r")
        await desk.until_shown("qwen2.5-coder:7b")


def test_the_way_out_is_said_once() -> None:
    assert with_remedies("Install it with: pip install x").splitlines()[2] == "  pip install x"
    no_build = "There is no build for this. Use Ollama instead: https://ollama.com/download"
    assert with_remedies(no_build) == no_build
