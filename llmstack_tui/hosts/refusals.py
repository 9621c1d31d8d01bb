"""What an unsuccessful answer says: its words, its codes, and when to ask again."""

from __future__ import annotations

import re
from http import HTTPStatus
from itertools import islice
from typing import TYPE_CHECKING

from llmstack_tui.base.connections import retry_after_s
from llmstack_tui.base.sentences import quoted
from llmstack_tui.base.text import excerpt, with_full_stop
from llmstack_tui.hosts.decoding import ErrorResponse, StreamLine, WrongShape, decode, sentences_of
from llmstack_tui.hosts.errors import BadStream, HostError, NotFound, Refusal, Refused, ServerError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from llmstack_tui.base.secret import Secret
    from llmstack_tui.base.sentences import Param, Sentences

    WireError = str | Mapping[str, object]

MAX_WAIT_S = 3600.0
"""Seconds; a server that wants a longer wait means a date by another clock."""

_MOST_CODES = 16
_SECONDS = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)s")


def status_error(
    status: int,
    content: bytes,
    *,
    host: str,
    missing: str,
    not_it: str,
    key: Secret | None,
    retry_after: str | None,
) -> HostError:
    """The error for an answer with an unsuccessful status.

    Args:
        missing: the model that is missing if it is a 404.
        not_it: the kind of the question that follows an answer that was not understood.
        key: that was sent.
        retry_after: the header ``Retry-After``: seconds, or a date.
    """
    try:
        body = decode(content, ErrorResponse)
    except (WrongShape, ValueError, RecursionError):
        body = ErrorResponse()
    wire = body.error or body.message or body.detail or ""
    said, sentences = _words_of(wire, key), sentences_of(body.sentences)
    error: HostError
    if status == 404 and (said or not content):
        kind = "host.no_model" if missing else "host.has_it_not"
        error = NotFound(kind, host=host, model=missing, detail=said)
    elif status >= 500 and status != HTTPStatus.NOT_IMPLEMENTED:
        error = _failed(said, sentences, host, status)
    elif 300 <= status < 400:
        error = BadStream("answer.redirect", host=host, hint=not_it)
    elif status == HTTPStatus.UNAUTHORIZED and key is not None:
        error = Refused("host.wrong_key", host=host, detail=said)
    elif status < 400 or (status == 404 and content.lstrip()[:1] == b"<"):
        error = BadStream("answer.status", host=host, hint=not_it, status=status)
    else:
        kind = "host.refused" if said else "host.refused_with_status"
        hint = "host.name_its_key" if status == HTTPStatus.UNAUTHORIZED else ""
        told = _told(said, sentences)
        error = Refused(kind, host=host, said=told, status=status, detail=said, hint=hint)
    error.refusal = _refusal(wire, status=status, retry_after=retry_after)
    return error


def line_error(line: StreamLine, *, host: str, key: Secret | None) -> HostError:
    """The error that a line or an event of a stream has."""
    wire = line.error or ""
    error = _failed(_words_of(wire, key), sentences_of(line.sentences), host)
    error.refusal = _refusal(wire)
    return error


def _failed(said: str, sentences: Sentences, host: str, status: int | None = None) -> HostError:
    kind = "host.failed" if said or status is None else "host.failed_with_status"
    detail = said or ("" if status is None else f"status {status}")
    return ServerError(kind, host=host, said=_told(said, sentences), status=status, detail=detail)


def _words_of(error: WireError, key: Secret | None) -> str:
    """The message of an error, which is an object on ``/v1`` routes. Some repeat the key that was sent."""
    text = error if isinstance(error, str) else str(error.get("message", ""))
    return excerpt(text.replace(key.text, "***") if key and key.text else text)


def _told(said: str, sentences: Sentences) -> Param:
    """A server's words as a parameter; with its sentences, if it sent any."""
    text = with_full_stop(said)
    return (quoted(text, sentences),) if said and sentences else text


def _refusal(error: WireError, *, status: int | None = None, retry_after: str | None = None) -> Refusal:
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
