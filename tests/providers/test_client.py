"""The short way for programs: who is chosen, and what a script gets."""

from __future__ import annotations

import doctest
import importlib
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from llmstack_tui import providers
from llmstack_tui.providers import (
    get_async_llm_client,
    get_available_providers,
    get_llm_client,
    load_llm_config,
)
from llmstack_tui.providers.errors import NoProvider, NotReachable, WrongRequest, WrongSetup
from tests.providers.replaying import replay
from tests.support.fake_ollama import fake_ollama_thread
from tests.support.scripted_server import Request, document, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.fake_ollama import FakeOllama
    from tests.support.scripted_server import Reply


@pytest.fixture(autouse=True)
def nothing_is_set_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in list(os.environ):
        if variable.startswith(("LLM_", "LLMSTACK_")) or variable.endswith(
            ("_API_KEY", "_BASE_URL", "_MODEL")
        ):
            monkeypatch.delenv(variable)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:1")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def ollama(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeOllama]:
    with fake_ollama_thread(tiny_latest="a") as (fake, url):
        monkeypatch.setenv("OLLAMA_HOST", url)
        fake.answer = ("Hello", " there.")
        yield fake


@pytest.mark.parametrize("name", ["client", "setup"])
@pytest.mark.usefixtures("ollama")
def test_examples(name: str) -> None:
    module = importlib.import_module(f"llmstack_tui.providers.{name}")
    found = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    assert found.failed == 0
    assert found.attempted > 1


def test_every_function_of_the_interface_has_an_example() -> None:
    functions = [getattr(providers, name) for name in providers.__all__ if name.islower()]
    assert len(functions) == 4
    assert all(">>>" in str(each.__doc__) for each in functions)


def test_importing_the_interface_is_cheap() -> None:
    code = "import sys, llmstack_tui.providers; print('httpx' in sys.modules, 'msgspec' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_who_answers_is_the_argument_then_the_variable_then_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "llm.yaml"
    file.write_text(
        "llm:\n  provider: mistral\n"
        "  mistral: {model: small, base_url: 'http://127.0.0.1:1/v1', timeout: 5}\n"
        "  openai: {temperature: 0.5, api_key_env: WORK_KEY}\n"
    )
    config = load_llm_config(file)
    assert (config.provider, config.of("mistral").model, config.limits["mistral"]) == ("mistral", "small", 5)
    monkeypatch.setenv("LLM_PROVIDER", "openai")
    monkeypatch.setenv("WORK_KEY", "key-of-work")
    monkeypatch.setenv("OPENAI_MAX_TOKENS", "7")
    monkeypatch.setenv("OPENAI_MODEL", "gpt-x")
    config = load_llm_config(file)
    found = config.of("openai")
    assert (config.provider, found.model) == ("openai", "gpt-x")
    assert found.key is not None
    assert found.key.text == "key-of-work"
    assert (config.parameters["openai"].temperature, config.parameters["openai"].max_tokens) == (0.5, 7)
    with get_llm_client(config=config) as client:
        assert client.client.provider.name == "openai"
    with get_llm_client("anthropic", config=config) as client:
        assert client.client.provider.name == "anthropic"
    assert load_llm_config().provider == "openai"


@pytest.mark.parametrize(
    ("content", "error", "says"),
    [
        ("provider: nobody", NoProvider, "no provider nobody"),
        ("openai: {api_key: sk-1}", WrongSetup, "api_key"),
        ("openai: {max_tokens: many}", WrongSetup, "int"),
        ("- a", WrongSetup, "no table"),
        ("a: [", WrongSetup, "llm.yaml does not set up"),
        ("a: &a [*a, *a]", NoProvider, "no provider a"),
    ],
)
def test_a_wrong_file_is_one_sentence(
    content: str, error: type[Exception], says: str, tmp_path: Path
) -> None:
    (tmp_path / "llm.yaml").write_text(content)
    with pytest.raises(error, match=says) as caught:
        load_llm_config("llm.yaml")
    assert "sk-1" not in str(caught.value)


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("OLLAMA_TIMEOUT", "soon", "OLLAMA_TIMEOUT is no number"),
        ("OPENAI_MAX_TOKENS", "-1", "OPENAI_MAX_TOKENS is no number"),
        ("GEMINI_TEMPERATURE", "nan", "GEMINI_TEMPERATURE is no number"),
    ],
)
def test_a_wrong_variable_is_named(
    variable: str, value: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(WrongSetup, match=says):
        get_llm_client()


def test_a_file_that_is_not_there_and_a_server_that_is_not_there() -> None:
    with pytest.raises(WrongSetup, match="cannot be read"):
        load_llm_config("nothere.yaml")
    with get_llm_client("ollama") as client, pytest.raises(NotReachable, match="Nothing answers"):
        client.generate("Hi", model="m")
    assert get_available_providers() == ()


def test_a_cloud_is_available_with_its_key_and_needs_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-0123456789")
    assert get_available_providers() == ("anthropic",)
    with get_llm_client("anthropic") as client, pytest.raises(NoProvider, match="ANTHROPIC_MODEL"):
        client.generate("Hi")


@pytest.mark.usefixtures("ollama")
def test_wrong_questions_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_MODEL", "tiny:latest")
    with get_llm_client() as client:
        with pytest.raises(WrongRequest, match="a role"):
            client.chat([{"role": "boss", "content": "Hi"}])
        with pytest.raises(WrongRequest, match="temprature"):
            client.generate("Hi", temprature=1)
        with pytest.raises(WrongRequest, match="temperature"):
            client.generate("Hi", temperature="hot")
        for piece in client.stream("Hi"):
            assert piece == "Hello"
            break
        assert client.generate("Hi") == "Hello there."


async def test_what_is_set_up_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    async def handle(request: Request) -> Reply:
        if request.path == "/v1/models":
            return document({"data": [{"id": "m", "owned_by": "me"}]})
        return replay("openai-chat")

    async with serving(handle) as server:
        monkeypatch.setenv("LLM_PROVIDER", "openai")
        monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", "sk-of-openai")
        monkeypatch.setenv("OPENAI_MODEL", "m")
        monkeypatch.setenv("OPENAI_TEMPERATURE", "0.5")
        async with get_async_llm_client() as client:
            assert await client.chat("Hi", max_tokens=3) == "¡Café olé 🐑!"
        request = server.requests[-1]
    assert request.headers["authorization"] == "Bearer sk-of-openai"
    sent = {name: request.json[name] for name in ("model", "temperature", "max_tokens")}
    assert sent == {"model": "m", "temperature": 0.5, "max_tokens": 3}
