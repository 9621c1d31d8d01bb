"""Which provider is meant, and how it is asked: by the environment, a YAML file, or the settings."""

from __future__ import annotations

import os
from collections.abc import Mapping  # noqa: TC003  # msgspec reads the annotations
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from llmstack_tui.base.address import InvalidAddress
from llmstack_tui.base.secret import Secret
from llmstack_tui.base.sentences import said
from llmstack_tui.base.text import excerpt
from llmstack_tui.providers.errors import WrongSetup
from llmstack_tui.providers.registry import PROVIDERS, ProviderConfig, config_of, known
from llmstack_tui.providers.types import Parameters

if TYPE_CHECKING:
    from llmstack_tui.providers.registry import KnownProvider

CHOICE = "LLM_PROVIDER"
_MOST_BYTES = 100_000
_USUAL = "ollama"


class LLMConfig(Struct, frozen=True, kw_only=True):
    """Who answers, and how each provider is asked.

    Attributes:
        provider: who answers where none is named.
        chain: who answers instead, in this order, if one fails before the first token.
        models, urls, limits, parameters: by the name of a provider; ``limits`` are seconds without a sign.
        key_variables: the variable with the key, where it is another than usual.
        safety: Gemini's, see the settings.
    """

    provider: str = _USUAL
    chain: tuple[str, ...] = ()
    models: Mapping[str, str] = {}
    urls: Mapping[str, str] = {}
    limits: Mapping[str, float] = {}
    parameters: Mapping[str, Parameters] = {}
    key_variables: Mapping[str, str] = {}
    safety: str = ""

    def of(self, name: str, environ: Mapping[str, str] | None = None) -> ProviderConfig:
        """What the provider ``name`` is made of; its variables of the environment win.

        Raises:
            NoProvider: there is none of that name.
            WrongSetup: its address is none.
        """
        environ = os.environ if environ is None else environ
        variable = self.key_variables.get(name) or known(name).key_variable
        key = environ.get(variable, "").strip() if variable else ""
        try:
            return config_of(
                name,
                environ,
                models=self.models,
                urls=self.urls,
                safety=self.safety,
                key=Secret(key) if key else None,
            )
        except InvalidAddress as error:
            raise WrongSetup("providers.wrong_address", provider=name, why=said(error)) from None


class _FileSection(Struct, forbid_unknown_fields=True):
    """What a YAML file may say of one provider. ``host`` is Ollama's word for its address."""

    model: str = ""
    host: str = ""
    base_url: str = ""
    temperature: float | None = None
    max_tokens: int | None = None
    timeout: float | None = None
    api_key_env: str = ""


def load_llm_config(file: str | Path | None = None) -> LLMConfig:
    """Who answers, from a YAML file, or from llmstack's settings; the environment wins over both.

    The file has ``provider``, ``chain``, and a table for each provider with ``model``, ``base_url`` (for
    ``ollama``: ``host``), ``temperature``, ``max_tokens``, ``timeout`` (seconds) and ``api_key_env``, the
    name of the variable that has its key. All may stand below ``llm``.

    >>> Path("llm.yaml").write_text("provider: groq\\ngroq: {model: openai/gpt-oss-20b, max_tokens: 500}")
    65
    >>> config = load_llm_config("llm.yaml")
    >>> config.provider, config.of("groq").model
    ('groq', 'openai/gpt-oss-20b')

    Raises:
        WrongSetup: the file cannot be read, or something in it or in the environment is wrong.
        NoProvider: it names one that is not known.
    """
    environ = os.environ
    config = _of_settings(environ) if file is None else _of_file(Path(file))
    provider = environ.get(CHOICE, "").strip().lower() or config.provider
    for name in (provider, *config.chain):
        known(name)
    parameters, limits = dict(config.parameters), dict(config.limits)
    for each in PROVIDERS.values():
        given = _of_variables(each, environ)
        limits |= {each.name: given.timeout} if given.timeout is not None else {}
        parameters[each.name] = _merged(given, parameters.get(each.name, Parameters()))
    return msgspec.structs.replace(config, provider=provider, parameters=parameters, limits=limits)


def _of_settings(environ: Mapping[str, str]) -> LLMConfig:
    from llmstack_tui.config.loading import load_settings  # noqa: PLC0415

    found = load_settings(None, environ).settings.providers
    return LLMConfig(
        provider=found.default or next(iter(found.chain), _USUAL),
        chain=found.chain,
        models=found.models,
        urls=found.urls,
        safety=found.gemini_safety or "",
    )


def _of_file(file: Path) -> LLMConfig:
    import yaml  # noqa: PLC0415  # 35 ms, for who has such a file

    try:
        with file.open("rb") as opened:
            content = opened.read(_MOST_BYTES + 1)
        found = yaml.load(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  # safe
    except OSError as error:
        why = error.strerror or ""
        raise WrongSetup("providers.unreadable_file", provider="", file=str(file), why=why) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _wrong(file, str(error)) from None
    if len(content) > _MOST_BYTES or not isinstance(found, dict):
        raise _wrong(file, "it is no table" if len(content) <= _MOST_BYTES else "it is too large")
    inner = found.get("llm", found)
    try:
        tables = msgspec.convert(inner, dict[str, object])
        provider = msgspec.convert(tables.pop("provider", _USUAL), str)
        chain = msgspec.convert(tables.pop("chain", ()), tuple[str, ...])
        sections = {
            known(name).name: msgspec.convert(each or {}, _FileSection) for name, each in tables.items()
        }
    except (msgspec.ValidationError, RecursionError) as error:
        raise _wrong(file, str(error)) from None
    return LLMConfig(
        provider=provider,
        chain=chain,
        models={name: each.model for name, each in sections.items() if each.model},
        urls={
            name: each.base_url or each.host for name, each in sections.items() if each.base_url or each.host
        },
        limits={name: each.timeout for name, each in sections.items() if each.timeout is not None},
        parameters={name: _merged(each, Parameters()) for name, each in sections.items()},
        key_variables={name: each.api_key_env for name, each in sections.items() if each.api_key_env},
    )


def _wrong(file: Path, why: str) -> WrongSetup:
    return WrongSetup("providers.wrong_file", provider="", file=str(file), why=excerpt(why).rstrip("."))


def _merged(given: _FileSection, default: Parameters) -> Parameters:
    found = default
    if given.temperature is not None:
        found = msgspec.structs.replace(found, temperature=given.temperature)
    if given.max_tokens is not None:
        found = msgspec.structs.replace(found, max_tokens=given.max_tokens)
    return found


def _of_variables(provider: KnownProvider, environ: Mapping[str, str]) -> _FileSection:
    """``OLLAMA_TIMEOUT`` (seconds), ``OLLAMA_TEMPERATURE``, ``OLLAMA_MAX_TOKENS``, and so of each."""
    prefix = provider.name.upper()
    tokens = _number(environ, f"{prefix}_MAX_TOKENS", least=1)
    return _FileSection(
        temperature=_number(environ, f"{prefix}_TEMPERATURE", least=0),
        max_tokens=None if tokens is None else int(tokens),
        timeout=_number(environ, f"{prefix}_TIMEOUT", least=0.001),
    )


def _number(environ: Mapping[str, str], variable: str, *, least: float) -> float | None:
    text = environ.get(variable, "").strip()
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        number = -1
    if not least <= number < 10**9:
        raise WrongSetup("providers.wrong_number", provider="", variable=variable, value=excerpt(text, 40))
    return number
