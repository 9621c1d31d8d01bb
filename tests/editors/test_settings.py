"""The settings of each client; over HTTP, they lead to the model: with the key, and not without."""

from __future__ import annotations

import json
import os
import shlex
import tomllib
from traceback import TracebackException
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import httpx
import pytest

from llmstack_tui.base.kinds import HostKind, ServerKind
from llmstack_tui.base.secret import Secret
from llmstack_tui.base.sentences import quoted
from llmstack_tui.base.structs import replace
from llmstack_tui.core.wording import text
from llmstack_tui.editors.rules.clients import LABELS, offer, places
from llmstack_tui.editors.rules.keys import exports, masked
from llmstack_tui.editors.service import EditorService
from llmstack_tui.editors.types import MASK, Api, Client, Endpoint, Form, Setup, Unsuited
from tests.editors.keyed import KEY
from tests.support.engine import HI

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.support.engine import Serving

yaml: Any = pytest.importorskip("yaml")

CHATS = frozenset({"completion", "tools"})
ENDPOINT = Endpoint(
    url="http://127.0.0.1:11434",
    model="a/b:1",
    kind=HostKind.OLLAMA,
    version="0.33.1",
    context_length=32_768,
    capabilities=CHATS,
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("XDG_CONFIG_HOME", "CLAUDE_CONFIG_DIR", "CODEX_HOME", "CONTINUE_GLOBAL_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def _offered(client: Client, endpoint: Endpoint, home: Path) -> Setup | Unsuited:
    return offer(client, endpoint, places(home, {}, "linux"))


def _setup(client: Client, endpoint: Endpoint, home: Path) -> Setup:
    found = _offered(client, endpoint, home)
    assert isinstance(found, Setup), found
    return found


def _read(form: Form, written: str) -> Any:
    match form:
        case Form.JSON:
            return json.loads(written)
        case Form.TOML:
            return tomllib.loads(written)
        case Form.YAML:
            return yaml.safe_load(written)
        case Form.SHELL:
            words = shlex.split(written.replace("\\\n", ""))
            return {"curl": words[1], "headers": words[3::2][:-1], "body": json.loads(words[-1])}
        case Form.FIELDS:
            parted = (line.partition(":") for line in written.splitlines())
            return {name: value.strip() for name, _, value in parted}


def _reached(  # noqa: PLR0911  # one for each client
    client: Client, found: Any, environment: Mapping[str, str]
) -> tuple[str, str, str]:
    """The URL of a chat, the model and the key, as the client takes them from its settings."""
    match client:
        case Client.CONTINUE:
            (model,) = found["models"]
            return f"{model['apiBase']}/api/chat", model["model"], model["apiKey"]
        case Client.CLINE:
            return f"{found['Use custom base URL']}/api/chat", found["Model"], found["Ollama API Key"]
        case Client.JETBRAINS:
            return f"{found['URL']}/chat/completions", found["Model"], found["API Key"]
        case Client.ZED:
            provider = found["language_models"]["openai_compatible"]["llmstack"]
            (model,) = provider["available_models"]
            return f"{provider['api_url']}/chat/completions", model["name"], environment["LLMSTACK_API_KEY"]
        case Client.AIDER:
            model = found["model"].removeprefix("openai/")
            return f"{found['openai-api-base']}/chat/completions", model, found["openai-api-key"]
        case Client.OPENCODE | Client.KILO:
            provider = found["provider"]["llmstack"]
            (model,) = provider["models"]
            options = provider["options"]
            return f"{options['baseURL']}/chat/completions", model, options["apiKey"]
        case Client.CLAUDE:
            env = found["env"]
            return (
                f"{env['ANTHROPIC_BASE_URL']}/v1/messages",
                env["ANTHROPIC_MODEL"],
                env["ANTHROPIC_AUTH_TOKEN"],
            )
        case Client.CODEX:
            provider = found["model_providers"][found["model_provider"]]
            return f"{provider['base_url']}/responses", found["model"], environment[provider["env_key"]]
        case Client.CURL:
            key = found["headers"][0].removeprefix("Authorization: Bearer ")
            return found["curl"], found["body"]["model"], key


def _asked(api: Api, url: str, model: str, key: str | None) -> httpx.Response:
    said: dict[str, Any] = {"input": "Hi"} if api is Api.RESPONSES else {"messages": HI}
    headers = {"anthropic-version": "2023-06-01"} | (
        {} if key is None else {"Authorization": f"Bearer {key}"}
    )
    most = {"max_tokens": 9} if api is Api.ANTHROPIC else {}
    body = {"model": model, "stream": False, **said, **most}
    return httpx.post(url, json=body, headers=headers, timeout=60, trust_env=False)


@pytest.mark.parametrize("client", Client)
async def test_settings_lead_to_the_model_with_the_key_and_not_without(
    client: Client, keyed: Serving, home: Path
) -> None:
    service = EditorService({keyed.url: Secret(KEY)})
    endpoint = replace(ENDPOINT, url=keyed.url, model="tiny:latest", kind=HostKind.BUILTIN, has_key=True)
    setup = _setup(client, endpoint, home)
    assert KEY not in setup.text + masked(setup.text) + exports(setup.variables) + repr(setup)
    if setup.values is None:
        found = _read(setup.form, service.whole(setup, endpoint).text)
    else:
        written = await service.write(setup, await service.plan(setup, endpoint), endpoint)
        found = _read(setup.form, written.file.read_text())
        assert (await service.plan(setup, endpoint)).is_done
    exported = shlex.split(service.exports(setup, endpoint).text)
    environment = dict(word.split("=", 1) for word in exported if "=" in word)
    url, model, key = _reached(client, found, environment)
    assert key == KEY
    assert _asked(setup.api, url, model, key).status_code == 200
    assert _asked(setup.api, url, model, None).status_code == 401
    assert _asked(setup.api, url, model, "a-wrong-key").status_code == 401


@pytest.mark.parametrize("client", Client)
def test_without_a_key_none_is_in_the_settings(client: Client, home: Path) -> None:
    setup = _setup(client, ENDPOINT, home)
    assert MASK not in masked(setup.text) + masked(exports(setup.variables))


@pytest.mark.parametrize(
    ("client", "version", "said"),
    [
        (Client.CLAUDE, "0.13.9", "Claude Code needs /v1/messages. Ollama has that from 0.14, and"),
        (Client.CLAUDE, "0.14.0", ""),
        (Client.CODEX, "0.13.2", "Codex needs /v1/responses. Ollama has that from 0.13.3, and"),
        (Client.CODEX, "0.13.3", ""),
        (Client.CODEX, "0.14.0-rc1", ""),
        (Client.ZED, "0.1.0", ""),
    ],
)
def test_a_path_that_ollama_has_not_yet_is_said(client: Client, version: str, said: str, home: Path) -> None:
    found = _offered(client, replace(ENDPOINT, version=version), home)
    assert isinstance(found, Unsuited) == bool(said)
    if isinstance(found, Unsuited):
        assert text(found.reason).startswith(said)


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"kind": None, "version": ""}, "editors.not_known"),
        ({"kind": HostKind.OPENAI, "server": ServerKind.TGI}, "editors.no_path"),
        ({"kind": HostKind.OPENAI, "server": ServerKind.VLLM}, None),
        ({"capabilities": frozenset({"embedding"})}, "editors.no_chat"),
        ({"unusable": quoted("It is damaged.")}, "editors.unusable"),
        ({"url": "ssh://me@box"}, "editors.through_ssh"),
        ({"kind": HostKind.BUILTIN, "version": "0.1"}, None),
    ],
)
def test_why_a_client_cannot_use_the_model(changed: dict[str, Any], kind: str | None, home: Path) -> None:
    found = _offered(Client.CLAUDE, replace(ENDPOINT, **changed), home)
    assert (found.reason.kind if isinstance(found, Unsuited) else None) == kind
    assert not isinstance(found, Unsuited) or text(found.reason)


