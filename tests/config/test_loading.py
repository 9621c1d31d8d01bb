"""Settings: what is right applies, what is wrong is named with its place."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.config.hosts import HostSettings
from llmstack_tui.config.lines import SettingOrigin
from llmstack_tui.config.settings import EngineSettings, HardwareSettings, Settings, UiSettings
from llmstack_tui.core.wording import text
from llmstack_tui.hardware.profile import UnknownProfile, named
from llmstack_tui.hardware.readings import Device, DeviceKind, MachineReading
from tests.config.files import in_file, load, place

if TYPE_CHECKING:
    from pathlib import Path

WHOLE = """\
hosts = ["127.0.0.1:11434", "http://gpu-box:11434"]
read_only = true

[engine]
choice = "builtin"
port = 11500
keep = true
keep_alive = "1h30m"   # a comment
max_loaded = 2
context_length = 8192

[hardware]
profile = "nvidia_8gb"

[ui]
theme = "high-contrast"
ascii = true

[ui.keys]
quit = "ctrl+q"
"""
ELSEWHERE = (
    *("hosts", "read_only", "[engine]", "[hardware]", "[guard]", "[updates]", "[catalog]"),
    *("[tools]", "[install]", "[providers]", "[ui]"),
)
OF_ENGINE = (
    *("choice", "port", "keep", "keep_alive", "max_loaded", "context_length"),
    *("api_key", "api_key_file", "confine", "connections"),
)
PORT = 'a whole number from 1 to 65535, or "auto"'
DURATION = 'a length of time such as "90s", "10m" or "1h30m" (negative: for ever)'
KEY = 'a key such as "ctrl+q", or several as in "q,ctrl+q"'


def test_every_setting_of_the_file_applies(tmp_path: Path) -> None:
    loaded = load(tmp_path, WHOLE)
    assert loaded.problems == ()
    assert loaded.settings == Settings(
        hosts=(HostSettings(url="http://127.0.0.1:11434"), HostSettings(url="http://gpu-box:11434")),
        read_only=True,
        engine=EngineSettings(
            choice="builtin",
            port=11500,
            keep=True,
            keep_alive=timedelta(hours=1, minutes=30),
            max_loaded=2,
            context_length=8192,
        ),
        hardware=HardwareSettings(profile="nvidia_8gb"),
        ui=UiSettings(theme="high-contrast", ascii=True, keys={"quit": "ctrl+q"}),
    )


VARIABLES = {
    "LLMSTACK_HOSTS": "box-a, box-b",
    "LLMSTACK_READ_ONLY": "no",
    "LLMSTACK_ENGINE_CHOICE": "ollama",
    "LLMSTACK_ENGINE_PORT": "8080",
    "LLMSTACK_ENGINE_KEEP": "0",
    "LLMSTACK_ENGINE_KEEP_ALIVE": "90s",
    "LLMSTACK_ENGINE_MAX_LOADED": "auto",
    "LLMSTACK_ENGINE_CONTEXT_LENGTH": "2048",
    "LLMSTACK_HARDWARE_PROFILE": "cpu",
    "LLMSTACK_UI_THEME": "dark",
    "LLMSTACK_UI_ASCII": "false",
    "LLMSTACK_UI_KEYS": "quit=q app.help=f1",
}


def test_the_environment_overrides_the_file_in_every_setting(tmp_path: Path) -> None:
    loaded = load(tmp_path, WHOLE, VARIABLES)
    assert loaded.problems == ()
    assert loaded.settings == Settings(
        hosts=(HostSettings(url="http://box-a:11434"), HostSettings(url="http://box-b:11434")),
        read_only=False,
        engine=EngineSettings(
            choice="ollama",
            port=8080,
            keep=False,
            keep_alive=timedelta(seconds=90),
            max_loaded=None,
            context_length=2048,
        ),
        hardware=HardwareSettings(profile="cpu"),
        ui=UiSettings(theme="dark", ascii=False, keys={"quit": "q", "app.help": "f1"}),
    )


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        *((name, True) for name in ("cpu", "nvidia_8gb", "nvidia_141gb", "amd_16gb", "apple", "apple_m3")),
        *((name, False) for name in ("gpu", "nvidia", "nvidia_0gb", "amd_8", "apple_m", "apple_mm", "CPU")),
    ],
)
def test_profiles_are_those_that_the_machine_knows(tmp_path: Path, name: str, is_one: bool) -> None:
    """Both sides say what a profile's name is, for settings know nothing of hardware."""
    assert (load(tmp_path, f"hardware.profile = '{name}'").settings.hardware.profile == name) is is_one
    reading = MachineReading(taken_at=0, ram=Device(kind=DeviceKind.RAM, id="ram", name="RAM"))
    with nullcontext() if is_one else pytest.raises(UnknownProfile):
        assert named(name, reading).name == name


