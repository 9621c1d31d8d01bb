"""The providers that are known by their names: where each is, what sets it up, and how it is made."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.address import default_host
from llmstack_tui.providers.errors import NoProvider

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from llmstack_tui.base.secret import Secret
    from llmstack_tui.hosts.transport import Timeouts
    from llmstack_tui.providers.provider import Provider


class Protocol(StrEnum):
    """What a provider speaks."""

    OLLAMA = "ollama"
    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    GEMINI = "gemini"


class KnownProvider(Struct, frozen=True, kw_only=True):
    """A provider, and the environment variables that set it up; "" where there is none.

    Attributes:
        root: what comes before the routes, if it is not in the address.
    """

    name: str
    protocol: Protocol
    url: str
    root: str = ""
    key_variable: str = ""
    url_variable: str = ""
    model_variable: str = ""

    @property
    def is_cloud(self) -> bool:
        """Whether it is somebody else's, and wants a key."""
        return bool(self.key_variable)


class ProviderConfig(Struct, frozen=True, kw_only=True):
    """What one is made of.

    Attributes:
        model: that is meant where none is named; "" if that is not known.
        project: of Google, whose quota is used.
        safety: from which probability of harm on Gemini refuses an answer.
    """

    known: KnownProvider
    url: str
    model: str = ""
    key: Secret | None = None
    project: str = ""
    safety: str = ""

    @property
    def is_set_up(self) -> bool:
        """Whether it can be asked: a cloud has its key. At another address there may be a server without."""
        return self.key is not None or not self.known.is_cloud or self.url != self.known.url


def _cloud(name: str, url: str, *, root: str = "", url_variable: str = "") -> KnownProvider:
    upper = name.upper()
    return KnownProvider(
        name=name,
        protocol=Protocol.OPENAI if name not in tuple(Protocol) else Protocol(name),
        url=url,
        root=root,
        key_variable=f"{upper}_API_KEY",
        url_variable=url_variable or f"{upper}_BASE_URL",
        model_variable=f"{upper}_MODEL",
    )


# Sources of the addresses (2026-11): platform.openai.com, platform.claude.com, ai.google.dev,
# console.groq.com, docs.mistral.ai, openrouter.ai: the page on the API of each.
_KNOWN = (
    KnownProvider(
        name="ollama",
        protocol=Protocol.OLLAMA,
        url="http://127.0.0.1:11434",
        url_variable="OLLAMA_HOST",
        model_variable="OLLAMA_MODEL",
    ),
    _cloud("openai", "https://api.openai.com/v1"),
    _cloud("anthropic", "https://api.anthropic.com"),
    _cloud("gemini", "https://generativelanguage.googleapis.com", url_variable="GOOGLE_GEMINI_BASE_URL"),
    _cloud("groq", "https://api.groq.com", root="/openai/v1"),
    _cloud("mistral", "https://api.mistral.ai/v1"),
    _cloud("openrouter", "https://openrouter.ai/api/v1"),
)
PROVIDERS: Mapping[str, KnownProvider] = {each.name: each for each in _KNOWN}


def known(name: str) -> KnownProvider:
    """Raises NoProvider: there is none of that name."""
    if (found := PROVIDERS.get(name)) is None:
        raise NoProvider("providers.unknown", provider=name, known=tuple(PROVIDERS))
    return found


def config_of(
    name: str,
    environ: Mapping[str, str],
    *,
    models: Mapping[str, str] | None = None,
    urls: Mapping[str, str] | None = None,
    safety: str = "",
    key: Secret | None = None,
) -> ProviderConfig:
    """What a provider is made of: as its variables say, else as the settings (``models``, ``urls``) say.

    Args:
        key: found by the caller.

    Raises:
        NoProvider: there is none of that name.
        InvalidAddress: ``OLLAMA_HOST`` is none.
    """
    found = known(name)
    url = _given(environ, found.url_variable) or (urls or {}).get(name, found.url)
    if found.protocol is Protocol.OLLAMA and _given(environ, found.url_variable):
        url = default_host(environ)
    return ProviderConfig(
        known=found,
        url=url.rstrip("/"),
        model=_given(environ, found.model_variable) or (models or {}).get(name, ""),
        key=key,
        project=_given(environ, "GEMINI_PROJECT_ID") if found.protocol is Protocol.GEMINI else "",
        safety=safety,
    )


def _given(environ: Mapping[str, str], variable: str) -> str:
    return environ.get(variable, "").strip() if variable else ""


def make(config: ProviderConfig, timeouts: Timeouts | None = None) -> Provider:
    """The provider. Its modules are imported now: most programs use one."""
    needs_key = config.known.is_cloud and config.url == config.known.url
    match config.known.protocol:
        case Protocol.ANTHROPIC:
            from llmstack_tui.providers.anthropic import AnthropicProvider, anthropic_http  # noqa: PLC0415

            return AnthropicProvider(anthropic_http(config.key, config.url, timeouts), needs_key=needs_key)
        case Protocol.GEMINI:
            from llmstack_tui.providers.gemini import GeminiProvider, gemini_http  # noqa: PLC0415

            http = gemini_http(config.key, config.url, project=config.project, timeouts=timeouts)
            return GeminiProvider(http, needs_key=needs_key, threshold=config.safety)
    from llmstack_tui.hosts.transport import Timeouts, Transport, own_agent  # noqa: PLC0415

    http = Transport(
        config.url, user_agent=own_agent(), timeouts=timeouts or Timeouts(), not_it="", key=config.key
    )
    if config.known.protocol is Protocol.OLLAMA:
        from llmstack_tui.providers.ollama import OllamaProvider  # noqa: PLC0415

        return OllamaProvider(http, name=config.known.name)
    from llmstack_tui.providers.openai import OpenAIProvider  # noqa: PLC0415

    return OpenAIProvider(http, name=config.known.name, root=config.known.root, needs_key=needs_key)


def make_chain(configs: Sequence[ProviderConfig], timeouts: Timeouts | None = None) -> Provider:
    """A provider that is asked again after a failure that may pass, then followed by the next.

    The first one is asked for the model of the request, each other one for its own.
    """
    from llmstack_tui.providers.chain import ChainLink, ChainProvider  # noqa: PLC0415
    from llmstack_tui.providers.retries import RetryingProvider  # noqa: PLC0415

    made = [RetryingProvider(make(config, timeouts)) for config in configs]
    if len(made) == 1:
        return made[0]
    models = ["", *(config.model for config in configs[1:])]
    return ChainProvider([ChainLink(*each) for each in zip(made, models, strict=True)])
