"""Where variables are set: units, drop-ins and files as systemd reads them, and the log of a real Ollama."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from llmstack_tui.variables.rules.edits import changed, difference, is_by_hand, own_values
from llmstack_tui.variables.sources import config_of, unit_files, unit_settings, unit_variables
from llmstack_tui.variables.types import FileForm, Origin

if TYPE_CHECKING:
    from pathlib import Path

URL = "http://127.0.0.1:11824"
# Of a real 0.24.0, without those in the middle.
LOG = (
    'time=2026-11-30T13:07:37.190Z level=WARN source=config.go:263 msg="invalid environment variable, using '
    'default" key=OLLAMA_CONTEXT_LENGTH value=8k default=0\n'
    'time=2026-11-30T13:07:37.190Z level=INFO source=routes.go:1802 msg="server config" env="map['
    "HTTPS_PROXY: OLLAMA_CONTEXT_LENGTH:0 OLLAMA_DEBUG:INFO OLLAMA_FLASH_ATTENTION:true "
    "OLLAMA_HOST:http://127.0.0.1:11824 OLLAMA_KEEP_ALIVE:10m0s OLLAMA_KV_CACHE_TYPE:q8_0 "
    "OLLAMA_MODELS:/srv/my models OLLAMA_ORIGINS:[http://a.b http://c d http://localhost https://localhost "
    'http://localhost:* app://* vscode-file://*] OLLAMA_VULKAN:false http_proxy: no_proxy:]"\n'
    'time=2026-11-30T13:07:37.191Z level=INFO source=images.go:919 msg="total blobs: 0"\n'
)
STARTED_S = datetime(2026, 11, 30, 13, 7, 36, tzinfo=UTC).timestamp()


def test_the_log_says_what_a_server_runs_with() -> None:
    found = config_of(LOG, STARTED_S, URL)
    assert found is not None
    assert found["OLLAMA_KEEP_ALIVE"] == "10m0s"
    assert found["OLLAMA_MODELS"] == "/srv/my models"
    assert found["OLLAMA_ORIGINS"].startswith("[http://a.b http://c d http://localhost ")
    assert (found["HTTPS_PROXY"], found["no_proxy"]) == ("", "")
    assert config_of(LOG, STARTED_S + 60, URL) is None
    assert config_of(LOG, STARTED_S, "http://127.0.0.1:11434") is None
    assert config_of(LOG.replace("13:07:37", "now"), STARTED_S, URL) is None


def test_the_files_of_a_unit_in_the_order_of_systemd(tmp_path: Path) -> None:
    (tmp_path / "etc/default").mkdir(parents=True)
    (tmp_path / "etc/default/ollama").write_text('# mine\nOLLAMA_DEBUG="2"\n')
    system, vendor = tmp_path / "etc/systemd/system", tmp_path / "usr/lib/systemd/system"
    for folder in (system / "ollama.service.d", vendor / "ollama.service.d"):
        folder.mkdir(parents=True)
    (vendor / "ollama.service").write_text(
        f"[Service]\nEnvironment=PATH=/bin OLLAMA_HOST=a:1\nEnvironmentFile=-{tmp_path}/etc/default/ollama\n"
    )
    (vendor / "ollama.service.d/a.conf").write_text("[Service]\nEnvironment=OLLAMA_HOST=b:1\n")
    (system / "ollama.service.d/a.conf").write_text("[Service]\nEnvironment=OLLAMA_DEBUG=1\n")
    own = system / "ollama.service.d/llmstack.conf"
    own.write_text('[Service]\nEnvironment="OLLAMA_HOST=c:1"\n')
    files = unit_files(tmp_path, {})
    assert [file.name for file in files] == ["ollama.service", "a.conf", "llmstack.conf"]
    found = [(name, each.origin, each.value) for name, each in unit_settings(files, own)]
    assert found == [
        ("PATH", Origin.UNIT, "/bin"),
        ("OLLAMA_HOST", Origin.UNIT, "a:1"),
        ("OLLAMA_DEBUG", Origin.DROP_IN, "1"),
        ("OLLAMA_HOST", Origin.OURS, "c:1"),
        ("OLLAMA_DEBUG", Origin.ENVIRONMENT_FILE, "2"),
    ]
    assert unit_variables(tmp_path, {}) == {"PATH": "/bin", "OLLAMA_HOST": "c:1", "OLLAMA_DEBUG": "2"}
    own.write_text("[Service]\nEnvironment=\n")
    assert unit_variables(tmp_path, {}) == {"OLLAMA_DEBUG": "2"}
    assert unit_files(tmp_path, {}, user=True) == ()


def test_the_text_of_our_own_file_in_each_form() -> None:
    for form in FileForm:
        text = changed(form, None, {"OLLAMA_ORIGINS": 'a"<&%\\', "OLLAMA_HOST": ":1"})
        assert own_values(form, text) == {"OLLAMA_ORIGINS": 'a"<&%\\', "OLLAMA_HOST": ":1"}
        assert not is_by_hand(text)
        assert text is not None
        assert is_by_hand(text.replace(":1", ":2"))
        assert changed(form, text, {"OLLAMA_ORIGINS": None, "OLLAMA_HOST": None}) is None
        after = changed(form, text, {"OLLAMA_HOST": ":3"})
        assert not is_by_hand(after)
        assert sum(line.startswith("+") for line in difference(text, after)) == 1
    assert is_by_hand("[Service]\n")
    assert not is_by_hand(None)
    assert own_values(FileForm.AGENT, "no plist") == {}
