"""Providers by their names: what sets one up, and what is made of that."""

from __future__ import annotations

import pytest

from llmstack_tui.base.secret import Secret
from llmstack_tui.providers.chain import ChainProvider
from llmstack_tui.providers.errors import NoProvider
from llmstack_tui.providers.registry import PROVIDERS, config_of, make, make_chain
from llmstack_tui.providers.retries import RetryingProvider
from tests.providers.clouds import asking, heard
from tests.providers.replaying import replay
from tests.support.scripted_server import always, serving

KEY = Secret("sk-0123456789abcdef")


def test_variables_win_over_settings() -> None:
    models, urls = {"anthropic": "of-settings"}, {"anthropic": "https://proxy/x/"}
    found = config_of("anthropic", {}, models=models, urls=urls)
    assert (found.model, found.url) == ("of-settings", "https://proxy/x")
    environ = {"ANTHROPIC_MODEL": "of-variable", "ANTHROPIC_BASE_URL": "http://127.0.0.1:1"}
    found = config_of("anthropic", environ, models=models, urls=urls)
    assert (found.model, found.url) == ("of-variable", "http://127.0.0.1:1")
    assert config_of("ollama", {"OLLAMA_HOST": "gpu-box"}).url == "http://gpu-box:11434"
    assert config_of("gemini", {"GEMINI_PROJECT_ID": "p-1"}).project == "p-1"


@pytest.mark.parametrize("name", PROVIDERS)
async def test_each_is_made_under_its_name_and_wants_a_key_only_at_its_own_address(name: str) -> None:
    is_cloud = name != "ollama"
    for config, available in (
        (config_of(name, {}), not is_cloud),
        (config_of(name, {}, key=KEY), True),
        (config_of(name, {}, urls={name: "http://127.0.0.1:1/v1"}), True),
    ):
        provider = make(config)
        assert provider.name == name
        assert await provider.is_available() is available
        assert config.is_set_up is available
        await provider.aclose()


def test_an_unknown_name_is_told_the_known_ones() -> None:
    with pytest.raises(NoProvider) as caught:
        config_of("opanai", {})
    assert str(caught.value) == (
        "There is no provider opanai; these are: ollama, openai, anthropic, gemini, groq, mistral "
        "and openrouter."
    )


async def test_a_chain_asks_each_for_its_own_model() -> None:
    async with serving(always(replay("anthropic-chat"))) as server:
        urls = {"ollama": "http://127.0.0.1:1", "anthropic": server.url}
        models = {"ollama": "small", "anthropic": "claude-x"}
        configs = [config_of(name, {}, urls=urls, models=models, key=KEY) for name in urls]
        single = make_chain(configs[:1])
        assert isinstance(single, RetryingProvider)
        await single.aclose()
        chain = make_chain(configs)
        assert isinstance(chain, ChainProvider)
        pieces = await heard(chain, asking(model="asked"))
        await chain.aclose()
        assert server.requests[0].json["model"] == "claude-x"
    assert "Nothing answers at http://127.0.0.1:1." in pieces[0].notice
    assert "anthropic answers instead." in pieces[0].notice
    assert pieces[-1].ending
    assert pieces[-1].ending.provider == "anthropic"
