"""The settings that each client needs, and where it keeps them. Pure.

From the documents and sources of the clients, in November 2026:

* Continue: docs.continue.dev/reference and …/top-level/ollama; continuedev/continue d0a3c0b6
* Cline: docs.cline.bot/running-models-locally/ollama, docs.ollama.com/integrations/cline; its settings are in
  the extension's own state
* Kilo Code: Kilo-Org/kilocode 15eba394, packages/kilo-docs/pages/ai-providers/openai-compatible.md
* Zed: zed.dev/docs/ai/use-api-access and …/use-a-local-model: keys are in the system's keychain or in the
  environment, never in the settings
* JetBrains: jetbrains.com/help/ai-assistant/use-custom-models.html; the IDE's own dialog
* Aider: aider.chat/docs/config/aider_conf.html and …/llms/openai-compat.html; with its provider for Ollama it
  would ask for another context length, that is load the model again, at each request
* OpenCode: opencode.ai/v1/docs/providers.md; version 2 reads the same (opencode.ai/docs/migrate-v1.md)
* Claude Code: code.claude.com/docs/en/env-vars and …/settings
* Codex: developers.openai.com/codex/config-advanced: a profile is a file of its own (0.134 and later);
  openai/codex 05673f5e, codex-rs/model-provider-info/src/lib.rs

Ollama answers /v1/messages from 0.14.0 (ollama.com/blog/claude), and /v1/responses from 0.13.3
(docs.ollama.com/api/openai-compatibility). The built-in engine keeps to a newer version. Both are in
llama.cpp (tools/server/README.md; ggml-org/llama.cpp#17570), LM Studio (lmstudio.ai/docs/developer) and vLLM
(docs.vllm.ai/en/v0.32.0/serving/online_serving).
"""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from llmstack_tui.base.address import is_ssh, parse_ssh
from llmstack_tui.base.kinds import HostKind, ServerKind
from llmstack_tui.base.sentences import Sentence
from llmstack_tui.editors.rules import jsonc, toml, yaml
from llmstack_tui.editors.types import KEY, Api, Client, Form, Setup, Unsuited

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from llmstack_tui.base.sentences import Param
    from llmstack_tui.editors.types import Endpoint, Value

LABELS = {
    Client.CONTINUE: "Continue",
    Client.CLINE: "Cline",
    Client.KILO: "Kilo Code",
    Client.ZED: "Zed",
    Client.JETBRAINS: "JetBrains",
    Client.AIDER: "Aider",
    Client.OPENCODE: "OpenCode",
    Client.CLAUDE: "Claude Code",
    Client.CODEX: "Codex",
    Client.CURL: "curl",
}
"""What the clients call themselves."""

ENDED = {"name": "llmstack", "version": "0.0.1", "schema": "v1"}
"""What a file of Continue has to begin with."""

# The name of our provider in the settings of a client, and of the variable with its key.
_OURS, _VARIABLE = "llmstack", "LLMSTACK_API_KEY"
# For clients that do not work without a key; servers without one pass it over.
_ANY_KEY = "unused"
# A port of this machine that leads to Ollama's on the other one.
_FORWARDED = "11434:127.0.0.1:11434"
# Where nobody says for how many tokens a model is loaded: Ollama's default.
_USUAL_CONTEXT = 4096
# Agents send some 20,000 tokens before the first word of their user.
_AGENTS_NEED = 24_000
_AGENTS = frozenset({Client.CLINE, Client.KILO, Client.OPENCODE, Client.CLAUDE, Client.CODEX})
# The programs whose documents have /v1/messages and /v1/responses; a test from here says of an older one.
_HAVE_BOTH = frozenset(
    {ServerKind.LLAMA_SERVER, ServerKind.LLAMA_ROUTER, ServerKind.LM_STUDIO, ServerKind.VLLM}
)
_SINCE = {Api.ANTHROPIC: (0, 14), Api.RESPONSES: (0, 13, 3)}
_WRITE = {Form.JSON: jsonc.written, Form.TOML: toml.written, Form.YAML: yaml.written}


