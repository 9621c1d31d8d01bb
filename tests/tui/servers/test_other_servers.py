"""Servers that can less than Ollama: the keys that do nothing there are grey, and say why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from llmstack_tui.config.hosts import HostSettings
from llmstack_tui.lifecycle.states import ModelState
from tests.support.fake_servers import FakeLlamaServer, FakeStudio
from tests.support.scripted_server import serving
from tests.support.waiting import wait_until
from tests.tui.driving import real_dashboard

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.tui.driving import RealDesk


def grey(desk: RealDesk) -> Mapping[str, str]:
    return desk.app.models.keys.reasons


async def test_a_server_with_one_model_is_listed_and_what_it_cannot_do_is_grey() -> None:
    async with (
        serving(FakeLlamaServer(("solo",))) as server,
        real_dashboard(others=[HostSettings(url=server.url)]) as desk,
    ):
        await desk.until_shown("solo", "llama-server")
        assert grey(desk) == {}, "the cursor is on Ollama"
        desk.app.select(server.url, "solo")
        await wait_until(lambda: "models.activate" in grey(desk))
        assert set(grey(desk)) >= {"models.deactivate", "models.update", "models.remove", "models.create"}
        for key, said in (("d", "cannot unload"), ("x", "cannot remove"), ("C", "cannot copy")):
            await desk.press(key)
            await desk.until_shown(said)
        assert not any(request.method != "GET" for request in server.requests)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_lm_studio_loads_and_unloads(size: tuple[int, int]) -> None:
    fake = FakeStudio(("org/one",))
    async with (
        serving(fake) as server,
        real_dashboard(others=[HostSettings(url=server.url)], size=size) as desk,
    ):
        await desk.until_shown("org/one")
        desk.app.select(server.url, "org/one")
        await wait_until(lambda: "models.remove" in grey(desk))
        assert "models.activate" not in grey(desk)
        await desk.press("a")
        await wait_until(lambda: fake.loaded == ["org/one"])
        await wait_until(lambda: desk.state("org/one") is ModelState.ACTIVE)
        await desk.press("d")
        await wait_until(lambda: fake.loaded == [])
