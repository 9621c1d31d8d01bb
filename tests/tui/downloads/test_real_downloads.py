"""The catalogue, the downloads and the disk over the real stack, a real engine and a real registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast
from unittest.mock import patch

import pytest

from llmstack_tui.base import languages
from llmstack_tui.catalog import service
from llmstack_tui.config.hosts import HostSettings
from llmstack_tui.config.settings import Settings, UiSettings, UpdatesSettings
from llmstack_tui.core.open import Core
from llmstack_tui.engine.process.requirements import missing_reason
from llmstack_tui.tui.app import Dashboard
from tests.support.catalogs import catalog_of
from tests.support.engine_process import engine_process
from tests.support.registry import Fault, serving
from tests.support.waiting import wait_until
from tests.tui.driving import Desk

if TYPE_CHECKING:
    from pathlib import Path

    from llmstack_tui.tui.downloads.screen import DownloadsScreen

PATIENCE_S = 60.0
NEVER = UpdatesSettings(check_every=None)


@pytest.mark.skipif(missing_reason() is not None, reason=str(missing_reason()))
async def test_from_the_catalogue_to_the_list_with_a_cut_in_between(
    tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with engine_process(tmp_path) as url, serving() as registry:
        version = registry.publish("library/tiny", tiny_model)
        name = registry.listed("library/tiny")
        shelf = catalog_of(name, version.size)
        monkeypatch.setattr(service, "load_catalog", lambda: shelf)
        # The first try of the download fails, on every blob.
        registry.faults.append(Fault(path="/blobs/", status=404))
        settings = Settings(hosts=(HostSettings(url=url),), updates=NEVER)
        app = Dashboard(settings, Core(settings, {}))
        async with app.run_test(size=(120, 40), notifications=True) as pilot:
            desk = Desk(app, pilot)
            await desk.until_shown("No models here yet.")
            await desk.press("3")
            await desk.until_shown("a test")
            await desk.press("enter")
            # The one tag that the registry lists is a variant, of which it tells the size.
            await wait_until(lambda: registry.requests("/tags/list") and registry.requests("/manifests/"))
            await desk.until_shown("Variants", "F16")
            await desk.press("p")
            await desk.until_shown("to download")
            await desk.press("right", "enter")
            await desk.until_shown("is in the queue")
            await desk.press("2")
            await wait_until(
                lambda: "failed" in desk.text and "History" in desk.text, PATIENCE_S, "a failure"
            )
            registry.faults.clear()
            screen = cast("DownloadsScreen", app.screen)
            await wait_until(lambda: screen.selected is not None)
            await desk.press("r")
            await wait_until(lambda: "done" in desk.text, PATIENCE_S, "the model")
            await desk.press("enter")
            await desk.until_shown("Layers", "Events")
            await desk.press("1")
            await desk.until_shown("library/tiny", "inactive")
            await desk.press("3")
            await wait_until(lambda: "installed" in desk.text)
            await desk.press("2")
            await desk.until_shown("History")
            await desk.press("X")
            await wait_until(lambda: "Nothing is being downloaded." in desk.text, PATIENCE_S)


@pytest.mark.skipif(missing_reason() is not None, reason=str(missing_reason()))
async def test_the_engine_says_in_the_language_of_the_screen_why_a_pull_failed(tmp_path: Path) -> None:
    with engine_process(tmp_path) as url:
        settings = Settings(hosts=(HostSettings(url=url),), updates=NEVER, ui=UiSettings(language="es"))
        languages.use("es")
        try:
            app = Dashboard(settings, Core(settings, {"LLMSTACK_UI_LANGUAGE": "es"}))
            async with app.run_test(size=(120, 40), notifications=True) as pilot:
                desk = Desk(app, pilot)
                await desk.until_shown("Aún no hay modelos.")
                await desk.press("p")
                await wait_until(lambda: bool(app.screen.query("#path")), what="the dialog")
                desk.field("path").value = "http://127.0.0.1:9/a/b"
                await desk.press("enter")
                await wait_until(lambda: not app.screen.query("#path"), what="the dialog is closed")
                await desk.press("2")
                await desk.until_shown(
                    "Historial", "No se puede conectar con 127.0.0.1:9: conexión rechazada."
                )
        finally:
            languages.use("en")


async def test_the_disk_of_this_machine(tmp_path: Path) -> None:
    """The folder is that of the program's own engine, whatever server it shows."""
    settings = Settings(hosts=(HostSettings(url="http://127.0.0.1:9"),), updates=NEVER)
    blob = tmp_path / "models" / "blobs" / f"sha256-{'a' * 64}"
    blob.parent.mkdir(parents=True)
    blob.write_bytes(b"x" * 1234)
    with patch("llmstack_tui.base.paths.models_folder", return_value=tmp_path / "models"):
        app = Dashboard(settings, Core(settings, {}))
        async with app.run_test(size=(120, 40), notifications=True) as pilot:
            desk = Desk(app, pilot)
            await desk.until_shown("No answer yet.")
            await desk.press("D")
            await desk.until_shown("sha256-aaaa", "1 kB", "changed within the last hour")
            await desk.press("x")
            await desk.until_shown("There is nothing to remove.")
            assert blob.exists()