def test_an_empty_variable_is_not_set(tmp_path: Path) -> None:
    loaded = load(tmp_path, "[engine]\nport = 8080", {"LLMSTACK_ENGINE_PORT": "", "NO_COLOR": ""})
    assert (loaded.settings, loaded.problems) == (Settings(engine=EngineSettings(port=8080)), ())


def test_where_a_setting_came_from_is_known(tmp_path: Path) -> None:
    loaded = load(tmp_path, WHOLE, {"LLMSTACK_ENGINE_PORT": "8080"})
    assert loaded.origin("hosts") == SettingOrigin("file", "config.toml", 1)
    assert loaded.origin("engine.keep_alive") == SettingOrigin("file", "config.toml", 8)
    assert loaded.origin("ui.keys") == SettingOrigin("file", "config.toml", 19)
    assert loaded.origin("engine.port") == SettingOrigin("environment", "LLMSTACK_ENGINE_PORT")
    assert load(tmp_path, "").origin("engine.port") == SettingOrigin("default")


@pytest.mark.parametrize(
    ("content", "environ", "theme", "origin"),
    [
        ("", {"NO_COLOR": "1"}, "no-colour", SettingOrigin("environment", "NO_COLOR")),
        ("[ui]\ntheme = 'light'", {"NO_COLOR": "1"}, "light", SettingOrigin("file", "config.toml", 2)),
        (
            "",
            {"NO_COLOR": "1", "LLMSTACK_UI_THEME": "dark"},
            "dark",
            SettingOrigin("environment", "LLMSTACK_UI_THEME"),
        ),
        ("[ui]\ntheme = 'x'", {"NO_COLOR": "1"}, "no-colour", SettingOrigin("environment", "NO_COLOR")),
    ],
)
def test_no_color_is_a_default_that_the_settings_override(
    tmp_path: Path, content: str, environ: dict[str, str], theme: str, origin: SettingOrigin
) -> None:
    loaded = load(tmp_path, content, environ)
    assert (loaded.settings.ui.theme, loaded.origin("ui.theme")) == (theme, origin)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (
            "\n[engine]\nport = 0",
            in_file(3, "wrong", name="engine.port", allowed=PORT, value="0"),
        ),
        (
            "[engine]\nport = true",
            in_file(2, "wrong", name="engine.port", allowed=PORT, value="true"),
        ),
        (
            'engine.port = "x"',
            in_file(1, "wrong", name="engine.port", allowed=PORT, value="'x'"),
        ),
        (
            "engine.context_length = 1.5",
            in_file(
                1,
                "wrong",
                name="engine.context_length",
                allowed="a whole number from 16 to 100000000",
                value="1.5",
            ),
        ),
        (
            "[engine]\nkeep = false\nchoice = 'vllm'",
            in_file(
                3, "wrong", name="engine.choice", allowed='"auto", "ollama" or "builtin"', value="'vllm'"
            ),
        ),
        (
            "[engine]\n'keep_alive' = 'soon'",
            in_file(2, "wrong", name="engine.keep_alive", allowed=DURATION, value="'soon'"),
        ),
        (
            "engine.keep_alive = nan",
            in_file(1, "wrong", name="engine.keep_alive", allowed=DURATION, value="nan"),
        ),
        (
            "[engine]\nprot = 1",
            in_file(2, "unknown", name="engine.prot", known=OF_ENGINE),
        ),
        ("[engin]\nport = 1", in_file(1, "unknown", name="engin", known=ELSEWHERE)),
        ("engine = 5", in_file(1, "no_section", name="engine")),
        ("[[engine]]", in_file(1, "no_section", name="engine")),
        (
            "\nengine = {port = 0}",
            in_file(2, "wrong", name="engine.port", allowed=PORT, value="0"),
        ),
        (
            "[hardware]\nprofile = 'nvidia'",
            in_file(
                2,
                "wrong",
                name="hardware.profile",
                allowed='a profile such as "cpu", "nvidia_8gb", "amd_16gb" or "apple_m3", or "auto"',
                value="'nvidia'",
            ),
        ),
        (
            "[ui]\ntheme = 2026-01-01",
            in_file(
                2,
                "wrong",
                name="ui.theme",
                allowed=(
                    '"dark", "light", "high-contrast", "no-colour", or the name of a file in the folder '
                    "themes beside the settings"
                ),
                value="2026-01-01",
            ),
        ),
        (
            "[ui]\n[ui.keys]\nquit = 3",
            in_file(3, "wrong", name="ui.keys.quit", allowed=KEY, value="3"),
        ),
        (
            "[ui.keys]\napp.quit = 'a b'",
            in_file(2, "wrong", name="ui.keys.app.quit", allowed=KEY, value="'a b'"),
        ),
        (
            "[ui.keys]\n'[/red]' = \"\\u001b\"",
            in_file(2, "wrong", name="ui.keys.[/red]", allowed=KEY, value="'\\x1b'"),
        ),
        (
            "[ui]\nkeys = 1",
            in_file(
                2,
                "wrong",
                name="ui.keys",
                allowed='a table of keys such as { "app.quit" = "ctrl+q", "list.up" = "up,W" }',
                value="1",
            ),
        ),
        ('"\\u001b[31m[/red]" = 1', in_file(1, "unknown", name="'\\x1b[31m[/red]'", known=ELSEWHERE)),
        (
            '[catalog]\nonline_url = "huggingface.co"',
            in_file(
                2,
                "wrong",
                name="catalog.online_url",
                allowed='an address such as "https://huggingface.co"',
                value="'huggingface.co'",
            ),
        ),
        ('"" = 1', in_file(1, "unknown", name="''", known=ELSEWHERE)),
        (
            "[providers]\nchain = ['Ollama']",
            in_file(
                2,
                "wrong",
                name="providers.chain",
                allowed="the name of a provider, once in the list",
                value="'Ollama'",
            ),
        ),
    ],
)
def test_a_wrong_setting_is_named_with_its_line(tmp_path: Path, content: str, problem: Sentence) -> None:
    loaded = load(tmp_path, content)
    assert text(*loaded.problems) == text(problem)
    assert loaded.settings == Settings()