class Places(NamedTuple):
    """Where programs of this user keep their settings.

    Attributes:
        home: the user's folder.
        config: that of programs that keep to XDG's rules, on every system.
        zed, claude, codex, continue_: the folders of these.
    """

    home: Path
    config: Path
    zed: Path
    claude: Path
    codex: Path
    continue_: Path


def places(home: Path, environ: Mapping[str, str], platform: str) -> Places:
    """The folders, as the clients find them; ``platform`` as `sys.platform` has it."""

    def named(variable: str, otherwise: Path) -> Path:
        return Path(environ[variable]) if environ.get(variable) else otherwise

    config = named("XDG_CONFIG_HOME", home / ".config")
    zed = home / ".config" / "zed" if platform == "darwin" else config / "zed"
    if platform == "win32":
        zed = named("APPDATA", home / "AppData" / "Roaming") / "Zed"
    return Places(
        home=home,
        config=config,
        zed=zed,
        claude=named("CLAUDE_CONFIG_DIR", home / ".claude"),
        codex=named("CODEX_HOME", home / ".codex"),
        continue_=named("CONTINUE_GLOBAL_DIR", home / ".continue"),
    )


def offers(endpoint: Endpoint, where: Places) -> tuple[Setup | Unsuited, ...]:
    """The settings of each client for this model, or why it cannot use it."""
    return tuple(offer(client, endpoint, where) for client in Client)


def offer(client: Client, endpoint: Endpoint, where: Places) -> Setup | Unsuited:
    """The settings of one client for this model, or why it cannot use it."""
    api = _api(client, endpoint)
    reason = _unsuited(client, api, endpoint)
    if reason is not None:
        return Unsuited(client, reason)
    recipe = _RECIPES[client](endpoint, where)
    notes = [Sentence(f"editors.then_{client}", {"file": str(recipe.files[-1])} if recipe.files else {})]
    if endpoint.has_tools is False and client in _AGENTS | {Client.ZED, Client.CONTINUE}:
        notes.append(Sentence("editors.only_chat", {"model": endpoint.model, "client": LABELS[client]}))
    context = endpoint.context_length
    if client in _AGENTS and context is not None and context < _AGENTS_NEED:
        notes.append(Sentence("editors.short_context", {"model": endpoint.model, "count": context}))
    values = recipe.values
    text = recipe.text if values is None else _WRITE[recipe.form](_with_defaults(client, values)).rstrip("\n")
    return Setup(
        client=client,
        api=api,
        form=recipe.form,
        text=text,
        values=values,
        files=recipe.files,
        variables=recipe.variables,
        notes=tuple(notes),
    )


def defaults(client: Client) -> Mapping[str, Value]:
    """What the client's file must have besides, where it lacks it."""
    return ENDED if client is Client.CONTINUE else {}


def _with_defaults(client: Client, values: Mapping[str, Value]) -> Mapping[str, Value]:
    return {**defaults(client), **values}


def _api(client: Client, endpoint: Endpoint) -> Api:
    """What the client speaks to that server, as it is set up here."""
    match client:
        case Client.CLAUDE:
            return Api.ANTHROPIC
        case Client.CODEX:
            return Api.RESPONSES
        case Client.CONTINUE | Client.CLINE if endpoint.kind is not HostKind.OPENAI:
            return Api.OLLAMA
        case Client.JETBRAINS if endpoint.kind is not HostKind.OPENAI and not endpoint.has_key:
            return Api.OLLAMA
    return Api.OPENAI


def _unsuited(client: Client, api: Api, endpoint: Endpoint) -> Sentence | None:
    about: dict[str, Param] = {
        "host": endpoint.url,
        "model": endpoint.model,
        "client": LABELS[client],
        "path": api.value,
    }
    kind = None
    if is_ssh(endpoint.url):
        kind = "editors.through_ssh"
        about["command"] = parse_ssh(endpoint.url).command("-N", "-L", _FORWARDED)
    elif endpoint.unusable:
        kind, about["why"] = "editors.unusable", (endpoint.unusable,)
    elif endpoint.capabilities is not None and "completion" not in endpoint.capabilities:
        kind = "editors.no_chat"
    elif api in _SINCE and endpoint.kind is not HostKind.BUILTIN:
        kind = _without(_SINCE[api], endpoint, about)
    return Sentence(kind, about) if kind else None


