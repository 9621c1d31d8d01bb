"""What is done by a key is taken back by another one: unloads, pins, names, and lists that were cleared."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.config.settings import GuardSettings, Settings, UiSettings
from llmstack_tui.downloads.types import DownloadState
from tests.support.fake_ollama import usual_ollama
from tests.support.waiting import wait_until
from tests.tui.driving import real_dashboard

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.tui.driving import RealDesk

CODER, MISTRAL, PHI = "qwen2.5-coder:7b", "mistral:7b", "phi4:14b"
PINNED = ("guard.pinned", MISTRAL)
UNPINNED = ("guard.unpinned", MISTRAL)


@asynccontextmanager
async def on_server(
    *loaded: str, size: tuple[int, int] = (120, 40), settings: Settings | None = None
) -> AsyncIterator[RealDesk]:
    """Over a server with three models, each with weights of its own; no guard stops them unasked."""
    ollama = usual_ollama(CODER, MISTRAL, PHI, loaded=loaded, share_weights=False)
    settings = settings or Settings(guard=GuardSettings(max_loaded=3, others=False))
    async with real_dashboard(ollama, size=size, settings=settings) as desk:
        await wait_until(lambda: all(desk.state(name) == "active" for name in loaded))
        yield desk


async def until_told(desk: RealDesk, text: str) -> None:
    await wait_until(lambda: text in [each.message for each in desk.toasts], what=f"a toast: {text}")


def is_in(desk: RealDesk, name: str, state: str) -> Callable[[], bool]:
    return lambda: desk.state(name) == state


def is_settled(desk: RealDesk) -> bool:
    """The model is in memory, and nothing is done with it: to one that seems busy nothing is sent."""
    status = desk.stack.status(desk.url, MISTRAL)
    is_idle = status is not None and not status.busy and not desk.stack.state.acts
    return is_idle and desk.state(MISTRAL) == "active"


def contexts(desk: RealDesk) -> list[object]:
    """The contexts with which the server was asked to load something."""
    bodies = [
        body for path, body in desk.ollama.asked if path == "/api/generate" and body.get("keep_alive") != 0
    ]
    return [body.get("options", {}).get("num_ctx") for body in bodies]


async def test_an_unload_is_undone_as_it_was_loaded_and_the_key_is_that_of_the_settings() -> None:
    settings = Settings(ui=UiSettings(keys={"app.undo": "f4"}))
    async with on_server(settings=settings) as desk:
        await desk.press("f4")
        await until_told(desk, "There is nothing to undo.")
        await desk.stack.actions.activate(desk.url, MISTRAL, context_length=2048)
        await desk.put_cursor(MISTRAL)
        await wait_until(is_in(desk, MISTRAL, "active"))
        await desk.press("d")
        await until_told(desk, f"Unloading {MISTRAL}. f4 undoes it.")
        await desk.until_happened("deactivate.gone", MISTRAL)
        await wait_until(is_in(desk, MISTRAL, "inactive"))
        await desk.press("2", "f4")  # from any screen
        await until_told(desk, f"{MISTRAL} is loaded again.")
        await desk.press("1")
        await wait_until(is_in(desk, MISTRAL, "active"))
        assert contexts(desk) == [2048, 2048]
        await desk.press("f4")
        await wait_until(lambda: desk.told.count("There is nothing to undo.") == 2)


async def test_what_one_key_unloads_is_loaded_again_by_one() -> None:
    async with on_server(CODER, PHI) as desk:
        await desk.press("space", "space", "space", "d")
        await wait_until(lambda: desk.ollama.loaded == [])
        await until_told(desk, "Unloading 2 models. z undoes it.")
        await wait_until(lambda: desk.state(CODER) == desk.state(PHI) == "inactive")
        await desk.press("z")
        await until_told(desk, "2 models are loaded again.")
        await wait_until(lambda: sorted(desk.ollama.loaded) == [PHI, CODER])
        await wait_until(lambda: desk.state(CODER) == desk.state(PHI) == "active")
        await desk.press("escape", "S")
        await desk.until_shown("Unload all 2 models?")
        await desk.press("right", "enter")
        await wait_until(lambda: desk.state(CODER) == desk.state(PHI) == "inactive")
        await desk.press("z")
        await wait_until(lambda: sorted(desk.ollama.loaded) == [PHI, CODER])


async def test_names_over_one_process_are_undone_with_the_rest_of_their_act() -> None:
    async with on_server(CODER, PHI) as desk:
        desk.ollama.installed["copy:1"] = desk.ollama.installed[PHI]
        await wait_until(lambda: any(row.name == "copy:1" for row in desk.app.models.list.models))
        await desk.put_cursor(CODER)
        await desk.press("space")
        await desk.put_cursor(PHI)
        await desk.press("space", "d")
        await until_told(desk, f"Unloading {CODER}. z undoes it.")
        await desk.until_shown(f"Unload {PHI}?")
        await desk.press("right", "enter")
        await until_told(desk, f"Unloading {PHI}. z undoes it.")
        await wait_until(lambda: desk.state(CODER) == desk.state(PHI) == "inactive")
        await desk.press("z")
        await until_told(desk, "2 models are loaded again.")
        await wait_until(lambda: sorted(desk.ollama.loaded) == [PHI, CODER])


@pytest.mark.parametrize("at_once", [False, True])
async def test_what_has_not_left_yet_stays(at_once: bool) -> None:
    async with on_server(MISTRAL) as desk:
        await desk.put_cursor(MISTRAL)
        request = desk.ollama.begin_request(MISTRAL)
        if at_once:
            await desk.type("dz")
        else:
            await desk.press("d")
            await wait_until(is_in(desk, MISTRAL, "stopping"))
            await desk.press("z")
        await until_told(desk, f"{MISTRAL} is kept in memory.")
        await desk.until_happened("activate.loaded", MISTRAL)
        desk.ollama.end_request(request)
        await wait_until(is_in(desk, MISTRAL, "active"))
        assert desk.ollama.runners == [request]


async def test_the_limit_holds_for_what_is_loaded_again_and_it_can_be_cancelled() -> None:
    async with on_server(MISTRAL, settings=Settings(guard=GuardSettings(max_loaded=1, others=False))) as desk:
        await wait_until(lambda: any(each.decisions for each in desk.stack.state.guards.values()))
        await desk.put_cursor(MISTRAL)
        await desk.press("d")
        await wait_until(is_in(desk, MISTRAL, "inactive"))
        desk.ollama.load(PHI)
        await wait_until(is_in(desk, PHI, "active"))
        await desk.press("z")
        await desk.until_shown(f"Load {MISTRAL}?", "the limit is 1.")
        desk.ollama.may_load.clear()
        await desk.press("tab", "enter")
        await wait_until(is_in(desk, MISTRAL, "loading"))
        await desk.press("escape")
        await desk.until_happened("activate.cancelled_by_user", MISTRAL)


async def test_what_was_not_unloaded_or_is_gone_is_said() -> None:
    async with on_server(MISTRAL) as desk:
        await desk.put_cursor(MISTRAL)
        for change, is_there, said in (
            (partial(desk.ollama.load, MISTRAL), ["active"], "active already"),
            (partial(desk.ollama.installed.pop, MISTRAL), [], "not there any more"),
        ):
            await desk.press("d")
            await wait_until(is_in(desk, MISTRAL, "inactive"))
            change()
            await wait_until(
                lambda is_there=is_there: (
                    [row.state for row in desk.app.models.list.models if row.name == MISTRAL] == is_there  # type: ignore[misc]
                )
            )
            await desk.press("z")
            await until_told(desk, f"{MISTRAL} is {said}.")
        assert contexts(desk) == []


async def test_while_the_server_is_away_nothing_is_lost() -> None:
    async with on_server(MISTRAL) as desk:
        await desk.put_cursor(MISTRAL)
        await desk.press("d")
        await wait_until(is_in(desk, MISTRAL, "inactive"))
        desk.ollama.down = True
        await wait_until(lambda: desk.stack.state.hosts[0].snapshot.error is not None)
        await wait_until(lambda: desk.app.view.state is desk.stack.state)
        await desk.press("z")
        await wait_until(lambda: "closed the" in desk.told)
        desk.ollama.down = False
        await wait_until(lambda: desk.stack.state.hosts[0].snapshot.error is None)
        await wait_until(lambda: desk.app.view.state is desk.stack.state)
        await desk.press("z")
        await wait_until(lambda: desk.ollama.loaded == [MISTRAL])


async def test_a_pin_is_taken_back_with_the_load_that_it_brought() -> None:
    async with on_server() as desk:
        await desk.put_cursor(MISTRAL)
        await desk.press("P")
        await until_told(desk, f"{MISTRAL} is pinned. z undoes it.")
        await wait_until(is_in(desk, MISTRAL, "active"))
        await desk.press("z")
        await until_told(desk, f"{MISTRAL} is unpinned and unloaded again.")
        await wait_until(lambda: desk.ollama.loaded == [])
        assert not desk.stack.guard.is_pinned(desk.url, MISTRAL)
        await wait_until(is_in(desk, MISTRAL, "inactive"))
        desk.ollama.may_load.clear()
        await desk.press("P")
        await wait_until(is_in(desk, MISTRAL, "loading"))
        await desk.press("z")
        await until_told(desk, f"{MISTRAL} is unpinned again.")
        await wait_until(lambda: desk.kinds.count(UNPINNED) == 2)
        await wait_until(is_in(desk, MISTRAL, "inactive"))
        assert not desk.stack.guard.is_pinned(desk.url, MISTRAL)
        assert desk.kinds.count(PINNED) == 2


async def test_what_was_in_memory_before_its_pin_stays_there() -> None:
    async with on_server() as desk:
        await desk.put_cursor(MISTRAL)
        await desk.press("a")
        await wait_until(partial(is_settled, desk))
        await desk.press("P")
        await wait_until(lambda: desk.ollama.runners[0].keep_alive.days > 9999)
        await wait_until(partial(is_settled, desk))
        await desk.press("z")
        await until_told(desk, f"{MISTRAL} is unpinned again.")
        await wait_until(lambda: desk.ollama.runners[0].keep_alive.days == 0)
        assert desk.ollama.loaded == [MISTRAL]


async def test_an_unpin_is_taken_back_and_what_has_left_since_is_loaded_again() -> None:
    async with on_server() as desk:
        await desk.put_cursor(MISTRAL)
        await desk.press("P")
        await wait_until(partial(is_settled, desk))
        for leaves in (False, True):
            await desk.press("P")
            await wait_until(lambda: not desk.stack.guard.is_pinned(desk.url, MISTRAL))
            await until_told(desk, f"{MISTRAL} is unpinned. z undoes it.")
            await wait_until(lambda: desk.ollama.runners[0].keep_alive.days == 0)
            await wait_until(partial(is_settled, desk))
            if leaves:
                desk.ollama.runners.clear()
                await wait_until(is_in(desk, MISTRAL, "inactive"))
            await desk.press("z")
            await until_told(desk, f"{MISTRAL} is pinned again.")
            await wait_until(lambda: desk.stack.guard.is_pinned(desk.url, MISTRAL))
            await wait_until(lambda: [each.keep_alive.days > 9999 for each in desk.ollama.runners] == [True])
            await wait_until(partial(is_settled, desk))


async def test_a_pin_that_was_not_kept_is_said() -> None:
    settings = Settings(guard=GuardSettings(max_loaded=1, others=False))
    async with on_server(PHI, settings=settings) as desk:
        await wait_until(lambda: any(each.decisions for each in desk.stack.state.guards.values()))
        await desk.put_cursor(MISTRAL)
        await desk.press("P")
        await desk.until_shown(f"Load {MISTRAL}?")
        await desk.press("escape")
        await wait_until(lambda: UNPINNED in desk.kinds)
        await desk.press("z")
        await until_told(desk, f"{MISTRAL} is not pinned any more.")
        assert desk.kinds.count(UNPINNED) == 1


async def rename(desk: RealDesk, name: str, new: str) -> None:
    await desk.put_cursor(name)
    await desk.press("N")
    await desk.until_shown(f"Rename {name}")
    desk.field("name").value = new
    await desk.press("enter")
    await wait_until(lambda: desk.app.screen is desk.app.models)
    await wait_until(lambda: new in {name for _, name in desk.kinds})


async def test_a_new_name_is_taken_back_with_the_pin_and_the_acts_before_it_follow() -> None:
    async with on_server(MISTRAL) as desk:
        await desk.put_cursor(MISTRAL)
        await desk.press("d")
        await wait_until(is_in(desk, MISTRAL, "inactive"))
        await desk.stack.guard.pin(desk.url, MISTRAL)
        await rename(desk, MISTRAL, "mine:latest")
        await until_told(desk, f"{MISTRAL} is called mine:latest now. z undoes it.")
        await desk.press("z")
        await until_told(desk, f"mine:latest is called {MISTRAL} again.")
        assert sorted(desk.ollama.installed) == [MISTRAL, PHI, CODER]
        await wait_until(lambda: desk.app.models.selected == (desk.url, MISTRAL))
        await wait_until(lambda: desk.stack.guard.is_pinned(desk.url, MISTRAL))
        await desk.press("z")
        await wait_until(lambda: desk.ollama.loaded == [MISTRAL])


async def test_a_name_that_is_taken_meanwhile_or_a_model_that_is_gone_is_said() -> None:
    async with on_server() as desk:
        await rename(desk, MISTRAL, "mine:latest")
        desk.ollama.installed[MISTRAL] = "e" * 64
        await desk.press("z")
        await until_told(
            desk, f"Rename mine:latest: There is a model called {MISTRAL} already. Choose another name."
        )
        assert desk.ollama.installed[MISTRAL] == "e" * 64
        assert "mine:latest" in desk.ollama.installed
        await rename(desk, PHI, "yours:latest")
        del desk.ollama.installed["yours:latest"]
        await wait_until(lambda: "yours:latest" not in [row.name for row in desk.app.models.list.models])
        await desk.press("z")
        await until_told(desk, "yours:latest is not there any more.")


async def test_what_was_cleared_from_the_list_comes_back() -> None:
    async with on_server() as desk:
        await desk.press("2", "X")
        await until_told(desk, "No download is over: there is nothing to clear.")
        for name in ("tiny:1b", "tiny:3b"):
            await desk.stack.downloads.pull(desk.url, name)
        over = {DownloadState.DONE, DownloadState.FAILED}
        await wait_until(
            lambda: len([each for each in desk.stack.state.downloads if each.state in over]) == 2, 30
        )
        before = desk.stack.state.downloads
        await desk.press("X")
        await until_told(desk, "2 downloads were cleared from the list. z undoes it.")
        await wait_until(lambda: not desk.stack.state.downloads)
        await desk.press("1", "z")
        await until_told(desk, "2 downloads are in the list again.")
        await wait_until(lambda: desk.stack.state.downloads == before)


async def test_read_only_undoes_nothing_and_loses_nothing() -> None:
    async with on_server(MISTRAL) as desk:
        await desk.put_cursor(MISTRAL)
        await desk.press("d")
        await wait_until(is_in(desk, MISTRAL, "inactive"))
        desk.stack.read_only = True
        await desk.press("z")
        await wait_until(lambda: "read-only" in desk.told)
        desk.stack.read_only = False
        await desk.press("z")
        await wait_until(lambda: desk.ollama.loaded == [MISTRAL])


async def test_a_z_in_a_field_or_over_a_question_undoes_nothing() -> None:
    async with on_server(MISTRAL, size=(80, 24)) as desk:
        await desk.put_cursor(MISTRAL)
        await desk.press("d")
        await wait_until(is_in(desk, MISTRAL, "inactive"))
        await desk.press("slash", "z")
        await desk.until_shown("Press esc to see all of them again.")
        await desk.press("escape", "escape")
        await desk.put_cursor(MISTRAL)
        await desk.press("x")
        await desk.until_shown(f"Remove {MISTRAL}?")
        await desk.press("z", "escape")
        await wait_until(lambda: desk.app.screen is desk.app.models)
        assert contexts(desk) == []
        await desk.press("enter", "z")  # in the details
        await wait_until(lambda: desk.ollama.loaded == [MISTRAL])
