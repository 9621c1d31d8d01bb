"""What an unsuccessful answer says: its words, its codes, and when to ask again."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from llmstack_tui.base.connections import retry_after_s
from llmstack_tui.base.sentences import quoted
from llmstack_tui.base.text import excerpt, with_full_stop
from llmstack_tui.hosts.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from llmstack_tui.base.secret import Secret
    from llmstack_tui.base.sentences import Param, Sentences

    WireError = str | Mapping[str, object]

MAX_WAIT_S = 3600.0
"""Seconds; a server that wants a longer wait means a date by another clock."""

_MOST_CODES = 16
_SECONDS = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)s")


def words_of(error: WireError, key: Secret | None = None) -> str:
    """The message of an error, which is an object on ``/v1`` routes. Some repeat the key that was sent."""
    text = error if isinstance(error, str) else str(error.get("message", ""))
    return excerpt(text.replace(key.text, "***") if key and key.text else text)


def told(said: str, sentences: Sentences) -> Param:
    """A server's words as a parameter; with its sentences, if it sent any."""
    text = with_full_stop(said)
    return (quoted(text, sentences),) if said and sentences else text


def refusal(error: WireError, *, status: int | None = None, retry_after: str | None = None) -> Refusal:
    """What the error of an answer says, and its header ``Retry-After`` (seconds, or a date)."""
    codes = tuple(islice((code for part in _parts(error) for code in _codes(part)), _MOST_CODES))
    wait_s = retry_after_s(retry_after, MAX_WAIT_S)
    if wait_s is None:
        wait_s = next((found for part in _parts(error) if (found := _delay_s(part)) is not None), None)
    return Refusal(status=status, codes=codes, retry_after_s=wait_s)


def _parts(error: WireError) -> Iterator[Mapping[str, object]]:
    """The error, and Google's details of it: google/rpc/error_details.proto of googleapis (2026)."""
    if isinstance(error, str):
        return
    yield error
    for detail in _dicts(error.get("details")):
        yield detail
        yield from _dicts(detail.get("violations"))


def _dicts(value: object) -> Iterator[dict[str, object]]:
    yield from (each for each in value if isinstance(each, dict)) if isinstance(value, list) else ()


def _codes(part: Mapping[str, object]) -> Iterator[str]:
    """OpenAI says ``code`` and ``type``, Anthropic ``type``, Google ``status``, ``reason``, ``quotaId``."""
    for name in ("code", "type", "status", "reason", "quotaId"):
        if isinstance(code := part.get(name), str) and code:
            yield excerpt(code)


def _delay_s(part: Mapping[str, object]) -> float | None:
    """Google's ``RetryInfo``."""
    found = _SECONDS.fullmatch(str(part.get("retryDelay", "")))
    return min(float(found[1]), MAX_WAIT_S) if found else None