def test_what_is_right_applies_beside_what_is_wrong(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        "[engine]\nport = 'x'\nmax_loaded = 3\nfoo = 1\n[ui]\nascii = true\n[ui.keys]\na = 1\nb = 'c'",
    )
    settings = loaded.settings
    assert (settings.engine.port, settings.engine.max_loaded, settings.ui.ascii) == (None, 3, True)
    assert settings.ui.keys == {"b": "c"}
    assert [*map(place, loaded.problems)] == [(2, "engine.port"), (4, "engine.foo"), (8, "ui.keys.a")]
    assert loaded.invalid == {"engine.port", "ui.keys"}


def test_ids_of_keys_need_no_quotes(tmp_path: Path) -> None:
    loaded = load(tmp_path, '[ui.keys]\napp.quit = "ctrl+q"\n"list.up" = "up,W"')
    assert (loaded.settings.ui.keys, loaded.problems) == ({"app.quit": "ctrl+q", "list.up": "up,W"}, ())


def test_a_wrong_variable_is_named_and_the_file_applies(tmp_path: Path) -> None:
    environ = {
        "LLMSTACK_ENGINE_PORT": "99999",
        "LLMSTACK_UI_KEYS": "app.quit",
        "LLMSTACK_UI_THEMES": "dark",
        "LLMSTACK_DEBUG": "1",
        "LLMSTACK_ELSEWHERE_X": "1",
    }
    loaded = load(tmp_path, "[engine]\nport = 8080", environ)
    wrong, unknown = "setting.wrong", "setting.unknown"
    known = ("ACTIVE_FIRST", "ASCII", "KEYS", "LANGUAGE", "THEME")
    expected = (
        Sentence(wrong, {"name": "LLMSTACK_ENGINE_PORT", "allowed": PORT, "value": "'99999'"}),
        Sentence(wrong, {"name": "LLMSTACK_UI_KEYS", "allowed": KEY, "value": "''"}),
        Sentence(
            unknown,
            {"name": "LLMSTACK_UI_THEMES", "known": tuple(f"LLMSTACK_UI_{each}" for each in known)},
        ),
    )
    assert text(*loaded.problems) == text(*expected)
    assert loaded.settings.engine.port == 8080


@pytest.mark.parametrize(
    ("content", "environ"),
    [
        ("read_only = 'perhaps'", {}),
        ("hosts = ['a b', 'ftp://a']", {}),
        ("hosts = 1", {}),
        ("", {"LLMSTACK_READ_ONLY": "perhaps"}),
        ("", {"LLMSTACK_HOSTS": "ftp://a"}),
    ],
)
def test_nothing_is_changed_while_it_is_unclear_where_anything_may_be(
    tmp_path: Path, content: str, environ: dict[str, str]
) -> None:
    loaded = load(tmp_path, content, environ)
    assert loaded.settings == Settings(read_only=True)
    assert loaded.problems[-1] == Sentence("settings.unclear")


@pytest.mark.parametrize(
    ("content", "environ"),
    [
        ("read_only = 'perhaps'", {"LLMSTACK_READ_ONLY": "no"}),
        ("hosts = ['a b', 'c']", {}),
        ("hosts = []", {}),
    ],
)
def test_a_slip_that_is_made_good_elsewhere_forbids_nothing(
    tmp_path: Path, content: str, environ: dict[str, str]
) -> None:
    assert not load(tmp_path, content, environ).settings.read_only
