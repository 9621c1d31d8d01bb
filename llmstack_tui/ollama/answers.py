"""From Ollama's wire forms to the values of `hosts.types`. Pure.

An empty text, or Go's zero time, means that the server does not say. So does a figure that cannot be: what
depends on these values neither overflows nor counts below zero. A name is kept as it is.
"""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from llmstack_tui.base.durations import LATEST, parse_time
from llmstack_tui.base.kinds import HostKind
from llmstack_tui.base.sentences import quoted
from llmstack_tui.base.text import shortened
from llmstack_tui.hosts.decoding import WrongShape, sentences_of
from llmstack_tui.hosts.types import (
    AnswerUsage,
    Chunk,
    Message,
    Model,
    ModelDetails,
    Progress,
    RunningModel,
    ServerVersion,
    TimedAnswer,
)
from llmstack_tui.ollama.wire import WireAnswer, WireDetails, WireMessage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from llmstack_tui.base.sentences import Sentence
    from llmstack_tui.ollama import wire

_BLOB = re.compile(r"sha256[-:]([0-9a-f]{64})\b")
_FROM = re.compile(r"^FROM .*", flags=re.MULTILINE)
# No name of a model has more characters, no server here more models, and no figure is larger.
# What is more, in tokens per second or in seconds, is a mistake.
_FASTEST = 1e6
_LONGEST_NAME, _MOST_INSTALLED, _MOST_RUNNING, _MOST = 1000, 5000, 200, 2**50
_LONGEST_WORD, _MOST_CAPABILITIES = 300, 100

Listed = TypeVar("Listed", bound="wire.WireModel")


def server_version(answer: wire.VersionResponse) -> ServerVersion:
    if not answer.version or answer.build_date is not None:
        raise WrongShape("answer.no_version")
    if answer.engine != "llmstack":
        return ServerVersion(kind=HostKind.OLLAMA, version=shortened(answer.version, _LONGEST_WORD))
    # One that runs since before 0.33.0 was its protocol has only its own.
    own = (answer.engine_version or answer.version).removeprefix("v")
    return ServerVersion(kind=HostKind.BUILTIN, version=shortened(own, _LONGEST_WORD))


def installed(answer: wire.ListResponse) -> tuple[tuple[Model, ...], int]:
    """The models, and how many more the server lists than are taken."""
    named = _named(None if answer.models is None else [*answer.models, *(answer.unusable or ())])
    models = tuple(_model(name, listed) for name, listed in islice(named.items(), _MOST_INSTALLED))
    return models, len(named) - len(models)


def running(answer: wire.ProcessResponse) -> tuple[RunningModel, ...]:
    return tuple(
        RunningModel(
            name=name,
            digest=_digest(loaded.digest),
            size=_count(loaded.size),
            size_vram=_count(loaded.size_vram),
            expires_at=_time(loaded.expires_at),
            context_length=_count(loaded.context_length) or None,
            requests=_count(loaded.requests),
            used_at=_time(loaded.used_at),
            pid=_count(loaded.pid),
            answer=_answer(loaded.answer),
        )
        for name, loaded in islice(_named(answer.models).items(), _MOST_RUNNING)
    )


def details(name: str, answer: wire.ShowResponse) -> ModelDetails:
    """The answer of ``show``. If it has a figure twice, its own field takes precedence over the metadata."""
    fields = answer.details or WireDetails()
    info = answer.model_info or {}
    return ModelDetails(
        name=name,
        modelfile=answer.modelfile or "",
        parameters=answer.parameters or "",
        template=answer.template or "",
        template_notes=(answer.prompt_template and answer.prompt_template.notes) or "",
        system=answer.system or "",
        license=answer.license or "",
        format=_word(fields.format),
        family=_word(fields.family),
        parameter_size=_word(fields.parameter_size),
        quantization=_word(fields.quantization_level),
        context_length=_count(fields.context_length) or _of_architecture(info, "context_length"),
        embedding_length=_count(fields.embedding_length) or _of_architecture(info, "embedding_length"),
        capabilities=_capabilities(answer.capabilities),
        weights_digest=_weights(*_FROM.findall(answer.modelfile or ""), fields.parent_model),
        modified_at=_time(answer.modified_at),
        parent_model=_parent(fields.parent_model),
        remote_host=_word(answer.remote_host),
        remote_model=_word(answer.remote_model),
        messages=tuple(
            Message(role=each.role or "", content=each.content or "") for each in answer.messages or ()
        ),
        info=info,
        projector_info=answer.projector_info or {},
    )


def finished(answer: wire.GenerateResponse) -> None:
    """Check the answer to loading and unloading, which says only that it is done."""
    if not answer.done:
        raise WrongShape("answer.not_done")