def _without(since: tuple[int, ...], endpoint: Endpoint, about: dict[str, Param]) -> str | None:
    """The kind of the sentence why a server has not what Ollama has from a version on; None if it has."""
    match endpoint.kind:
        case None:
            return "editors.not_known"
        case HostKind.OPENAI:
            return None if endpoint.server in _HAVE_BOTH else "editors.no_path"
    about |= {"since": ".".join(map(str, since)), "version": endpoint.version}
    version = tuple(map(int, re.findall(r"\d+", endpoint.version)[:3]))
    return None if version >= since else "editors.too_old"


class _Recipe(NamedTuple):
    """The parts of a `Setup` that differ from client to client."""

    form: Form
    values: Mapping[str, Value] | None = None
    files: tuple[Path, ...] = ()
    variables: Mapping[str, str] = {}
    text: str = ""


def _continue(endpoint: Endpoint, where: Places) -> _Recipe:
    is_ollama = endpoint.kind is not HostKind.OPENAI
    model: dict[str, Value] = {
        "name": f"{endpoint.model} (llmstack)",
        "provider": "ollama" if is_ollama else "openai",
        "model": endpoint.model,
        "apiBase": endpoint.url if is_ollama else _v1(endpoint),
        "roles": ["chat", "edit", "apply"],
    }
    if endpoint.has_key:
        model["apiKey"] = KEY
    if endpoint.has_tools:
        model["capabilities"] = ["tool_use"]
    if endpoint.context_length:
        model["defaultCompletionOptions"] = {"contextLength": endpoint.context_length}
    return _Recipe(Form.YAML, {"models": [model]}, (where.continue_ / "config.yaml",))


def _cline(endpoint: Endpoint, _: Places) -> _Recipe:
    if endpoint.kind is HostKind.OPENAI:
        fields = {"API Provider": "OpenAI Compatible", "Base URL": _v1(endpoint), "API Key": _key(endpoint)}
        fields["Model ID"] = endpoint.model
    else:
        fields = {"API Provider": "Ollama", "Use custom base URL": endpoint.url}
        fields |= {"Ollama API Key": KEY} if endpoint.has_key else {}
        fields["Model"] = endpoint.model
    if endpoint.context_length:
        fields["Context Window"] = str(endpoint.context_length)
    return _fields(fields)


def _jetbrains(endpoint: Endpoint, _: Places) -> _Recipe:
    if endpoint.kind is HostKind.OPENAI or endpoint.has_key:
        fields = {"Provider": "OpenAI-compatible", "URL": _v1(endpoint), "API Key": _key(endpoint)}
    else:
        fields = {"Provider": "Ollama", "URL": endpoint.url}
    return _fields({**fields, "Model": endpoint.model})


def _zed(endpoint: Endpoint, where: Places) -> _Recipe:
    capabilities = endpoint.capabilities or frozenset()
    model: dict[str, Value] = {
        "name": endpoint.model,
        "display_name": endpoint.model,
        "max_tokens": endpoint.context_length or _USUAL_CONTEXT,
        "capabilities": {
            "tools": endpoint.has_tools is not False,
            "images": "vision" in capabilities,
            "parallel_tool_calls": False,
            "prompt_cache_key": False,
        },
    }
    provider: dict[str, Value] = {"api_url": _v1(endpoint), "available_models": [model]}
    values: dict[str, Value] = {"language_models": {"openai_compatible": {_OURS: provider}}}
    return _Recipe(Form.JSON, values, (where.zed / "settings.json",), {_VARIABLE: _key(endpoint)})


def _aider(endpoint: Endpoint, where: Places) -> _Recipe:
    values = {
        "model": f"openai/{endpoint.model}",
        "openai-api-base": _v1(endpoint),
        "openai-api-key": _key(endpoint),
    }
    return _Recipe(Form.YAML, values, (where.home / ".aider.conf.yml",))


