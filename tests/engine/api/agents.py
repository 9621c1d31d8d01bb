"""What agents send, in short: Claude Code to ``/v1/messages`` and Codex to ``/v1/responses``.

After the public documents of both APIs, what Claude Code 2.1.197 and Codex 0.171.0 sent to this engine, and
requests of both that are shown in issues (ggml-org/llama.cpp#20623 and #21174, ollama/ollama#17618).
"""

from __future__ import annotations

from typing import Any

PARAMETERS = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {"a": {"type": "integer", "description": "A number."}},
    "required": ["a"],
    "additionalProperties": False,
}
EPHEMERAL = {"type": "ephemeral", "ttl": "1h"}

CLAUDE_CODE: dict[str, Any] = {
    "model": "caller",
    "max_tokens": 32000,
    "temperature": 0,
    "stream": True,
    "system": [
        {"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1.37.0d9; cch=fa690;"},
        {"type": "text", "text": "You are an agent.", "cache_control": EPHEMERAL},
        {"type": "text", "text": "Be brief.", "cache_control": EPHEMERAL},
    ],
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "<system-reminder>Today is Monday.</system-reminder>"},
                {"type": "text", "text": "Add.", "cache_control": EPHEMERAL},
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Add what?", "signature": ""},
                {"type": "text", "text": "I add."},
                {"type": "tool_use", "id": "toolu_1", "name": "add", "input": {"a": 1}, "caller": None},
                {"type": "tool_use", "id": "toolu_2", "name": "add", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "content": "1", "is_error": False},
                {
                    "type": "tool_result",
                    "tool_use_id": "toolu_2",
                    "content": [{"type": "text", "text": "2", "cache_control": EPHEMERAL}],
                },
                {"type": "text", "text": "And now?"},
            ],
        },
        {"role": "system", "content": "Agents: none."},
    ],
    "tools": [
        {
            "name": "add",
            "description": "Adds.",
            "input_schema": PARAMETERS,
            "cache_control": EPHEMERAL,
            "eager_input_streaming": True,
        },
        {"type": "web_search_20250305", "name": "web_search", "max_uses": 8},
    ],
    "tool_choice": {"type": "auto", "disable_parallel_tool_use": False},
    "thinking": {"type": "adaptive"},
    "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
    "output_config": {"effort": "high"},
    "metadata": {"user_id": "user_1"},
    "stop_sequences": [],
    "betas": ["claude-code-20250219"],
    "service_tier": "auto",
}

CODEX: dict[str, Any] = {
    "model": "caller",
    "instructions": "You are a coding agent.",
    "temperature": 0,
    "input": [
        {
            "type": "message",
            "role": "developer",
            "content": [{"type": "input_text", "text": "<permissions>All.</permissions>"}],
        },
        {
            "type": "message",
            "role": "user",
            "content": [{"type": "input_text", "text": "<environment_context/>"}],
        },
        {"role": "user", "content": "Add."},
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "Add what?"}],
            "content": None,
            "encrypted_content": "gAAAA",
        },
        {
            "type": "message",
            "id": "msg_1",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "I add.", "annotations": [], "logprobs": []}],
        },
        {
            "type": "function_call",
            "id": "fc_1",
            "call_id": "call_1",
            "name": "add",
            "namespace": None,
            "arguments": '{"a":1}',
        },
        {"type": "custom_tool_call", "call_id": "call_2", "name": "apply_patch", "input": "*** Begin Patch"},
        {"type": "function_call_output", "call_id": "call_1", "output": "1"},
        {
            "type": "custom_tool_call_output",
            "call_id": "call_2",
            "output": [{"type": "input_text", "text": "Done"}],
        },
        {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search"}},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "And now?"}]},
    ],
    "tools": [
        {"type": "function", "name": "add", "description": None, "strict": False, "parameters": PARAMETERS},
        {
            "type": "custom",
            "name": "apply_patch",
            "description": "Edits files.",
            "format": {"type": "grammar", "syntax": "lark", "definition": "start: 'x'"},
        },
        {
            "type": "namespace",
            "name": "mcp",
            "description": "Of a server.",
            "tools": [{"type": "function", "name": "look", "parameters": {"type": "object"}}],
        },
        {"type": "web_search", "external_web_access": False},
        {"type": "local_shell"},
    ],
    "tool_choice": "auto",
    "parallel_tool_calls": True,
    "reasoning": {"effort": "medium", "summary": "auto"},
    "store": False,
    "stream": True,
    "include": ["reasoning.encrypted_content"],
    "prompt_cache_key": "0198",
    "text": {"verbosity": "low"},
    "client_metadata": {"x": "y"},
    "service_tier": None,
}