@pytest.mark.parametrize("client", [each for each in Client if each not in (Client.CLAUDE, Client.CODEX)])
def test_a_server_of_openais_protocol_is_asked_by_that(client: Client, home: Path) -> None:
    setup = _setup(client, replace(ENDPOINT, kind=HostKind.OPENAI), home)
    assert setup.api is Api.OPENAI
    chats = replace(ENDPOINT, capabilities=frozenset({"completion"}))
    assert (chats.has_tools, replace(chats, kind=HostKind.OPENAI).has_tools) == (False, None)
    assert f"{ENDPOINT.url}/v1" in setup.text


@pytest.mark.parametrize("client", Client)
def test_each_client_has_a_name_and_says_what_to_do(client: Client, home: Path) -> None:
    small = replace(ENDPOINT, context_length=4096, capabilities=frozenset({"completion"}))
    setup = _setup(client, small, home)
    kinds = [note.kind for note in setup.notes]
    assert kinds[0] == f"editors.then_{client}"
    assert all(text(note) and not text(note).startswith("editors.") for note in setup.notes)
    assert ("editors.short_context" in kinds) == (
        LABELS[client] in ("Cline", "Kilo Code", "OpenCode", "Claude Code", "Codex")
    )


@pytest.mark.parametrize(
    ("environ", "platform", "zed", "codex"),
    [
        ({}, "linux", ".config/zed", ".codex"),
        ({"XDG_CONFIG_HOME": "/x", "CODEX_HOME": "/c"}, "linux", "/x/zed", "/c"),
        ({"XDG_CONFIG_HOME": "/x"}, "darwin", ".config/zed", ".codex"),
        ({"APPDATA": "/r"}, "win32", "/r/Zed", ".codex"),
    ],
)
def test_the_folders_are_those_of_the_clients(
    environ: dict[str, str], platform: str, zed: str, codex: str, tmp_path: Path
) -> None:
    where = places(tmp_path, environ, platform)
    assert (where.zed, where.codex) == (tmp_path / zed, tmp_path / codex)


