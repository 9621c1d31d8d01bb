"""What the keys of the list do with a model: to its server, and on the screen."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from llmstack_tui.config.settings import Settings
from llmstack_tui.tui.widgets.section import Section
from tests.support.fake_ollama import usual_ollama
from tests.support.waiting import wait_until
from tests.tui.driving import real_dashboard

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    import pytest

    from tests.tui.driving import RealDesk

CODER, MISTRAL, CLOUD = "qwen2.5-coder:7b", "mistral:7b", "gpt-oss:120b-cloud"


def on_server(
    *loaded: str, size: tuple[int, int] = (120, 40), read_only: bool = False
) -> AbstractAsyncContextManager[RealDesk]:
    """Over a server with two models, each with weights of its own, and one that runs elsewhere."""
    ollama = usual_ollama(CODER, MISTRAL, CLOUD, loaded=loaded, share_weights=False)
    ollama.cloud = {CLOUD}
    return real_dashboard(ollama, size=size, settings=Settings(read_only=read_only))


def asked(desk: RealDesk, path: str) -> list[object]:
    """The models that the server was asked about at this path."""
    return [body.get("model") for at, body in desk.ollama.asked if at == path]


async def looked(desk: RealDesk) -> None:
    """The server has been asked once more for what is loaded, and has answered."""
    before = asked(desk, "/api/ps")
    await wait_until(lambda: len(asked(desk, "/api/ps")) > len(before) + 1)


async def test_a_load_is_shown_at_once_counts_its_seconds_and_ends_with_one_line() -> None:
    async with on_server() as desk:
        await desk.put_cursor(MISTRAL)
        desk.ollama.may_load.clear()
        await desk.press("a")
        await wait_until(lambda: re.search(r"loading \d+s", desk.text))
        await desk.until_shown(f"◌ {MISTRAL}")
        await desk.press("a")  # again: asks for nothing
        (first, *_) = re.findall(r"loading \d+s", desk.text)
        await wait_until(lambda: re.search(r"loading \d+s", desk.text) and first not in desk.text)
        desk.ollama.may_load.set()
        await wait_until(lambda: desk.state(MISTRAL) == "active")
        await desk.until_happened("activate.loaded", MISTRAL)
        await desk.until_shown(f"● {MISTRAL}")
        assert desk.kinds == [("activate.loaded", MISTRAL)]
        assert asked(desk, "/api/generate") == [MISTRAL]


async def test_a_load_is_cancelled_by_either_key_and_leaves_one_line() -> None:
    cancelled = ("activate.cancelled_by_user", MISTRAL)
    async with on_server() as desk:
        await desk.put_cursor(MISTRAL)
        desk.ollama.may_load.clear()
        for count, key in enumerate(("d", "escape"), 1):
            await desk.press("a")
            await wait_until(lambda: desk.state(MISTRAL) == "loading")
            await desk.press(key)
            await wait_until(lambda: desk.state(MISTRAL) == "inactive")
            await wait_until(lambda count=count: desk.kinds.count(cancelled) == count)  # type: ignore[misc]
        assert desk.toasts == []
        desk.ollama.may_load.set()
        await desk.press("a")
        await desk.until_happened("activate.loaded", MISTRAL)
        assert desk.kinds == [("activate.loaded", MISTRAL), cancelled, cancelled]


async def test_a_failure_is_a_titled_toast_and_a_line() -> None:
    async with on_server() as desk:
        await desk.put_cursor(MISTRAL)
        desk.ollama.load_error = "model requires [bold]more system memory"
        await desk.press("a")
        await wait_until(lambda: desk.toasts)
        (toast,) = desk.toasts
        assert (toast.title, toast.severity) == ("Server error", "error")
        assert toast.message.startswith(f"Load {MISTRAL}: ")
        await desk.until_shown(f"✗ {MISTRAL} was not", "[bold]more")


async def test_a_stop_is_shown_at_once_and_says_what_came_of_it() -> None:
    async with on_server(CODER) as desk:
        await desk.put_cursor(CODER)
        desk.ollama.may_leave.clear()
        await desk.press("d")
        await desk.until_shown(f"◐ {CODER}", "stopping")
        # Another client asks it something: it stays.
        await looked(desk)
        desk.ollama.load(CODER, timedelta(minutes=5))
        await desk.until_happened("deactivate.kept", CODER)
        await desk.press("d")
        await wait_until(lambda: desk.state(CODER) == "stopping")
        desk.ollama.may_leave.set()
        await desk.until_happened("deactivate.gone", CODER)
        await wait_until(lambda: desk.state(CODER) == "inactive")
        assert desk.kinds == [("deactivate.gone", CODER), ("deactivate.kept", CODER)]


async def test_one_that_still_answers_is_said_to_leave_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.tui.driving.STOP_PATIENCE_S", 0.2)
    async with on_server(CODER) as desk:
        await desk.put_cursor(CODER)
        request = desk.ollama.begin_request(CODER)
        await desk.press("d")
        await desk.until_happened("deactivate.leaving", CODER)
        assert desk.state(CODER) == "stopping"
        desk.ollama.end_request(request)
        await wait_until(lambda: desk.state(CODER) == "inactive")


async def test_keys_that_have_nothing_to_do_say_so_and_ask_nothing() -> None:
    async with on_server(CODER) as desk:
        for model, key, said in (
            (CODER, "a", "is active already"),
            (MISTRAL, "d", "is not in memory"),
            (CLOUD, "a", "runs in the cloud"),
        ):
            desk.app.clear_notifications()
            await desk.put_cursor(model)
            await desk.press(key)
            await desk.until_shown(said)
        assert asked(desk, "/api/generate") == []


async def test_what_others_do_is_seen() -> None:
    async with on_server(CODER) as desk:
        desk.ollama.runners.clear()
        await desk.until_happened("client.unloaded", CODER)
        await wait_until(lambda: desk.state(CODER) == "inactive")
        desk.ollama.load(MISTRAL)
        await desk.until_happened("client.loaded", MISTRAL)
        await wait_until(lambda: desk.state(MISTRAL) == "active")


async def test_remove_asks_and_says_what_it_frees() -> None:
    async with on_server(CODER) as desk:
        await desk.put_cursor(MISTRAL)
        await desk.press("x")
        await desk.until_shown(f"Remove {MISTRAL}?", "frees up to 4.7 GB")
        await desk.press("q", "r")  # no answers of this question
        await desk.until_shown(f"Remove {MISTRAL}?")
        await desk.press("enter")  # "Keep it" has the focus
        for keys in (("escape",), ("left", "right", "tab", "escape")):
            await wait_until(lambda: desk.app.models.is_current)
            await desk.put_cursor(CODER)
            await desk.press("x")
            await desk.until_shown(f"Remove {CODER}?", "unloaded first")
            await desk.press(*keys)
        await wait_until(lambda: desk.app.models.is_current)
        assert asked(desk, "/api/delete") == []
        await desk.put_cursor(MISTRAL)
        await desk.press("delete")
        await desk.until_shown(f"Remove {MISTRAL}?")
        await desk.press("right", "enter")
        await desk.until_happened("remove.done", MISTRAL)
        await wait_until(lambda: MISTRAL not in {row.name for row in desk.app.models.list.models})
        assert sorted(desk.ollama.installed) == [CLOUD, CODER]


async def test_what_is_loaded_is_unloaded_before_it_is_removed() -> None:
    async with on_server(CODER) as desk:
        await desk.put_cursor(CODER)
        await desk.press("x")
        await desk.until_shown("unloaded first")
        await desk.press("right", "enter")
        await desk.until_happened("remove.done", CODER)
        assert desk.ollama.loaded == []
        assert CODER not in desk.ollama.installed
        changes = [path for path, _ in desk.ollama.asked if path in {"/api/generate", "/api/delete"}]
        assert changes == ["/api/generate", "/api/delete"]


async def test_two_names_over_the_same_weights_free_no_disk() -> None:
    async with real_dashboard(usual_ollama("one:latest", "two:latest")) as desk:
        await desk.put_cursor("one:latest")
        await desk.press("x")
        await desk.until_shown("Its weights stay: two:latest")


async def test_read_only_is_said_and_refuses() -> None:
    async with on_server(CODER, read_only=True) as desk:
        assert "read-only" in desk.text.splitlines()[0]
        await desk.put_cursor(CODER)
        for count, key in enumerate(("x", "p", "a", "d"), 1):
            if key == "a":
                await desk.put_cursor(MISTRAL)
            if key == "d":
                await desk.put_cursor(CODER)
            await desk.press(key)
            await wait_until(lambda count=count: len(desk.toasts) == count)  # type: ignore[misc]
            assert "read-only" in desk.toasts[-1].message
            assert desk.app.models.is_current
        assert desk.ollama.loaded == [CODER]
        assert not {path for path, _ in desk.ollama.asked} & {"/api/generate", "/api/delete"}


async def test_enter_opens_the_details_on_a_narrow_screen() -> None:
    async with on_server(CODER, size=(80, 24)) as desk:
        assert "OpenAI API" not in desk.text
        await desk.put_cursor(CODER)
        await desk.press("d")
        await desk.until_happened("deactivate.gone", CODER)
        await desk.press("enter")
        await desk.until_shown("OpenAI API", f"{desk.url}/v1", "inactive")
        # The record comes last, and a scroll to the end does not follow what comes later.
        unloaded = desk.app.screen.query(Section).last()
        await wait_until(lambda: "was unloaded" in str(unloaded.visual))
        await desk.press("G")
        await desk.until_shown("was unloaded")
        await desk.press("escape")
        assert desk.app.screen is desk.app.models
