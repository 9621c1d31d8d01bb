"""Settings that llmstack writes for editors lead these packages to an engine that asks for a key."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anthropic
import openai
import pytest

from llmstack_tui.base.kinds import HostKind
from llmstack_tui.base.secret import Secret
from llmstack_tui.editors.service import EditorService
from llmstack_tui.editors.types import Client, Endpoint, Setup
from tests.editors.keyed import KEY, keyed_engine
from tests.support.engine import HI
from tests.support.gguf import models

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.engine import Serving

NO_RETRIES: dict[str, Any] = {"max_retries": 0, "timeout": 60}


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Iterator[Serving]:
    yield from keyed_engine(tmp_path_factory.mktemp("keyed"), tiny_model)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("CLAUDE_CONFIG_DIR", "XDG_CONFIG_HOME", "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)


async def _written(client: Client, keyed: Serving) -> dict[str, Any]:
    """The settings in the client's file."""
    service = EditorService({keyed.url: Secret(KEY)})
    endpoint = Endpoint(url=keyed.url, model="tiny:latest", kind=HostKind.BUILTIN, has_key=True)
    (setup,) = (each for each in service.offers(endpoint) if each.client is client)
    assert isinstance(setup, Setup)
    written = await service.write(setup, await service.plan(setup, endpoint), endpoint)
    found: dict[str, Any] = json.loads(written.file.read_text())
    return found


async def test_the_settings_of_claude_code(keyed: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package reads the same variables."""
    env = (await _written(Client.CLAUDE, keyed))["env"]
    asked: dict[str, Any] = {"model": env["ANTHROPIC_MODEL"], "max_tokens": 100, "messages": HI}
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    with anthropic.Anthropic(**NO_RETRIES) as found:
        answer = found.messages.create(**asked, extra_body={"temperature": 0})
        assert answer.content[0].text == models.ANSWER
    monkeypatch.delenv("ANTHROPIC_AUTH_TOKEN")
    with (
        anthropic.Anthropic(**{"auth_token": "none", **NO_RETRIES}) as found,
        pytest.raises(anthropic.AuthenticationError),
    ):
        found.messages.create(**asked)


async def test_the_settings_of_opencode(keyed: Serving) -> None:
    provider = (await _written(Client.OPENCODE, keyed))["provider"]["llmstack"]
    (model,), options = provider["models"], provider["options"]
    asked: dict[str, Any] = {"model": model, "messages": HI, "temperature": 0}
    with openai.OpenAI(base_url=options["baseURL"], api_key=options["apiKey"], **NO_RETRIES) as found:
        (choice,) = found.chat.completions.create(**asked).choices
        assert choice.message.content == models.ANSWER
        assert [each.id for each in found.models.list() if each.id == model]
    with (
        openai.OpenAI(base_url=options["baseURL"], api_key="none", **NO_RETRIES) as found,
        pytest.raises(openai.AuthenticationError),
    ):
        found.chat.completions.create(**asked)
