"""What a test has shown, in sentences. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.base.text import excerpt
from llmstack_tui.editors.rules.requests import MOST_TOKENS
from llmstack_tui.editors.types import Remark

if TYPE_CHECKING:
    from llmstack_tui.base.sentences import Param
    from llmstack_tui.editors.types import Endpoint, Heard, TrialReport

_MOST_SHOWN = 80


def remarks(trial: TrialReport, endpoint: Endpoint) -> tuple[Remark, ...]:
    """The findings, in the order in which they matter."""
    return tuple(_remarks(trial, endpoint))


def works(trial: TrialReport) -> bool:
    """Whether the client can talk with the model."""
    return not trial.failure and not trial.heard.error and trial.heard.is_closed


def _remarks(trial: TrialReport, endpoint: Endpoint) -> Iterator[Remark]:
    heard = trial.heard
    if trial.first_token_s is not None:
        yield Remark(Sentence("editors.first_token", {"time_s": trial.first_token_s}), is_good=True)
    if trial.failure:
        yield from (Remark(sentence, is_good=False) for sentence in trial.failure)
    elif heard.error:
        yield Remark(Sentence("editors.failed_midway", {"said": heard.error}), is_good=False)
    else:
        yield _end(trial)
        yield _tools(trial, endpoint)
    if trial.without_key is not None:
        yield _key(trial.without_key, endpoint)


def _end(trial: TrialReport) -> Remark:
    heard, time = trial.heard, {"time_s": trial.seconds}
    if not heard.is_closed or not heard.is_finished:
        return Remark(Sentence("editors.not_ended", time), is_good=False)
    if heard.was_cut:
        return Remark(Sentence("editors.cut", {**time, "count": MOST_TOKENS}), is_good=None)
    if trial.first_token_s is None:
        return Remark(Sentence("editors.empty", time), is_good=None)
    return Remark(Sentence("editors.ended", time), is_good=True)


def _tools(trial: TrialReport, endpoint: Endpoint) -> Remark:
    heard = trial.heard
    if not trial.had_tools:
        return Remark(Sentence("editors.no_tools", {"model": endpoint.model}), is_good=None)
    if heard.tool:
        kind = "editors.called" if _is_object(heard) else "editors.bad_arguments"
        params = {"tool": heard.tool, "arguments": excerpt(heard.arguments, _MOST_SHOWN)}
        return Remark(Sentence(kind, params), is_good=kind == "editors.called")
    said = excerpt(heard.text, _MOST_SHOWN)
    return Remark(Sentence("editors.not_called" if said else "editors.silent", {"said": said}), is_good=None)


def _is_object(heard: Heard) -> bool:
    try:
        return isinstance(msgspec.json.decode(heard.arguments), Mapping)
    except (ValueError, RecursionError):
        return False


def _key(status: int, endpoint: Endpoint) -> Remark:
    about: dict[str, Param] = {"host": endpoint.url, "status": status}
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return Remark(Sentence("editors.key_needed", about), is_good=True)
    return Remark(Sentence("editors.key_not_needed", about), is_good=False)