def embedded(answer: wire.EmbedResponse) -> tuple[tuple[float, ...], ...]:
    if answer.embeddings is None:
        raise WrongShape("answer.no_embeddings")
    return answer.embeddings


def generated(line: wire.GenerateResponse) -> Chunk:
    return _chunk(line, line.response, line.thinking)


def chatted(line: wire.ChatResponse) -> Chunk:
    message = line.message or WireMessage()
    return _chunk(line, message.content, message.thinking)


def _chunk(line: wire.PromptResponse, text: str | None, thinking: str | None) -> Chunk:
    return Chunk(
        text=text or "",
        thinking=thinking or "",
        done=bool(line.done),
        done_reason=_word(line.done_reason),
        usage=_usage(line),
    )


def progress(line: wire.ProgressResponse) -> Progress:
    return Progress(
        status=_word(line.status) or "",
        digest=_word(line.digest),
        total=_count(line.total),
        completed=_count(line.completed),
    )


def _named(models: Sequence[Listed] | None) -> Mapping[str, Listed]:
    """The models by their names. One without a usable name cannot be asked for, nor the second of a name."""
    if models is None:
        raise WrongShape("answer.no_models")
    named: dict[str, Listed] = {}
    for listed in models:
        name = listed.name or listed.model or ""
        if 0 < len(name) <= _LONGEST_NAME:
            named.setdefault(name, listed)
    if models and not named:
        raise WrongShape("answer.nameless")
    return named


def _model(name: str, listed: wire.WireListedModel) -> Model:
    fields = listed.details or WireDetails()
    remote = _word(listed.remote_host)
    return Model(
        name=name,
        digest=_digest(listed.digest),
        size=None if remote else _count(listed.size),
        modified_at=_time(listed.modified_at),
        format=_word(fields.format),
        family=_word(fields.family),
        parameters=_word(fields.parameter_size),
        quantization=_word(fields.quantization_level),
        context_length=_count(fields.context_length) or None,
        capabilities=_capabilities(listed.capabilities),
        weights_digest=_weights(fields.parent_model),
        remote_host=remote,
        remote_model=_word(listed.remote_model),
        unusable=_reason(listed),
    )


def _count(number: int | None) -> int | None:
    return number if number is not None and 0 <= number <= _MOST else None


def _word(text: str | None) -> str | None:
    """A text of which every model on the screen has one."""
    return shortened(text, _LONGEST_WORD) if text else None


def _reason(listed: wire.WireListedModel) -> Sentence | None:
    why = _word(listed.unusable)
    return quoted(why, sentences_of(listed.sentences)) if why else None


def _digest(text: str | None) -> str:
    return (_word(text) or "").removeprefix("sha256:")


def _weights(*texts: str | None) -> str | None:
    """The digest in the first text that is the path of a blob, as in a Modelfile's FROM."""
    return next((found.group(1) for text in texts if text and (found := _BLOB.search(text))), None)


def _parent(text: str | None) -> str | None:
    """The name of the parent model; None if the field has the path of a blob instead."""
    return _word(text) if text and not _BLOB.search(text) else None


def _answer(last: WireAnswer | None) -> TimedAnswer | None:
    if last is None or (at := _time(last.at)) is None:
        return None
    rate, first_s = last.tokens_per_second or 0, last.first_token_s or 0
    if not 0 < rate < _FASTEST:
        return None
    return TimedAnswer(at, rate, timedelta(seconds=first_s) if 0 < first_s < _FASTEST else None)


def _time(text: str | None) -> datetime | None:
    try:
        time = parse_time(text or "")
    except ValueError:
        return None
    if time.year >= LATEST.year:
        return LATEST
    return time if time.timestamp() > 0 else None


def _capabilities(names: Sequence[str] | None) -> frozenset[str] | None:
    return None if names is None else frozenset(shortened(each, 50) for each in names[:_MOST_CAPABILITIES])


def _of_architecture(info: Mapping[str, object], key: str) -> int | None:
    value = info.get(f"{info.get('general.architecture')}.{key}")
    return _count(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _usage(line: wire.PromptResponse) -> AnswerUsage | None:
    """The figures of the last line; None for loading and unloading."""
    if not line.done or line.total_duration is None:
        return None
    return AnswerUsage(
        total=_nanoseconds(line.total_duration),
        load=_nanoseconds(line.load_duration),
        prompt_tokens=_count(line.prompt_eval_count) or 0,
        prompt=_nanoseconds(line.prompt_eval_duration),
        answer_tokens=_count(line.eval_count) or 0,
        answer=_nanoseconds(line.eval_duration),
    )


def _nanoseconds(count: int | None) -> timedelta:
    return timedelta(microseconds=(_count(count) or 0) / 1000)
