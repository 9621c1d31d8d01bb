"""An engine that needs its key: who gets in, and that the key is in nothing but its file."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import httpx
import psutil
import pytest

from tests.support.program import Program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="modes and addresses of POSIX")

ROUTES = [
    ("GET", "/"),
    ("GET", "/health"),
    ("GET", "/api/version"),
    ("GET", "/api/tags"),
    ("GET", "/api/ps"),
    ("GET", "/no/such/route"),
    ("POST", "/api/chat"),
    ("POST", "/api/generate"),
    ("POST", "/api/pull"),
    ("POST", "/api/import"),
    ("DELETE", "/api/delete"),
    ("HEAD", "/api/blobs/sha256:0"),
    ("GET", "/v1/models"),
    ("POST", "/v1/chat/completions"),
    ("POST", "/v1/embeddings"),
]


class Keyed:
    """A user with a key, whose engine runs and can be reached from other machines."""

    def __init__(self, llmstack: Program) -> None:
        self.llmstack = llmstack
        self.made = json.loads(llmstack("engine", "key", "--json").stdout)
        self.file = llmstack.home / ".local/share/llmstack/engine.key"
        self.key = self.file.read_text().strip()
        started = llmstack("engine", "start", "--port", "0", "--host", "0.0.0.0", "--json")
        assert started.returncode == 0, started.stderr
        self.process: dict[str, Any] = json.loads(started.stdout)
        self.url: str = self.process["url"]

    def ask(self, method: str, path: str, key: str | None, **headers: str) -> httpx.Response:
        bearer = {} if key is None else {"Authorization": f"Bearer {key}"}
        return httpx.request(method, self.url + path, headers={**bearer, **headers}, trust_env=False)


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Iterator[Keyed]:
    llmstack = Program(
        tmp_path_factory.mktemp("home"), {"OLLAMA_HOST": "127.0.0.1:1", "LLMSTACK_ENGINE_CHOICE": "builtin"}
    )
    found = Keyed(llmstack)
    try:
        imported = llmstack("import", tiny_model, "tiny")
        assert imported.returncode == 0, imported.stderr
        yield found
    finally:
        assert llmstack("engine", "stop", "--force").returncode == 0


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize("key", [None, "wrong", "x" * 43])
def test_nobody_gets_in_without_it(keyed: Keyed, method: str, path: str, key: str | None) -> None:
    refused = keyed.ask(method, path, key)
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
    if method == "HEAD":
        return
    error = refused.json()["error"]
    if path.startswith(("/v1/", "/health")):
        assert set(error) == {"message", "type", "param", "code"}
        error = error["message"]
    assert "Authorization: Bearer" in error


def test_who_has_it_gets_in_by_either_protocol(keyed: Keyed) -> None:
    assert keyed.ask("GET", "/api/tags", keyed.key).json()["models"][0]["name"] == "tiny:latest"
    assert keyed.ask("GET", "/v1/models", keyed.key).json()["data"][0]["id"] == "tiny:latest"


def test_a_page_asks_first_without_it_and_its_name_is_checked_all_the_same(keyed: Keyed) -> None:
    asked = keyed.ask("OPTIONS", "/api/chat", None, Origin="http://localhost:3000")
    assert asked.status_code == 204
    assert "Authorization" in asked.headers["access-control-allow-headers"]
    assert keyed.ask("GET", "/api/tags", keyed.key, Origin="https://evil.example").status_code == 403
    named = keyed.ask("GET", "/api/tags", keyed.key, Host="evil.example")
    assert (named.status_code, "OLLAMA_ORIGINS=http://evil.example" in named.json()["error"]) == (403, True)


def test_our_own_commands_send_it(keyed: Keyed) -> None:
    llmstack = keyed.llmstack
    for where in ((), ("--host", keyed.url), ("--host", keyed.url.replace("127.0.0.1", "localhost"))):
        assert llmstack("ls", *where).stdout.count("tiny:latest") == 1
    assert llmstack("chat", "tiny", "Hi").stdout.endswith("model running locally.\n")
    assert llmstack("stop", "tiny").returncode == 0
    assert llmstack("engine", "status").returncode == 0
    without = llmstack.given(LLMSTACK_ENGINE_API_KEY="another-key-of-mine")("ls")
    assert (without.returncode, "does not take the key that it was sent" in without.stderr) == (1, True)


def test_it_says_where_it_listens(keyed: Keyed) -> None:
    port = keyed.url.rpartition(":")[2]
    assert (keyed.url, keyed.process["listening"]) == (f"http://127.0.0.1:{port}", f"0.0.0.0:{port}")
    assert f"It listens on 0.0.0.0:{port}" in keyed.llmstack("engine", "status").stdout


def test_without_a_key_it_stays_on_this_machine(llmstack: Program) -> None:
    for host in ("0.0.0.0", "::"):
        refused = llmstack("engine", "start", "--port", "0", "--host", host)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert refused.stderr.count("\n") == 1
        assert "make one with `llmstack engine key`" in refused.stderr
    assert llmstack("engine", "status").returncode == 1
    one = llmstack("engine", "run", "--gguf", "/none.gguf", "--port", "0", "--host", "0.0.0.0")
    assert (one.returncode, "llmstack engine key" in one.stderr) == (1, True)


def test_a_key_is_made_once(keyed: Keyed) -> None:
    assert keyed.made == {"file": str(keyed.file), "made": True}
    again = keyed.llmstack("engine", "key", "--json")
    assert json.loads(again.stdout) == {"file": str(keyed.file), "made": False}
    assert keyed.file.read_text().strip() == keyed.key
    given = keyed.llmstack.given(LLMSTACK_ENGINE_API_KEY="another-key-of-mine")("engine", "key", "--new")
    assert (given.returncode, "LLMSTACK_ENGINE_API_KEY" in given.stderr) == (1, True)
    assert keyed.file.read_text().strip() == keyed.key


def test_a_key_that_others_can_read_stops_who_needs_it(llmstack: Program) -> None:
    made = json.loads(llmstack("engine", "key", "--json").stdout)
    (llmstack.home / ".local/share/llmstack/engine.key").chmod(0o644)
    for arguments in (("engine", "start", "--port", "0"), ("engine", "key")):
        refused = llmstack(*arguments)
        assert (refused.returncode, f"chmod 600 {made['file']}" in refused.stderr) == (1, True)


def test_a_setting_that_is_wrong_leaves_no_engine_without_a_key(llmstack: Program) -> None:
    for name in ("LLMSTACK_ENGINE_API_KEY", "LLMSTACK_ENGINE_API_KEY_FILE"):
        for command in (("start",), ("run", "--gguf", "/none.gguf")):
            refused = llmstack.given(**{name: "short"})("engine", *command, "--port", "0")
            assert refused.returncode == 1
            assert refused.stderr.splitlines()[-1].startswith(f"llmstack: {name} must be ")


def test_a_new_key_replaces_the_old_one_when_asked(llmstack: Program) -> None:
    llmstack("engine", "key")
    file = llmstack.home / ".local/share/llmstack/engine.key"
    first = file.read_text()
    assert json.loads(llmstack("engine", "key", "--new", "--json").stdout)["made"]
    assert (file.read_text() == first, file.stat().st_mode & 0o777) == (False, 0o600)
    read_only = llmstack("engine", "key", "--new", "--read-only")
    assert read_only.returncode == 1


def test_the_key_is_in_its_file_and_nowhere_else(keyed: Keyed) -> None:
    """Walks what the program writes, says and starts, after it was used, refused and given wrong keys."""
    llmstack, key = keyed.llmstack, keyed.key
    commands = [
        *(
            ("config",),
            ("engine", "status"),
            ("engine", "key"),
            ("status",),
            ("ls",),
            ("ps",),
            ("show", "tiny"),
        ),
        *(("start", "tiny"), ("start", "no-such-model"), ("history", "tiny"), ("guard", "status")),
    ]
    given = llmstack.given(LLMSTACK_ENGINE_API_KEY=key, LLMSTACK_DEBUG="1")
    for command in commands:
        for done in (llmstack(*command), given(*command, "--json")):
            assert key not in done.stdout + done.stderr, command
    shown = {
        setting["source"]["name"]: setting["value"]
        for setting in json.loads(llmstack.given(LLMSTACK_ENGINE_API_KEY=key)("config", "--json").stdout)[
            "settings"
        ].values()
    }
    assert shown["LLMSTACK_ENGINE_API_KEY"] == "set"
    engine = psutil.Process(keyed.process["pid"])
    children = engine.children()
    assert children, "a model is loaded"
    for process in (engine, *children):
        assert not any(key in argument for argument in process.cmdline())
    holding = [
        path for path in llmstack.home.rglob("*") if path.is_file() and key.encode() in path.read_bytes()
    ]
    assert holding == [keyed.file]
