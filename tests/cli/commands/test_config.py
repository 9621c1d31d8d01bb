"""``llmstack config``: what is in force and why, and a file to begin with."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from llmstack_tui.config.table import example
from tests.support.fake_ollama import usual_ollama
from tests.support.program import COMMAND
from tests.support.scripted_server import serving
from tests.support.small_disk import may_mount

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.program import Program

FILE = """\
hosts = ["127.0.0.1", { url = "gpu-box", name = "GPU box" }]
[engine]
port = 11500
keep_alive = "90s"
[ui.keys]
app.quit = "ctrl+q"
"""
UNNAMED = {"api_key_file": None}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(FILE)
    return path


def settings(llmstack: Program, *arguments: str | Path) -> dict[str, Any]:
    done = llmstack("config", "--json", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    document: dict[str, Any] = json.loads(done.stdout)
    assert document["problems"] == []
    found: dict[str, Any] = document["settings"]
    return found


def test_the_settings_are_shown_with_where_they_came_from(llmstack: Program, file: Path) -> None:
    user = llmstack.given(LLMSTACK_ENGINE_PORT="11501", NO_COLOR="1")
    done = user("config", "--config", file, "--engine", "ollama")
    assert (done.returncode, done.stderr) == (0, "")
    first, heads, *rows = done.stdout.splitlines()
    assert first == str(file)
    assert heads.split() == ["SETTING", "VALUE", "FROM"]
    assert [re.split(r" {2,}", row) for row in rows] == [
        [
            "hosts",
            '["http://127.0.0.1:11434", { url = "http://gpu-box:11434", name = "GPU box" }]',
            "mine.toml line 1",
        ],
        ["read_only", "false", "default"],
        ["engine.choice", '"ollama"', "--engine"],
        ["engine.port", "11501", "LLMSTACK_ENGINE_PORT"],
        ["engine.keep", "false", "default"],
        ["engine.keep_alive", '"1m30s"', "mine.toml line 4"],
        ["engine.max_loaded", '"auto"', "default"],
        ["engine.context_length", "4096", "default"],
        ["engine.api_key", '""', "default"],
        ["engine.api_key_file", '"auto"', "default"],
        ["engine.confine", "true", "default"],
        ["engine.connections", "8", "default"],
        ["hardware.profile", '"auto"', "default"],
        ["guard.enabled", "true", "default"],
        ["guard.max_loaded", '"auto"', "default"],
        ["guard.memory_budget", '"auto"', "default"],
        ["guard.idle_stop", '"10m"', "default"],
        ["guard.models", "{}", "default"],
        ["guard.over_limit", '"ask"', "default"],
        ["guard.others", '"ask"', "default"],
        ["guard.temperature_limit", '"auto"', "default"],
        ["guard.remote", "false", "default"],
        ["updates.check_every", '"6h"', "default"],
        ["updates.automatic", "false", "default"],
        ["updates.parallel", "1", "default"],
        ["updates.limit", "0", "default"],
        ["catalog.online_url", '"https://huggingface.co"', "default"],
        ["tools.shell", "false", "default"],
        ["tools.servers", "{}", "default"],
        ["install.script_url", '"auto"', "default"],
        ["install.archive_url", '"https://github.com/ollama/ollama/releases/download"', "default"],
        ["install.versions_url", '"https://api.github.com/repos/ollama/ollama/releases"', "default"],
        ["providers.default", '"auto"', "default"],
        ["providers.chain", "[]", "default"],
        ["providers.models", "{}", "default"],
        ["providers.urls", "{}", "default"],
        ["providers.gemini_safety", '"auto"', "default"],
        ["ui.theme", '"no-colour"', "NO_COLOR"],
        ["ui.ascii", "false", "default"],
        ["ui.language", '"auto"', "default"],
        ["ui.active_first", "false", "default"],
        ["ui.keys", '{ "app.quit" = "ctrl+q" }', "mine.toml line 5"],
    ]


def test_the_settings_as_a_document(llmstack: Program, file: Path) -> None:
    found = settings(llmstack.given(LLMSTACK_ENGINE_PORT="11501"), "--config", file, "--read-only")
    assert found["hosts"] == {
        "value": [
            {
                "url": "http://127.0.0.1:11434",
                "name": "",
                "allow": None,
                "api_key_file": None,
                "kind": None,
                "may_act": True,
            },
            {
                "url": "http://gpu-box:11434",
                "name": "GPU box",
                "allow": None,
                "api_key_file": None,
                "kind": None,
                "may_act": False,
            },
        ],
        "default": [],
        "source": {"kind": "file", "name": "mine.toml", "line": 1},
        "live": False,
    }
    assert found["read_only"] == {
        "value": True,
        "default": False,
        "source": {"kind": "option", "name": "--read-only", "line": None},
        "live": True,
    }
    assert found["engine.port"] == {
        "value": 11501,
        "default": None,
        "source": {"kind": "environment", "name": "LLMSTACK_ENGINE_PORT", "line": None},
        "live": False,
    }
    assert found["engine.keep_alive"]["value"] == 90
    assert found["ui.theme"]["source"] == {"kind": "default", "name": None, "line": None}
    assert found["ui.keys"]["value"] == {"app.quit": "ctrl+q"}


def test_hosts_of_the_command_line_come_before_the_file(llmstack: Program, file: Path) -> None:
    hosts = settings(llmstack, "--config", file, "--host", "gpu-box")["hosts"]
    assert hosts["source"]["name"] == "--host"
    assert hosts["value"] == [
        {
            "url": "http://gpu-box:11434",
            "name": "GPU box",
            "allow": "act",
            "api_key_file": None,
            "kind": None,
            "may_act": True,
        }
    ]


def test_problems_are_named_and_the_command_fails(llmstack: Program, file: Path) -> None:
    file.write_text('[engine]\nport = "\\u001b[31m"\nkeep = true\n')
    done = llmstack("config", "--config", file)
    assert done.returncode == 1
    sentence = (
        "mine.toml line 2: engine.port must be a whole number from 1 to 65535, or \"auto\", not '\\x1b[31m'."
    )
    assert done.stderr == f"llmstack: {sentence}\n"
    assert re.search(r"engine\.keep +true +mine\.toml line 3", done.stdout)
    document = llmstack("config", "--config", file, "--json")
    assert document.returncode == 1
    assert json.loads(document.stdout)["problems"] == [sentence]
    assert llmstack.given(LLMSTACK_UI_THEME="pink")("config").returncode == 1


def test_keys_that_the_dashboard_does_not_have_are_named(llmstack: Program, file: Path) -> None:
    file.write_text('[ui.keys]\nlist.up = "up,W"\nmodels.pin = "f1"\n"disk.oder" = "o"\n')
    done = llmstack("config", "--config", file)
    assert done.returncode == 1
    second, first = done.stderr.splitlines()
    assert first == (
        "llmstack: mine.toml line 3: ui.keys.models.pin has the key 'f1', as app.help has: "
        "only one of them gets it."
    )
    assert "mine.toml line 4: ui.keys.disk.oder is not an action that has a key. Near it are " in second
    document = llmstack("config", "--config", file, "--json")
    assert len(json.loads(document.stdout)["problems"]) == 2
    assert llmstack("config", "get", "ui.keys", "--config", file).stderr == ""


def test_the_example_is_written_and_can_be_used_at_once(llmstack: Program, tmp_path: Path) -> None:
    done = llmstack("config", "--example")
    assert (done.returncode, done.stderr, done.stdout) == (0, "", example())
    assert json.loads(llmstack("config", "--example", "--json").stdout)["example"] == example().strip()
    file = tmp_path / "config.toml"
    file.write_text(done.stdout)
    for found in settings(llmstack, "--config", file).values():
        assert found["value"] == found["default"]
        assert found["source"]["kind"] == "default"


@pytest.mark.skipif(sys.platform != "linux", reason="other places elsewhere")
def test_the_path_is_that_of_the_file_that_is_read(llmstack: Program, file: Path) -> None:
    own = llmstack.home / ".config" / "llmstack" / "config.toml"
    assert llmstack("config", "--path").stdout == f"{own}\n"
    assert llmstack("config").stdout.startswith(f"{own} does not exist; `llmstack config --example` ")
    own.parent.mkdir(parents=True)
    own.write_text("[engine]\nport = 11500\n")
    assert settings(llmstack)["engine.port"]["value"] == 11500
    assert llmstack("config", "--path", "--config", file).stdout == f"{file}\n"
    assert json.loads(llmstack("config", "--path", "--json").stdout) == {"file": str(own)}


def test_one_setting_is_shown_written_and_taken_out(llmstack: Program, file: Path) -> None:
    def config(*words: str) -> tuple[int, str]:
        done = llmstack("config", *words, "--config", file)
        return done.returncode, done.stdout + done.stderr

    assert config("get", "engine.port") == (0, "11500\n")
    assert config("get", "ui.theme") == (0, "dark\n")
    assert config("set", "ui.theme", "light") == (0, 'ui.theme is "light" (mine.toml line 7).\n')
    assert config("set", "engine.port", "11600")[1].endswith("That counts from the next start.\n")
    assert config("unset", "engine.keep_alive")[1].startswith('engine.keep_alive is "5m" (default).')
    after = FILE.replace("11500", "11600").replace('keep_alive = "90s"\n', "")
    assert file.read_text() == after.replace("[ui.keys]", '\n[ui]\ntheme = "light"\n\n[ui.keys]')
    overridden = llmstack.given(LLMSTACK_UI_ASCII="0")("config", "set", "ui.ascii", "on", "--config", file)
    assert "LLMSTACK_UI_ASCII has the last word" in overridden.stdout
    document = json.loads(llmstack("config", "get", "ui.ascii", "--json", "--config", file).stdout)
    assert (document["value"], document["live"], document["source"]["kind"]) == (True, True, "file")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["set", "ui.theme", "pink"], 2, "ui.theme must be"),
        (["set", "ui.thema", "dark"], 2, "There is no setting 'ui.thema'"),
        (["set", "ui.theme"], 2, "config set NAME VALUE"),
        (["get"], 2, "config get NAME"),
        (["set", "engine.api_key", "x" * 20], 2, "LLMSTACK_ENGINE_API_KEY"),
        (["set", "ui.theme", "dark", "--read-only"], 1, "--read-only"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_written(
    llmstack: Program, file: Path, words: list[str], code: int, said: str
) -> None:
    done = llmstack("config", *words, "--config", file)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert "x" * 20 not in done.stderr
    assert file.read_text() == FILE


@pytest.mark.skipif(sys.platform == "win32" or not may_mount(), reason="nothing may be mounted here")
@pytest.mark.parametrize("made", ["", 'echo "[ui]" > "$HOME/config.toml" && '], ids=["no file", "a file"])
def test_a_disk_that_is_only_read_is_one_sentence(llmstack: Program, made: str) -> None:
    disk = f'mount -t tmpfs none "$HOME" && {made}mount -o remount,ro none "$HOME" && exec "$@"'
    inside = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", disk, "sh", *COMMAND)
    file = llmstack.home / "config.toml"
    words = ("config", "set", "ui.ascii", "on") + (("--config", str(file)) if made else ())
    done = subprocess.run(
        [*inside, *words], check=False, capture_output=True, env=llmstack.environment, text=True
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.endswith("config.toml cannot be written: Read-only file system. It is as it was.\n")


def test_the_variable_forbids_what_the_file_still_allows(llmstack: Program, file: Path) -> None:
    set_ascii = ("config", "set", "ui.ascii", "on", "--config", file)
    assert llmstack.given(LLMSTACK_READ_ONLY="1")(*set_ascii).returncode == 1
    assert file.read_text() == FILE
    file.write_text("read_only = true\n")
    assert llmstack("config", "set", "read_only", "off", "--config", file).returncode == 0


async def test_the_profile_of_the_settings_is_the_machines(llmstack: Program) -> None:
    async with serving(usual_ollama()) as server:
        user = llmstack.given(LLMSTACK_HARDWARE_PROFILE="nvidia_8gb")
        done = await asyncio.to_thread(user, "status", "--json", "--host", server.url)
    assert json.loads(done.stdout)["profile"] == "nvidia_8gb"


async def test_what_is_only_looked_at_is_left_alone(llmstack: Program, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    server = usual_ollama("a:1", loaded=("a:1",))
    async with serving(server) as far, serving(usual_ollama("b:1")) as near:
        file.write_text(f'hosts = [{{ url = "{far.url}", allow = "look" }}, "{near.url}"]')

        async def run(*arguments: str | Path) -> tuple[int, str, str]:
            done = await asyncio.to_thread(llmstack, *arguments, "--config", file)
            return done.returncode, done.stdout, done.stderr

        note = f'llmstack: {far.url} is only looked at: to change something there, give it allow = "act" in '
        for line in (["start", "a:1"], ["rm", "a:1", "--yes"], ["stop", "a:1"]):
            code, _, said = await run(*line)
            assert code == 1
            assert said.startswith(note)
            assert f"There is no model 'a:1' at {near.url}" in said
        assert (await run("start", "b:1"))[1].startswith(f"b:1 is loaded at {near.url}.\n")
        assert (await run("stop", "--all"))[1] == "b:1 is unloaded.\n"
        assert "a:1" in (await run("ls"))[1]
        code, _, said = await run("start", "a:1", "--host", far.url)
        assert (code, said) == (1, f"{note}the settings.\n")
    assert ([*server.installed], server.loaded) == (["a:1"], ["a:1"])
    assert {path for path, _ in server.asked} <= {"/api/version", "/api/tags", "/api/ps", "/api/show"}
