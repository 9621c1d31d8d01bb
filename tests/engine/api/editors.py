"""What editors and their agents send and read, in short: from their sources and public documents.

The temperature is 0 in all of them: the models of tests do not always say the same at those of the sources.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from tests.engine.api.agents import CLAUDE_CODE, CODEX
from tests.support.calling import FUNCTION, TOOL

Json = dict[str, Any]


class Ask(NamedTuple):
    """A request before the first chat. ``reads``: what its answer must have: keys, or numbers in a list."""

    method: str
    path: str
    body: Json | None = None
    reads: tuple[str, ...] = ()


class Client(NamedTuple):
    """A client of one of the protocols.

    Attributes:
        source: where its requests are written: a repository and its files at a commit, or a document.
        body: what each of its chats has, beside the model.
        said: the fields of a first question, and of the same with the tool ``add``.
        result: the fields of the request that has the call of ``add`` and its result.
        ends: whether that is answered: one that sends a result as the user's is told to call again.
    """

    name: str
    source: str
    protocol: str
    path: str
    body: Json
    said: Json
    tools: Json
    result: Json
    asks: tuple[Ask, ...] = ()
    headers: Json | None = None
    ends: bool = True


_USER: Json = {"role": "user", "content": "Add."}
_SYSTEM: Json = {"role": "system", "content": "You are an agent."}
_NATIVE_CALL: Json = {"function": {"name": "add", "arguments": {"a": 1}}}
_CALL: Json = {"id": "call_1", "type": "function", "function": {"name": "add", "arguments": '{"a":1}'}}
_TAGS = ("models.0.name", "models.0.model", "models.0.modified_at", "models.0.size", "models.0.digest")
_DETAILS = tuple(
    f"details.{key}" for key in ("format", "family", "families", "parameter_size", "quantization_level")
)
_LISTED = Ask("GET", "/api/tags", None, (*_TAGS, *(f"models.0.{key}" for key in _DETAILS)))
_SHOWN = ("capabilities.0", "model_info.general:architecture", "model_info.llama:context_length")

VS_CODE = Client(
    name="VS Code",
    source=(
        "microsoft/vscode-copilot-chat 31acd00a: src/extension/byok/vscode-node/ollamaProvider.ts, "
        "src/extension/byok/node/openAIEndpoint.ts, src/platform/networking/node/stream.ts"
    ),
    protocol="openai",
    path="/v1/chat/completions",
    headers={"Authorization": "Bearer"},
    body={"temperature": 0, "top_p": 1, "n": 1, "stream": True, "stream_options": {"include_usage": True}},
    said={
        "messages": [
            {**_SYSTEM, "copilot_cache_control": {"type": "ephemeral"}},
            {"role": "user", "content": [{"type": "text", "text": text} for text in ("A file.", "Add.")]},
        ]
    },
    tools={"tools": [TOOL]},
    result={
        "messages": [
            _SYSTEM,
            _USER,
            {"role": "assistant", "content": "", "tool_calls": [_CALL]},
            {"role": "tool", "tool_call_id": "call_1", "content": [{"type": "text", "text": "1"}]},
        ],
        "tools": [TOOL],
    },
    asks=(
        Ask("GET", "/api/version", None, ("version",)),
        _LISTED,
        Ask("POST", "/api/show", {"model": "agreeing:latest"}, _SHOWN),
    ),
)

CLINE = Client(
    name="Cline",
    source=(
        "cline/cline 21cb8d25: sdk/packages/llms/src/providers/vendors/ollama.ts and ollama.wire.test.ts, on "
        "nordwestt/ollama-ai-provider-v2 4a10a0a5: src/responses/ollama-responses-request-builder.ts"
    ),
    protocol="ollama",
    path="/api/chat",
    body={
        "temperature": 0,
        "max_output_tokens": 8192,
        "options": {"num_ctx": 32768, "temperature": 0},
        "stream": True,
    },
    said={"messages": [_SYSTEM, _USER]},
    tools={"tools": [TOOL], "tool_choice": "auto"},
    result={
        "messages": [
            _SYSTEM,
            _USER,
            {
                "role": "assistant",
                "content": "",
                "thinking": "Add what?",
                "tool_calls": [{"id": "call_1", "type": "function", **_NATIVE_CALL}],
            },
            {"role": "tool", "tool_call_id": "call_1", "content": "1"},
        ],
        "tools": [TOOL],
        "tool_choice": "auto",
    },
    asks=(Ask("GET", "/api/tags", None, ("models.0.name",)),),
)

AI_SDK = Client(
    name="OpenCode, and Cline by the AI SDK",
    source=(
        "vercel/ai 028158f5: packages/openai-compatible/src/chat, in "
        "cline/cline 21cb8d25: sdk/packages/llms/src/providers/vendors/openai-compatible.ts"
    ),
    protocol="openai",
    path="/v1/chat/completions",
    headers={"Authorization": "Bearer unused"},
    body={"max_tokens": 8192, "temperature": 0, "stream": True, "stream_options": {"include_usage": True}},
    said={"messages": [_SYSTEM, _USER]},
    tools={"tools": [TOOL], "tool_choice": "auto"},
    result={
        "messages": [
            _SYSTEM,
            _USER,
            {"role": "assistant", "content": None, "reasoning_content": "Add what?", "tool_calls": [_CALL]},
            {"role": "tool", "tool_call_id": "call_1", "content": "1"},
        ],
        "tools": [TOOL],
        "tool_choice": "auto",
    },
)

ZED = Client(
    name="Zed",
    source=(
        "zed-industries/zed 2703b308: crates/ollama/src/ollama.rs; "
        "0297fcd3: crates/language_models/src/provider/ollama.rs"
    ),
    protocol="ollama",
    path="/api/chat",
    body={
        "stream": True,
        "keep_alive": -1,
        "options": {"num_ctx": 16384, "num_predict": None, "stop": [], "temperature": 0, "top_p": None},
        "think": False,
    },
    said={"messages": [_SYSTEM, _USER], "tools": []},
    tools={"tools": [TOOL]},
    result={
        "messages": [
            _SYSTEM,
            _USER,
            {"role": "assistant", "content": "", "tool_calls": [_NATIVE_CALL], "thinking": None},
            {"role": "tool", "tool_name": "add", "content": "1"},
        ],
        "tools": [TOOL],
    },
    asks=(_LISTED, Ask("POST", "/api/show", {"model": "agreeing:latest"}, _SHOWN)),
)

ZED_OPENAI = Client(
    name="Zed, OpenAI's protocol",
    source="zed-industries/zed 014676e4: crates/open_ai/src/open_ai.rs",
    protocol="openai",
    path="/v1/chat/completions",
    headers={"Authorization": "Bearer unused"},
    body={
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_completion_tokens": 4096,
        "temperature": 0,
        "parallel_tool_calls": False,
        "prompt_cache_key": "0198",
    },
    said={
        "messages": [
            {"role": "system", "content": [{"type": "text", "text": "You are an agent."}]},
            {"role": "user", "content": "Hi."},
            {"role": "assistant", "content": None, "reasoning_content": "Hm."},
            _USER,
        ]
    },
    tools={"tools": [{**TOOL, "function": {**FUNCTION, "description": None}}], "tool_choice": "auto"},
    result={
        "messages": [
            _USER,
            {"role": "assistant", "content": None, "tool_calls": [_CALL]},
            {"role": "tool", "content": "1", "tool_call_id": "call_1"},
        ],
        "tools": [TOOL],
    },
)

CONTINUE = Client(
    name="Continue",
    source="continuedev/continue d0a3c0b6: core/llm/llms/Ollama.ts",
    protocol="ollama",
    path="/api/chat",
    headers={"Authorization": "Bearer undefined"},
    body={
        "options": {"temperature": 0, "num_predict": 4096, "num_ctx": 8192},
        "keep_alive": 1800,
        "stream": True,
    },
    said={"messages": [_SYSTEM, _USER]},
    tools={"tools": [TOOL]},
    result={
        "messages": [
            _SYSTEM,
            _USER,
            {"role": "assistant", "content": "", "tool_calls": [_NATIVE_CALL]},
            {"role": "tool", "content": "1"},
        ]
    },
    asks=(
        Ask("GET", "/api/tags", None, ("models.0.name",)),
        Ask("POST", "/api/show", {"name": "agreeing"}, ("parameters", "template")),
    ),
)

ROO = Client(
    name="Roo Code, Kilo Code",
    source="RooCodeInc/Roo-Code 099cf851: src/api/providers/native-ollama.ts and fetchers/ollama.ts",
    protocol="ollama",
    path="/api/chat",
    body={"stream": True, "options": {"temperature": 0, "num_ctx": 32768}},
    said={"messages": [_SYSTEM, _USER]},
    tools={"tools": [TOOL]},
    result={
        "messages": [
            _SYSTEM,
            _USER,
            {"role": "assistant", "content": "", "tool_calls": [_NATIVE_CALL]},
            {"role": "user", "content": "1"},
        ],
        "tools": [TOOL],
    },
    asks=(_LISTED, Ask("POST", "/api/show", {"model": "agreeing:latest"}, (*_SHOWN, *_DETAILS))),
    ends=False,
)

_CLAUDE_RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "1", "is_error": False}
_CLAUDE_CALL = {"type": "tool_use", "id": "toolu_1", "name": "add", "input": {"a": 1}}

CLAUDE = Client(
    name="Claude Code",
    source="code.claude.com/docs/en/llm-gateway-protocol; see agents.py",
    protocol="anthropic",
    path="/v1/messages?beta=true",
    headers={
        "Authorization": "Bearer unused",
        "anthropic-version": "2023-06-01",
        "anthropic-beta": "claude-code-20250219,interleaved-thinking-2025-05-14",
    },
    body={
        key: value
        for key, value in CLAUDE_CODE.items()
        if key not in ("model", "messages", "tools", "tool_choice")
    },
    said={"messages": CLAUDE_CODE["messages"][:1]},
    tools={"tools": CLAUDE_CODE["tools"], "tool_choice": CLAUDE_CODE["tool_choice"]},
    result={
        "messages": [
            *CLAUDE_CODE["messages"][:1],
            {"role": "assistant", "content": [_CLAUDE_CALL]},
            {"role": "user", "content": [_CLAUDE_RESULT]},
        ],
        "tools": CLAUDE_CODE["tools"],
    },
    asks=(
        Ask("HEAD", "/"),
        Ask(
            "POST",
            "/v1/messages/count_tokens?beta=true",
            {"model": "agreeing", "messages": [_USER], "tools": CLAUDE_CODE["tools"]},
            ("input_tokens",),
        ),
    ),
)

CODEX_CLI = Client(
    name="Codex",
    source=(
        "openai/codex 02649f6b: codex-rs/ollama/src/client.rs; 001cb8e2: codex-rs/codex-api/src/common.rs; "
        "0a7fb0d7: codex-rs/codex-api/src/sse/responses.rs; see agents.py"
    ),
    protocol="responses",
    path="/v1/responses",
    body={
        key: value for key, value in CODEX.items() if key not in ("input", "tools", "tool_choice", "model")
    },
    said={"input": CODEX["input"][:3]},
    tools={"tools": CODEX["tools"], "tool_choice": "auto"},
    result={
        "input": [item for item in CODEX["input"][:9] if item.get("call_id") != "call_2"],
        "tools": CODEX["tools"],
    },
    asks=(
        Ask("GET", "/v1/models", None, ("data.0.id",)),
        Ask("GET", "/api/tags", None, ("models.0.name",)),
        Ask("GET", "/api/version", None, ("version",)),
    ),
)

CLIENTS = (VS_CODE, CLINE, AI_SDK, ZED, ZED_OPENAI, CONTINUE, ROO, CLAUDE, CODEX_CLI)
