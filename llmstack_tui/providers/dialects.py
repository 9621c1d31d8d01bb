"""In what servers of OpenAI's protocol differ, as rules."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from msgspec import Struct

from llmstack_tui.base.address import is_inside, is_ssh
from llmstack_tui.base.kinds import ServerKind

if TYPE_CHECKING:
    from collections.abc import Mapping

_LLAMA = frozenset({ServerKind.LLAMA_SERVER, ServerKind.LLAMA_ROUTER})
_TAKES_TEMPLATE_VALUES = _LLAMA | {ServerKind.VLLM, ServerKind.LLAMA_SWAP}
# OpenAI's API reference (2026-11): these take `max_completion_tokens` alone, and a role for system prompts.
_NEW_MODELS = re.compile(r"^(o\d|gpt-[5-9]|gpt-\d\d)")


class Dialect(Struct, frozen=True, kw_only=True):
    """What one server takes beside what all of them do.

    Attributes:
        is_ours: whether it is asked for its models first, as it is near; a cloud is not.
        is_openai: OpenAI itself.
        takes_more: whether it takes ``top_k``, and thoughts in the messages.
        tells_prefill: whether it takes ``return_progress``: llama-server's README.md at 00dc805 (2026-11).
        has_template_values: whether thinking is switched by ``chat_template_kwargs`` (same; docs.vllm.ai,
            "Reasoning Outputs", 0.12).
    """

    is_ours: bool = False
    is_openai: bool = False
    takes_more: bool = False
    tells_prefill: bool = False
    has_template_values: bool = False

    def limit_name(self, model: str) -> str:
        """The field with the most tokens of an answer."""
        return "max_completion_tokens" if self.is_openai and _NEW_MODELS.match(model) else "max_tokens"

    def effort(self, reasoning: bool | str | None) -> Mapping[str, object]:
        """The fields that say whether to think, and how much."""
        if reasoning is None:
            return {}
        if self.has_template_values:
            words = {"reasoning_effort": reasoning} if isinstance(reasoning, str) else {}
            return {"chat_template_kwargs": {"enable_thinking": bool(reasoning), **words}}
        if isinstance(reasoning, str):
            return {"reasoning_effort": reasoning}
        return {"reasoning_effort": "medium" if reasoning else "none"}


def is_near(url: str) -> bool:
    """Whether a server is on this machine, in this network, or behind SSH."""
    return is_ssh(url) or is_inside(urlsplit(url).hostname or "")


def dialect(url: str, kind: ServerKind) -> Dialect:
    """The dialect of the server at ``url``, which is this program."""
    is_ours = is_near(url) or kind is not ServerKind.OPENAI
    return Dialect(
        is_ours=is_ours,
        is_openai=(urlsplit(url).hostname or "") == "api.openai.com",
        takes_more=is_ours,
        tells_prefill=kind in _LLAMA,
        has_template_values=kind in _TAKES_TEMPLATE_VALUES,
    )


def is_strict(schema: object) -> bool:
    """Whether OpenAI can keep to a schema strictly: each object names all it may have, and wants all of it.

    OpenAI's guide "Structured model outputs" (2026-11).
    """
    if isinstance(schema, list):
        return all(map(is_strict, schema))
    if not isinstance(schema, dict):
        return True
    fields = schema.get("properties")
    if isinstance(fields, dict):
        required = schema.get("required")
        if schema.get("additionalProperties") is not False or set(required or ()) != set(fields):
            return False
        return all(map(is_strict, fields.values())) and is_strict(schema.get("$defs"))
    return schema.get("type") != "object" and all(map(is_strict, schema.values()))
