"""From Ollama's wire forms to the values of `hosts.types`. Pure.

An empty text, or Go's zero time, means that the server does not say.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from llmstack_tui.base.durations import parse_time
from llmstack_tui.base.kinds import HostKind
from llmstack_tui.hosts.types import (
    Chunk,
    Message,
    Model,
    ModelDetails,
    Progress,
    RunningModel,
    ServerVersion,
    Usage,
)
from llmstack_tui.ollama.transport import WrongShape
from llmstack_tui.ollama.wire import WireDetails, WireMessage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from llmstack_tui.ollama import wire

_BLOB = re.compile(r"sha256[-:]([0-9a-f]{64})\b")
_FROM = re.compile(r"^FROM .*", flags=re.MULTILINE)
_ZERO_YEAR = 1


def server_version(answer: wire.VersionResponse) -> ServerVersion:
    if not answer.version:
        raise WrongShape("answer.no_version")
    kind = HostKind.BUILTIN if answer.engine == "llmstack" else HostKind.OLLAMA
    return ServerVersion(kind=kind, version=answer.version)


def installed(answer: wire.ListResponse) -> tuple[Model, ...]:
    if answer.models is None:
        raise WrongShape("answer.no_models")
    return tuple(_model(listed) for listed in answer.models)


def running(answer: wire.ProcessResponse) -> tuple[RunningModel, ...]:
    if answer.models is None:
        raise WrongShape("answer.no_models")
    return tuple(
        RunningModel(
            name=_name(loaded),
            digest=_digest(loaded.digest),
            size=loaded.size,
            size_vram=loaded.size_vram,
            expires_at=_time(loaded.expires_at),
            context_length=loaded.context_length or None,
            requests=loaded.requests,
            used_at=_time(loaded.used_at),
            pid=loaded.pid,
        )
        for loaded in answer.models
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
        system=answer.system or "",
        license=answer.license or "",
        format=fields.format or None,
        family=fields.family or None,
        parameter_size=fields.parameter_size or None,
        quantization=fields.quantization_level or None,
        context_length=fields.context_length or _of_architecture(info, "context_length"),
        embedding_length=fields.embedding_length or _of_architecture(info, "embedding_length"),
        capabilities=_capabilities(answer.capabilities),
        weights_digest=_weights(*_FROM.findall(answer.modelfile or ""), fields.parent_model),
        modified_at=_time(answer.modified_at),
        parent_model=_parent(fields.parent_model),
        remote_host=answer.remote_host or None,
        remote_model=answer.remote_model or None,
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
        done_reason=line.done_reason or None,
        usage=_usage(line),
    )


def progress(line: wire.ProgressResponse) -> Progress:
    return Progress(
        status=line.status or "", digest=line.digest or None, total=line.total, completed=line.completed
    )


def _model(listed: wire.WireListedModel) -> Model:
    fields = listed.details or WireDetails()
    remote = listed.remote_host or None
    return Model(
        name=_name(listed),
        digest=_digest(listed.digest),
        size=None if remote else listed.size,
        modified_at=_time(listed.modified_at),
        format=fields.format or None,
        family=fields.family or None,
        parameters=fields.parameter_size or None,
        quantization=fields.quantization_level or None,
        context_length=fields.context_length or None,
        capabilities=_capabilities(listed.capabilities),
        weights_digest=_weights(fields.parent_model),
        remote_host=remote,
        remote_model=listed.remote_model or None,
    )


def _name(listed: wire.WireModel) -> str:
    name = listed.name or listed.model
    if not name:
        raise WrongShape("answer.nameless")
    return name


def _digest(text: str | None) -> str:
    return (text or "").removeprefix("sha256:")


def _weights(*texts: str | None) -> str | None:
    """The digest in the first text that is the path of a blob, as in a Modelfile's FROM."""
    return next((found.group(1) for text in texts if text and (found := _BLOB.search(text))), None)


def _parent(text: str | None) -> str | None:
    """The name of the parent model; None if the field has the path of a blob instead."""
    return text if text and not _BLOB.search(text) else None


def _time(text: str | None) -> datetime | None:
    try:
        time = parse_time(text or "")
    except ValueError:
        return None
    return time if time.year > _ZERO_YEAR else None


def _capabilities(names: Iterable[str] | None) -> frozenset[str] | None:
    return None if names is None else frozenset(names)


def _of_architecture(info: Mapping[str, object], key: str) -> int | None:
    value = info.get(f"{info.get('general.architecture')}.{key}")
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _usage(line: wire.PromptResponse) -> Usage | None:
    """The figures of the last line; None for loading and unloading."""
    if not line.done or line.total_duration is None:
        return None
    return Usage(
        total=_nanoseconds(line.total_duration),
        load=_nanoseconds(line.load_duration),
        prompt_tokens=line.prompt_eval_count or 0,
        prompt=_nanoseconds(line.prompt_eval_duration),
        answer_tokens=line.eval_count or 0,
        answer=_nanoseconds(line.eval_duration),
    )


def _nanoseconds(count: int | None) -> timedelta:
    try:
        return timedelta(microseconds=(count or 0) / 1000)
    except OverflowError:
        raise WrongShape("answer.duration") from None
