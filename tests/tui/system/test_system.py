"""The screen of the doctor's findings: what it shows, the count in the header, and the fix after a yes."""

from __future__ import annotations

import json
import os

import psutil
import pytest

from llmstack_tui.base import paths
from llmstack_tui.base.sentences import Sentence, quoted
from llmstack_tui.base.structs import replace
from llmstack_tui.doctor.types import Finding, FindingState, Fix, FixKind, Report
from llmstack_tui.hosts.errors import Unreachable
from llmstack_tui.tui.system import actions
from tests.support import seeded
from tests.support.folders import blob
from tests.support.waiting import wait_until
from tests.tui.driving import dashboard, real_dashboard
from tests.tui.fakes import FakeServices, FakeStack

HUNG = Finding(
    id="engine.answers",
    state=FindingState.BROKEN,
    says=quoted("It hangs."),
    evidence=(quoted("The evidence."),),
    advice=(quoted("The advice."),),
)
LEFT = Finding(
    id="disk.leftovers",
    state=FindingState.WARNING,
    says=quoted("Files lie about."),
    fix=Fix(FixKind.CLEAN_DISK, Sentence("doctor.clean", {"count": 2, "size": 800})),
)
GOOD = Finding(id="net.proxy", state=FindingState.FINE, says=quoted("No proxy is set."))


def finds(*findings: Finding) -> FakeServices:
    services = FakeServices(FakeStack(seeded.typical()))
    services.doctor.findings = findings
    return services


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_findings_the_worst_first(size: tuple[int, int]) -> None:
    async with dashboard(services=finds(GOOD, LEFT, HUNG), size=size) as desk:
        await desk.press("0")
        await desk.until_shown("1 broken, 1 warning", "engine.answers", "It hangs.", "No proxy is set.")
        shown = desk.text
        assert shown.index("Broken") < shown.index("Warnings") < shown.index("Fine")
        assert "The evidence." not in shown
        await desk.press("enter")
        await desk.until_shown("The evidence.", "The advice.")
        await desk.press("enter")
        assert "The evidence." not in desk.text
        await desk.press("escape")
        assert desk.app.models.is_current


async def test_the_header_counts_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "FIRST_AFTER_S", 0.0)
    async with dashboard(services=finds(GOOD, LEFT, HUNG)) as desk:
        await desk.until_shown("2 findings (0)")


async def test_a_fix_is_taken_back() -> None:
    async with dashboard(services=finds(LEFT)) as desk:
        await desk.press("0")
        await desk.until_shown("Files lie about.")
        await desk.press("u")
        assert "no fix that could be taken back" in desk.told
        await desk.press("f", "right", "enter")
        await desk.until_shown("u takes the last fix back: Give ui.ascii its earlier value")
        await desk.press("u")
        await desk.until_shown("Take it back?")
        await desk.press("right", "enter")
        await desk.until_shown("Files lie about.")
        assert "takes the last fix back" not in desk.text


async def test_what_is_mended_on_another_screen_is_opened_there() -> None:
    wrong = Finding(
        id="server.port",
        state=FindingState.BROKEN,
        says=quoted("The port is taken."),
        opens=("settings", "engine.port"),
    )
    async with dashboard(services=finds(wrong)) as desk:
        await desk.press("0")
        await desk.until_shown("The port is taken.")
        await desk.press("enter")
        await desk.until_shown("f opens the screen where that can be changed.")
        await desk.press("f")
        await desk.until_shown("The port of the built-in engine.")


async def test_what_a_server_answers_is_examined_again_once_for_each_change(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    services = finds(HUNG)
    examine, looks = services.doctor.examine, []

    async def counted() -> Report:
        looks.append(services.stack.snapshot.reachable)
        return await examine()

    monkeypatch.setattr(services.doctor, "examine", counted)
    here = services.stack.snapshot
    away = replace(here, error=Unreachable("host.unreachable", host=here.url))
    async with dashboard(services=services) as desk:
        await desk.press("0")
        await wait_until(lambda: looks == [True])
        services.stack.put_snapshot(away)
        await wait_until(lambda: looks == [True, False])
        services.stack.put_snapshot(replace(away, latency_s=1.0))  # This is no change of that.
        services.stack.put_snapshot(here)
        await wait_until(lambda: looks == [True, False, True])
        await desk.press("escape")
        services.stack.put_snapshot(away)
        await desk.until_shown("not reachable")
        assert len(looks) == 3
        await desk.press("0")
        await wait_until(lambda: looks == [True, False, True, False])


async def test_a_command_is_shown_and_copied() -> None:
    proxy = Finding(
        id="net.proxy",
        state=FindingState.WARNING,
        says=quoted("A proxy is in the way."),
        command="export NO_PROXY=localhost",
    )
    async with dashboard(services=finds(proxy, HUNG)) as desk:
        await desk.press("0")
        await desk.until_shown("A proxy is in the way.")
        await desk.press("y")
        assert desk.app.clipboard == "It hangs.\nThe evidence.\nThe advice."
        await desk.press("down", "enter")
        await desk.until_shown("In a terminal: export NO_PROXY=localhost")
        await desk.press("y")
        assert desk.app.clipboard == "export NO_PROXY=localhost"
        await desk.press("f")
        assert "This is mended in a terminal: export NO_PROXY=localhost" in desk.told


async def test_a_fix_is_carried_out_after_a_yes() -> None:
    services = finds(LEFT, HUNG)
    doctor = services.doctor
    async with dashboard(services=services) as desk:
        await desk.press("0")
        await desk.until_shown("It hangs.")
        await desk.press("f")
        assert "nothing here that llmstack could mend" in desk.told
        await desk.press("down", "f")
        await desk.until_shown("Mend this?", "Remove 2 files")
        await desk.press("escape")
        assert doctor.mended == []
        await desk.press("f", "right", "enter")
        await wait_until(lambda: doctor.mended)
        await desk.until_shown("1 broken")
        assert "Files lie about." not in desk.text
        assert doctor.mended == ["disk.leftovers"]


async def test_the_real_doctor_finds_an_engine_that_hangs_and_a_file_that_nobody_uses() -> None:
    folder = paths.data_folder()
    blob(paths.models_folder(), b"nobody's" * 100)
    record = {
        "pid": os.getpid(),
        "created_s": psutil.Process().create_time(),
        "url": "http://127.0.0.1:1",
        "version": "0.1.0",
        "log": "engine.log",
    }
    (folder / "engine.json").write_text(json.dumps(record))
    async with real_dashboard() as desk:
        await desk.press("0")
        await desk.until_shown("1 broken", "engine.answers", "does not answer at http://127.0.0.1:1")
        await desk.press("r")
        await desk.until_shown("1 broken")
