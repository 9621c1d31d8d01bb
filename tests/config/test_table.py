"""The example, and all that follows from the one table of settings."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from llmstack_tui.base.kinds import ENGINE_CHOICES
from llmstack_tui.config.hosts import HostSettings
from llmstack_tui.config.loading import load_settings
from llmstack_tui.config.settings import OVER_LIMIT, SAFETY, THEMES, LoadedSettings, Settings
from llmstack_tui.config.table import example, table, value_of, with_values
from llmstack_tui.core.wording import text
from tests.config.files import load

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def put_in_force(text: str) -> str:
    return re.sub(r"^#(?! )", "", text, flags=re.MULTILINE)


def test_the_example_is_the_defaults_as_it_is_and_with_every_setting_put_in_force(tmp_path: Path) -> None:
    assert load(tmp_path, example()) == LoadedSettings(settings=Settings())
    loaded = load(tmp_path, put_in_force(example()))
    assert (loaded.settings, loaded.problems) == (Settings(), ())
    assert {loaded.origin(setting.name).kind for setting in table()} == {"file"}, "every setting is in it"


def test_each_setting_stands_under_what_is_said_of_it(tmp_path: Path) -> None:
    """Beside the line of each setting are its allowed values and its variable."""
    written = example()
    loaded = load(tmp_path, put_in_force(written))
    lines = written.splitlines()
    for setting in table():
        line = loaded.origin(setting.name).line
        assert line is not None
        paragraph = " ".join(each.removeprefix("# ") for each in lines[:line])
        paragraph = paragraph[paragraph.rindex("Values: ") :]
        assert text(setting.kind.allowed) in paragraph
        assert f"Environment: {setting.variable}" in paragraph
    assert max(map(len, lines)) <= 102
    assert "\n\n\n" not in written


def test_the_example_of_a_variable_is_one(tmp_path: Path) -> None:
    environ = {
        setting.variable: setting.kind.in_environment for setting in table() if setting.kind.in_environment
    }
    loaded = load_settings(tmp_path / "config.toml", environ)
    assert len(environ) == 7
    assert [problem for problem in loaded.problems if problem.kind != "settings.unreadable"] == []
    names = {setting.name for setting in table() if setting.kind.in_environment}
    assert {loaded.origin(name).kind for name in names} == {"environment"}


def test_settings_are_changed_by_the_names_of_the_table() -> None:
    settings = with_values(Settings(), {"engine.port": 1, "read_only": True})
    assert (value_of(settings, "engine.port"), value_of(settings, "read_only")) == (1, True)
    assert value_of(Settings(), "engine.port") is None


_NAMES = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20)
_HOSTS = st.builds(
    HostSettings,
    url=st.sampled_from(["http://127.0.0.1:11434", "http://a:1", "https://b:443/x"]),
    name=st.one_of(st.just(""), _NAMES),
    allow=st.sampled_from([None, "look", "act"]),
    api_key_file=st.sampled_from([None, "~/gpu-box.key"]),
)
_VALUES: dict[str, st.SearchStrategy[object]] = {
    "hosts": st.lists(_HOSTS, max_size=3, unique_by=lambda host: host.url).map(tuple),
    "read_only": st.booleans(),
    "engine.choice": st.sampled_from(ENGINE_CHOICES),
    "engine.port": st.one_of(st.none(), st.integers(1, 65535)),
    "engine.keep": st.booleans(),
    "engine.keep_alive": st.timedeltas(timedelta(days=-100), timedelta(days=100)),
    "engine.max_loaded": st.one_of(st.none(), st.integers(1, 1000)),
    "engine.context_length": st.integers(16, 100_000_000),
    "engine.confine": st.booleans(),
    "engine.connections": st.integers(1, 64),
    "engine.api_key": st.none(),
    "engine.api_key_file": st.sampled_from(
        [None, "/run/secrets/engine.key", "~/engine.key", "C:\\keys\\engine"]
    ),
    "guard.enabled": st.booleans(),
    "guard.max_loaded": st.none() | st.integers(1, 1000),
    "guard.memory_budget": st.none() | st.integers(0, 2**60 - 1),
    "guard.idle_stop": st.timedeltas(timedelta(days=-100), timedelta(days=100)),
    "guard.models": st.dictionaries(
        _NAMES, st.timedeltas(timedelta(days=-100), timedelta(days=100)), max_size=3
    ),
    "guard.over_limit": st.sampled_from(OVER_LIMIT),
    "guard.others": st.none() | st.booleans(),
    "guard.temperature_limit": st.none() | st.integers(40, 120),
    "guard.remote": st.booleans(),
    "updates.check_every": st.none() | st.timedeltas(timedelta(seconds=1), timedelta(days=100)),
    "updates.automatic": st.booleans(),
    "updates.parallel": st.integers(1, 32),
    "updates.limit": st.integers(0, 2**60 - 1),
    "hardware.profile": st.sampled_from([None, "cpu", "nvidia_8gb", "amd_16gb", "apple_m3", "apple"]),
    "install.script_url": st.sampled_from([None, "https://example.org/install.sh"]),
    "install.archive_url": st.sampled_from(["https://example.org/files"]),
    "install.versions_url": st.sampled_from(["https://example.org/versions"]),
    "catalog.online_url": st.sampled_from(["https://huggingface.co", "http://127.0.0.1:8000/hub"]),
    "providers.default": st.sampled_from([None, "ollama", "anthropic"]),
    "providers.chain": st.sampled_from([(), ("ollama",), ("ollama", "groq")]),
    "providers.models": st.sampled_from([{}, {"anthropic": "claude-opus-5", "ollama": "hf.co/a/b:Q4"}]),
    "providers.urls": st.sampled_from([{}, {"openai": "http://gpu-box:8000/v1"}]),
    "providers.gemini_safety": st.none() | st.sampled_from(SAFETY),
    "tools.shell": st.booleans(),
    "tools.servers": st.dictionaries(_NAMES, st.sampled_from(["notes --read 'a b'", "http://box/mcp"])),
    "ui.theme": st.sampled_from(THEMES),
    "ui.language": st.sampled_from(["auto", "en", "es"]),
    "ui.ascii": st.booleans(),
    "ui.active_first": st.booleans(),
    "ui.keys": st.dictionaries(_NAMES, _NAMES, max_size=3),
}


@given(st.fixed_dictionaries(_VALUES))
def test_what_is_written_as_toml_is_read_as_the_same(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, object]
) -> None:
    text = put_in_force(example())
    for setting in table():
        section = f"[{setting.section}]\n" if setting.section else ""
        head, _, rest = text.partition(section) if section else ("", "", text)
        written = f"{setting.key} = {setting.kind.write(values[setting.name])}"
        pattern = rf"^{setting.key} = .*$"
        rest = re.sub(pattern, written.replace("\\", r"\\"), rest, count=1, flags=re.MULTILINE)
        text = head + section + rest
    loaded = load(tmp_path_factory.getbasetemp(), text)
    assert loaded.problems == ()
    assert loaded.settings == with_values(Settings(), values)
