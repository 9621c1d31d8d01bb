"""The screen of installations: its plans, a run with live output, cancel, and what it says when it fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.config.settings import Settings
from llmstack_tui.install.rules.ways import plans
from llmstack_tui.install.types import InstallFailed, InstallOffer, Record, Versions
from tests.install.machines import machine, release
from tests.support.waiting import wait_until
from tests.tui.driving import dashboard

if TYPE_CHECKING:
    from tests.tui.driving import FakeDesk

KEPT = Versions(kept=("0.32.1", "0.31.0"), current="0.32.1", record=Record(previous="0.31.0", held="0.31.0"))


def offered(versions: Versions = KEPT) -> InstallOffer:
    found = plans(machine(has_sudo=True), release(), versions)
    return InstallOffer(plans=found, versions=versions, known=("0.33.0", "0.32.1", "0.31.0"))


async def opened(desk: FakeDesk, offer: InstallOffer) -> None:
    desk.services.installing.offered = offer
    await desk.press("0", "i")
    await desk.until_shown("Ollama for you alone")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_ways_the_versions_and_a_plan(size: tuple[int, int]) -> None:
    async with dashboard(size=size) as desk:
        await opened(desk, offered())
        await desk.until_shown("Ollama for all users", "Built-in engine", "On this machine", "Published")
        await desk.until_shown("Save the script", "(as root)", "sudo env OLLAMA_VERSION=0.33.0 sh")
        await desk.press("down")
        await desk.until_shown("ollama-linux-amd64.tar.zst", "sha256")
        lines = desk.text.splitlines()
        assert any("0.32.1" in line and "in use" in line for line in lines)
        assert any("0.31.0" in line and "stays" in line for line in lines)
        await desk.press("escape", "escape")
        assert desk.app.models.is_current


async def test_an_installation_after_a_yes_and_what_its_programs_write() -> None:
    async with dashboard(size=(120, 40)) as desk:
        await opened(desk, offered())
        installing = desk.services.installing
        await desk.press("down", "enter")
        await desk.until_shown("Not now", "To take it back")
        await desk.press("escape")
        assert [each[0] for each in installing.calls] == ["offer"]
        installing.gate.clear()
        await desk.press("enter", "right", "enter")
        await desk.until_shown("Output of step 1", "Output of step 2")
        await desk.press("enter")
        assert "An installation is under way" in desk.told
        # It goes on while the screen is closed.
        await desk.press("escape", "i")
        await desk.until_shown("Output of step 2")
        installing.gate.set()
        await desk.until_shown("Done.")
        assert ("carry out", "archive", "0.33.0") in installing.calls


async def test_it_can_be_cancelled() -> None:
    async with dashboard() as desk:
        await opened(desk, offered())
        desk.services.installing.gate.clear()
        await desk.press("down", "enter", "right", "enter")
        await desk.until_shown("Output of step 1")
        await desk.press("x")
        await desk.until_shown("You cancelled it: what it had done is undone")
        await desk.press("x")
        assert "No installation is under way" in desk.told


async def test_a_failure_is_a_sentence() -> None:
    async with dashboard() as desk:
        await opened(desk, offered())
        about = {"name": "a.tgz", "host": "example.org"}
        desk.services.installing.failure = InstallFailed("install.wrong_checksum", **about)
        await desk.press("down", "enter", "right", "enter")
        await desk.until_shown("its checksum is another", "What it had done is undone.")


async def test_versions_are_used_held_and_asked_for() -> None:
    async with dashboard() as desk:
        await opened(desk, offered())
        calls = desk.services.installing.calls
        await desk.press("down", "down", "down", "down", "h")
        await wait_until(lambda: ("hold", "") in calls, what="the release of the version that is held")
        await wait_until(lambda: desk.stack.releases.looks == 1, what="what that means for updates")
        await desk.press("enter", "right", "enter")
        await wait_until(lambda: ("carry out", "archive", "0.31.0") in calls, what="the change")
        await desk.press("down", "enter")
        await wait_until(lambda: calls[-1] == ("offer", "0.33.0"), what="the plans of that version")
        await desk.press("delete")
        assert "no version of yours" in desk.told


async def test_without_a_network_the_engine_is_offered() -> None:
    why = (Sentence("registry.too_late", {"host": "example.org"}),)
    offer = InstallOffer(plans=plans(machine(), None, Versions(), why), problems=why)
    async with dashboard() as desk:
        await opened(desk, offer)
        await desk.until_shown("example.org did not answer in time.", "Start the built-in engine.")
        await desk.press("down", "enter")
        assert "did not answer in time" in desk.told


async def test_nothing_is_changed_read_only() -> None:
    async with dashboard(settings=Settings(read_only=True)) as desk:
        await opened(desk, offered())
        await desk.press("down", "enter")
        assert "read-only" in desk.told
