"""Calls of tools: what a model wrote as arguments, as values."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import msgspec

from llmstack_tui.providers.types import ToolCall

if TYPE_CHECKING:
    from collections.abc import Mapping

_OURS = "call_llmstack_"


def tool_call(
    name: str, written: str | Mapping[str, object], *, call_id: str = "", signature: str = ""
) -> ToolCall:
    """A call; its arguments may be a text, which should be a JSON object. Without an id, it gets one."""
    arguments = _arguments(written or "{}") if isinstance(written, str) else written
    return ToolCall(
        id=call_id or f"{_OURS}{uuid4().hex[:12]}",
        name=name,
        arguments=arguments,
        written=written if isinstance(written, str) else msgspec.json.encode(written).decode(),
        signature=signature,
    )


def is_ours(call_id: str) -> bool:
    """Whether the id of a call was made here, so that the provider does not know it."""
    return call_id.startswith(_OURS)


def _arguments(written: str) -> dict[str, object] | None:
    try:
        return msgspec.json.decode(written, type=dict[str, object])
    except (msgspec.DecodeError, RecursionError):
        return None
