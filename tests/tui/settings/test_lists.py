"""The lists of keys and of servers, over the real file of settings."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.config.editing import change
from llmstack_tui.config.hosts import HostSettings
from llmstack_tui.tui.features import CONTEXTS
from llmstack_tui.tui.keymap import sharing
from llmstack_tui.tui.settings.hosts import host_row
from llmstack_tui.tui.settings.keymap import key_rows
from tests.support.fake_ollama import usual_ollama
from tests.support.scripted_server import serving
from tests.support.waiting import wait_until
from tests.tui.driving import real_dashboard

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tui.driving import RealDesk


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / ".config/llmstack/config.toml"
    path.parent.mkdir(parents=True)
    path.write_text('# mine\n[ui.keys]\nmodels.pin = "f9"\nmodels.none = "f7"\n')
    return path


async def _open(desk: RealDesk, setting: str) -> None:
    await desk.press("comma")
    await desk.until_shown("All servers")
    await desk.search(setting, "enter")


async def test_an_action_gets_the_key_that_is_pressed(file: Path) -> None:
    async with real_dashboard(size=(100, 30)) as desk:
        await desk.until_said("ui.keys.models.none is not an action")  # The file is followed from here.
        await _open(desk, "ui.keys")
        await desk.until_shown("Keys everywhere")
        await desk.search("models.pin")
        await desk.until_shown("f9")
        await desk.press("enter")
        await desk.until_shown("Press its new key.")
        await desk.press("q")
        await desk.until_shown("q is the key of app.quit, too")
        await desk.press("escape", "enter")
        await desk.until_shown("Press its new key.")
        await desk.press("f8")
        await wait_until(lambda: 'models.pin = "f8"' in file.read_text())
        await wait_until(lambda: desk.app.view.keys["models.pin"] == "f8", what="a key that counts at once")
        await desk.until_shown("f8")
        await desk.press("delete")
        await wait_until(lambda: "f8" not in file.read_text())
        assert "# mine" in file.read_text()


async def test_a_server_is_added_after_a_test_allowed_and_removed(file: Path) -> None:
    def hosts() -> object:
        return tomllib.loads(file.read_text()).get("hosts")

    async with serving(usual_ollama("a:1")) as server, real_dashboard(size=(100, 30)) as desk:
        await _open(desk, "hosts")
        await desk.until_shown("No server is named")
        await desk.press("n")
        await desk.until_shown("An address such as")
        await desk.type("ftp://x")
        await desk.until_shown("has a wrong address")
        await desk.press("escape", "n")
        await desk.until_shown("An address such as")
        await desk.type(server.url)
        await desk.press("enter")
        await wait_until(lambda: hosts() == [server.url])
        assert f"{server.url} answers: Ollama" in desk.told
        await desk.until_shown("act (default)")
        await desk.press("space")
        await wait_until(lambda: hosts() == [{"url": server.url, "allow": "act"}])
        await desk.press("delete")
        await wait_until(lambda: hosts() is None)
        desk.app.clear_notifications()
        await desk.press("n")
        await desk.until_shown("An address such as")
        await desk.type("127.0.0.1:1")
        await desk.press("enter")
        await desk.until_shown("It does not answer", "Nothing answers at http://127.0.0.1:1.")
        await desk.press("escape")
        await desk.until_shown("No server is named")
        assert hosts() is None


async def test_what_another_program_writes_of_the_servers_stays(file: Path) -> None:
    file.write_text('hosts = [\n  "127.0.0.1:1", # one\n  "127.0.0.1:2", # two\n]\n')
    async with real_dashboard(size=(100, 30)) as desk:
        await _open(desk, "hosts")
        await desk.until_shown("127.0.0.1:2")
        change(file, {("hosts",): '["127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"]'})
        await desk.press("space")  # Before the list is read again.
        one = '{ url = "127.0.0.1:1", allow = "act" }'
        after = f'hosts = [\n  {one}, # one\n  "127.0.0.1:2", # two\n  "http://127.0.0.1:3",\n]\n'
        await wait_until(lambda: file.read_text() == after)
        await desk.until_shown("127.0.0.1:3")
        await desk.press("delete")
        await wait_until(lambda: file.read_text() == after.replace(f"  {one}, # one\n", ""))


def test_a_key_clashes_where_both_actions_can_be_used() -> None:
    assert sharing(CONTEXTS, {}, "models.pin", "q") == ("app.quit",)
    assert sharing(CONTEXTS, {"app.quit": "f7"}, "models.pin", "q") == ()
    assert sharing(CONTEXTS, {}, "models.pin", "d") == ("models.deactivate",)
    assert sharing(CONTEXTS, {}, "models.pin", "f8") == ()


def test_each_action_is_listed_once() -> None:
    ids = {each.id: "k" for bindings in CONTEXTS.values() for each in bindings if each.id}
    rows = [row for row in key_rows(CONTEXTS, ids, {"app.quit": "k"}, "") if row.keys]
    assert sorted(row.key for row in rows) == sorted(ids)
    assert [row.key for row in rows if row.is_own] == ["app.quit"]
    assert [row.key for row in key_rows(CONTEXTS, ids, {}, "app.quit") if row.keys] == ["app.quit"]


@pytest.mark.parametrize(
    ("host", "allow"),
    [
        (HostSettings(url="http://127.0.0.1:1"), "act (default)"),
        (HostSettings(url="http://far:1"), "look only (default)"),
        (HostSettings(url="http://far:1", allow="act"), "act"),
    ],
)
def test_what_may_be_done_on_a_server_is_said(host: HostSettings, allow: str) -> None:
    assert host_row(host).allow == allow