async def test_the_key_is_in_no_traceback(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that shows the variables of each frame, as those of a crash may."""
    endpoint = replace(ENDPOINT, has_key=True)
    service = EditorService({endpoint.url: Secret(KEY)})
    setup = _setup(Client.CLAUDE, endpoint, home)
    await service.write(setup, await service.plan(setup, endpoint), endpoint)  # The file has it now.
    other = replace(endpoint, model="b:1")
    setup = _setup(Client.CLAUDE, other, home)
    draft = await service.plan(setup, other)
    for step in ("fsync", "replace"):
        with monkeypatch.context() as patched:
            patched.setattr(os, step, Mock(side_effect=RuntimeError("a defect")))
            with pytest.raises(RuntimeError) as caught:
                await service.write(setup, draft, other)
        shown = "".join(TracebackException.from_exception(caught.value, capture_locals=True).format())
        assert "draft = " in shown
        assert KEY not in shown
        assert json.dumps(KEY)[1:-1] not in shown


async def test_what_the_user_has_stays(home: Path) -> None:
    service = EditorService({})
    file = home / ".config" / "opencode" / "opencode.jsonc"
    file.parent.mkdir(parents=True)
    file.write_text('{\n  // mine\n  "provider": {"other": {"options": {"apiKey": "theirs"}}},\n}\n')
    setup = _setup(Client.OPENCODE, ENDPOINT, home)
    plan = await service.plan(setup, ENDPOINT)
    written = await service.write(setup, plan, ENDPOINT)
    assert (plan.replaced, written.file) == ((), file)
    assert file.read_text().startswith(
        '{\n  // mine\n  "provider": {"other": {"options": {"apiKey": "theirs"}}, "llm'
    )
    assert written.backup is not None
    assert "llmstack" not in written.backup.read_text()
    other = replace(ENDPOINT, url="http://127.0.0.1:1")
    plan = await service.plan(_setup(Client.OPENCODE, other, home), other)
    assert plan.replaced == ("provider.llmstack.options.baseURL",)
