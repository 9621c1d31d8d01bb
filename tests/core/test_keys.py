"""To whom our client sends which key."""

from __future__ import annotations

import os
import sys
import traceback
from contextlib import aclosing
from typing import TYPE_CHECKING

import psutil
import pytest

from llmstack_tui.base.secret import Secret
from llmstack_tui.config.hosts import HostSettings
from llmstack_tui.config.key import KeyFailed
from llmstack_tui.config.settings import EngineSettings, Settings
from llmstack_tui.core.keys import key_for
from llmstack_tui.core.open import Core
from llmstack_tui.core.servers import Found
from llmstack_tui.engine.process import state
from llmstack_tui.ollama.client import OllamaHost
from tests.support.fake_ollama import usual_ollama
from tests.support.scripted_server import serving

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.scripted_server import Reply, Request

ENGINE = Secret("the-engines-own-key")
OTHER = "the-key-of-the-box"
SETTINGS = Settings(engine=EngineSettings(api_key=ENGINE))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    return tmp_path


def engine_at(url: str, listening: str) -> None:
    state.state_file().parent.mkdir(parents=True, exist_ok=True)
    state.save(url, "0.1.0", listening=listening)


def named(url: str, file: Path) -> Settings:
    file.write_text(OTHER)
    file.chmod(0o600)
    host = HostSettings(url=url, api_key_file=str(file))
    return Settings(engine=SETTINGS.engine, hosts=(host,))


def test_without_an_engine_nobody_gets_its_key() -> None:
    assert key_for("http://127.0.0.1:11434", SETTINGS) is None


def test_our_engine_gets_its_key_by_every_name_of_this_machine() -> None:
    engine_at("http://127.0.0.1:11500", "127.0.0.1:11500")
    for url in ("http://127.0.0.1:11500", "http://localhost:11500", "http://[::1]:11500"):
        assert key_for(url, SETTINGS) == ENGINE
    for url in ("http://127.0.0.1:11434", "http://gpu-box:11500", "http://192.0.2.1:11500"):
        assert key_for(url, SETTINGS) is None
    assert key_for("http://127.0.0.1:11500", Settings()) is None


def test_an_engine_for_the_network_gets_it_at_the_machines_addresses() -> None:
    addresses = [
        entry.address.partition("%")[0]
        for entries in psutil.net_if_addrs().values()
        for entry in entries
        if entry.family.name == "AF_INET" and not entry.address.startswith("127.")
    ]
    engine_at("http://127.0.0.1:11500", "0.0.0.0:11500")
    for address in addresses:
        assert key_for(f"http://{address}:11500", SETTINGS) == ENGINE
        assert key_for(f"http://{address}:11501", SETTINGS) is None
    assert key_for("http://192.0.2.1:11500", SETTINGS) is None


def test_a_server_elsewhere_gets_the_key_that_is_named_for_it(home: Path) -> None:
    settings = named("http://gpu-box:11434", home / "box.key")
    assert key_for("http://gpu-box:11434", settings) == Secret(OTHER)
    assert key_for("http://gpu-bax:11434", settings) is None


async def test_no_other_server_hears_of_a_key(home: Path) -> None:
    ollama = usual_ollama()
    heard: list[str | None] = []

    async def handle(request: Request) -> Reply:
        heard.append(request.headers.get("authorization"))
        return await ollama(request)

    async with serving(handle) as server:
        for settings, expected in (
            (SETTINGS, None),
            (named(server.url, home / "box.key"), f"Bearer {OTHER}"),
        ):
            core = Core(settings, {"OLLAMA_HOST": server.url})
            async with await core.stack((server.url,), await core.options((server.url,))) as stack:
                await stack.look()
                assert stack.state.hosts[0].snapshot.error is None
            assert set(heard) == {expected}
            heard.clear()


@pytest.mark.skipif(sys.platform == "win32", reason="modes of POSIX")
async def test_a_key_that_cannot_be_read_is_said_before_a_server_is_asked(home: Path) -> None:
    settings = named("http://127.0.0.1:1", home / "box.key")
    assert await Core(settings, os.environ).find() == Found(("http://127.0.0.1:1",))
    (home / "box.key").chmod(0o644)
    with pytest.raises(KeyFailed) as failed:
        await Core(settings, os.environ).find()
    assert isinstance(failed.value, ValueError), "the dashboard shows these"


async def test_a_traceback_with_its_variables_has_no_key() -> None:
    """As a failure of the dashboard is reported: with what every variable held."""
    shown: list[str] = []
    for url in ("http://[", "http://127.0.0.1:1"):
        try:
            async with aclosing(OllamaHost(url, key=ENGINE)) as host:
                await host.version()
        except Exception as error:  # noqa: BLE001 (whatever it is)
            shown += traceback.TracebackException.from_exception(error, capture_locals=True).format()
    assert len(shown) > 10
    assert ENGINE.text not in "".join(shown)