def _opencode(endpoint: Endpoint, where: Places) -> _Recipe:
    folder = where.config / "opencode"
    files = tuple(folder / name for name in ("opencode.jsonc", "opencode.json"))
    return _Recipe(Form.JSON, _ai_sdk(endpoint), files)


def _kilo(endpoint: Endpoint, where: Places) -> _Recipe:
    files = tuple(where.config / "kilo" / name for name in ("kilo.jsonc", "kilo.json"))
    return _Recipe(Form.JSON, _ai_sdk(endpoint), files)


def _ai_sdk(endpoint: Endpoint) -> dict[str, Value]:
    """What OpenCode, and Kilo Code, which has grown out of it, take as a provider."""
    model: dict[str, Value] = {"name": endpoint.model}
    if endpoint.has_tools is not None:
        model["tool_call"] = endpoint.has_tools
    if endpoint.context_length:
        limit = endpoint.context_length
        model["limit"] = {"context": limit, "output": min(8192, limit // 2)}
    provider: dict[str, Value] = {
        "npm": "@ai-sdk/openai-compatible",
        "name": _OURS,
        "options": {"baseURL": _v1(endpoint), "apiKey": _key(endpoint)},
        "models": {endpoint.model: model},
    }
    return {"provider": {_OURS: provider}}


def _claude(endpoint: Endpoint, where: Places) -> _Recipe:
    # All of its models are this one: it also asks a small one, for titles and the like.
    names = ("MODEL", "DEFAULT_OPUS_MODEL", "DEFAULT_SONNET_MODEL", "DEFAULT_HAIKU_MODEL")
    env = {
        "ANTHROPIC_BASE_URL": endpoint.url,
        "ANTHROPIC_AUTH_TOKEN": _key(endpoint),
        **{f"ANTHROPIC_{name}": endpoint.model for name in names},
    }
    return _Recipe(Form.JSON, {"env": env}, (where.claude / "settings.json",))


def _codex(endpoint: Endpoint, where: Places) -> _Recipe:
    provider: dict[str, Value] = {"name": _OURS, "base_url": _v1(endpoint), "wire_api": "responses"}
    variables = {_VARIABLE: KEY} if endpoint.has_key else {}
    if endpoint.has_key:
        provider["env_key"] = _VARIABLE
    values: dict[str, Value] = {"model": endpoint.model, "model_provider": _OURS}
    if endpoint.context_length:
        values["model_context_window"] = endpoint.context_length
    values["model_providers"] = {_OURS: provider}
    return _Recipe(Form.TOML, values, (where.codex / f"{_OURS}.config.toml",), variables)


def _curl(endpoint: Endpoint, _: Places) -> _Recipe:
    body = {"model": endpoint.model, "stream": True, "messages": [{"role": "user", "content": "Hi"}]}
    words = [
        f"curl {shlex.quote(_v1(endpoint) + '/chat/completions')}",
        *([f"-H 'Authorization: Bearer {KEY}'"] if endpoint.has_key else []),
        "-H 'Content-Type: application/json'",
        f"-d {shlex.quote(json.dumps(body, ensure_ascii=False))}",
    ]
    return _Recipe(Form.SHELL, text=" \\\n  ".join(words))


_RECIPES: Mapping[Client, Callable[[Endpoint, Places], _Recipe]] = {
    Client.CONTINUE: _continue,
    Client.CLINE: _cline,
    Client.KILO: _kilo,
    Client.ZED: _zed,
    Client.JETBRAINS: _jetbrains,
    Client.AIDER: _aider,
    Client.OPENCODE: _opencode,
    Client.CLAUDE: _claude,
    Client.CODEX: _codex,
    Client.CURL: _curl,
}


def _fields(fields: Mapping[str, str]) -> _Recipe:
    width = max(map(len, fields)) + 2
    return _Recipe(
        Form.FIELDS, text="\n".join(f"{f'{name}:':<{width}} {value}" for name, value in fields.items())
    )


def _v1(endpoint: Endpoint) -> str:
    return f"{endpoint.url}/v1"


def _key(endpoint: Endpoint) -> str:
    return KEY if endpoint.has_key else _ANY_KEY
