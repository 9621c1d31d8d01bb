"""From the wire forms of OpenAI-speaking servers to the values of `hosts.types`. Pure.

What a server does not say is None. A name is kept as it is.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from llmstack_tui.base.kinds import ServerKind
from llmstack_tui.base.text import shortened
from llmstack_tui.base.units import parameters_text
from llmstack_tui.hosts.decoding import WrongShape
from llmstack_tui.hosts.types import AnswerUsage, Chunk, Model, ModelDetails, RunningModel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from llmstack_tui.openai import wire

# No name of a model has more characters, no server here more models, and no figure is larger.
_LONGEST_NAME, _LONGEST_WORD, _MOST_MODELS, _MOST_RUNNING, _MOST = 1000, 300, 5000, 200, 2**50
_EMBEDS, _COMPLETES = frozenset({"embedding"}), frozenset({"completion"})
# Router, llama-swap: a model in these states takes memory; one that is being loaded is not ready yet.
_LOADED, READY, _STOPPING = "loaded", "ready", "stopping"
_SLEEP = "--sleep-idle-seconds"
_OWNERS = {
    "llamacpp": ServerKind.LLAMA_SERVER,
    "llama-swap": ServerKind.LLAMA_SWAP,
    "vllm": ServerKind.VLLM,
    "organization_owner": ServerKind.LM_STUDIO,
}
# Ray Serve: ``to_model_metadata`` in its ``llm/_internal/serve``; others say that they are this owner, too.
_RAY_OWNER, _RAY_KEY = "organization-owner", "model_id"

Listed = TypeVar("Listed")


def kind_of(answer: wire.ModelsResponse) -> ServerKind:
    """Which program lists its models so.

    Most say it as the owner of a model; TGI gives a model its own name for one.
    """
    if answer.data is None:
        raise WrongShape("answer.no_models")
    for listed in answer.data:
        if listed.owned_by == "llamacpp" and listed.status is not None:
            return ServerKind.LLAMA_ROUTER
        if listed.owned_by in _OWNERS:
            return _OWNERS[listed.owned_by]
        if listed.owned_by == _RAY_OWNER and _RAY_KEY in (listed.metadata or ()):
            return ServerKind.RAY_SERVE
        if listed.id and listed.owned_by == listed.id:
            return ServerKind.TGI
    return ServerKind.OPENAI


def named(
    listed: Sequence[Listed] | None, name: Callable[[Listed], str | None]
) -> tuple[Mapping[str, Listed], int]:
    """The models by their names, and how many more there are than are taken.

    One without a usable name cannot be asked for, nor the second of a name.
    """
    if listed is None:
        raise WrongShape("answer.no_models")
    found: dict[str, Listed] = {}
    for each in listed:
        text = name(each) or ""
        if 0 < len(text) <= _LONGEST_NAME:
            found.setdefault(text, each)
    if listed and not found:
        raise WrongShape("answer.nameless")
    kept = dict(list(found.items())[:_MOST_MODELS])
    return kept, len(found) - len(kept)


def model(name: str, listed: wire.ListedEntry, *, remote: str | None = None) -> Model:
    """A model of ``/v1/models``; ``remote`` is the host of one that runs elsewhere."""
    meta = listed.meta
    parameters = count(meta.n_params) if meta else None
    return Model(
        name=name,
        digest="",
        size=count(meta.size) if meta else None,
        format="gguf" if listed.owned_by == "llamacpp" else None,
        parameters=parameters_text(parameters) if parameters else None,
        quantization=_word(meta.ftype) if meta else None,
        context_length=count(meta.n_ctx_train if meta else listed.max_model_len) or None,
        remote_host=remote,
    )


def studio_model(name: str, listed: wire.WireStudioModel) -> Model:
    return Model(
        name=name,
        digest="",
        size=count(listed.size_bytes),
        format=_word(listed.format),
        family=_word(listed.architecture),
        parameters=_word(listed.params_string),
        quantization=_word(listed.quantization.name) if listed.quantization else None,
        context_length=count(listed.max_context_length) or None,
        capabilities=_EMBEDS if listed.type == "embedding" else _COMPLETES,
    )


def old_studio_model(name: str, listed: wire.WireOldStudioModel) -> Model:
    return Model(
        name=name,
        digest="",
        format=_word(listed.compatibility_type),
        family=_word(listed.arch),
        quantization=_word(listed.quantization),
        context_length=count(listed.max_context_length) or None,
        capabilities=_EMBEDS if listed.type == "embeddings" else _COMPLETES,
    )


def informed(answer: wire.InfoResponse) -> tuple[Model, ...]:
    """TGI's one model."""
    if not answer.model_id:
        raise WrongShape("answer.no_models")
    context_length = count(answer.max_total_tokens) or None
    return (Model(name=shortened(answer.model_id, _LONGEST_NAME), digest="", context_length=context_length),)


def served(models: Iterable[Model]) -> tuple[RunningModel, ...]:
    """The models of a server that has loaded whatever it lists."""
    return tuple(running(each.name, each.context_length) for each in list(models)[:_MOST_RUNNING])


def running(name: str, context_length: int | None = None, requests: int | None = None) -> RunningModel:
    """A loaded model. None of these servers tells how much memory it takes."""
    return RunningModel(name=name, digest="", context_length=count(context_length) or None, requests=requests)


def routed(models: Mapping[str, wire.ListedEntry]) -> tuple[RunningModel, ...]:
    """The loaded models of llama-server's router; one that sleeps has given its memory back."""
    found = [(name, each) for name, each in models.items() if state(each) == _LOADED]
    return tuple(running(name, each.meta.n_ctx if each.meta else None) for name, each in found)


def may_sleep(listed: wire.ListedEntry) -> bool:
    """Whether the process of a model gives its memory back after a while without a request."""
    return _SLEEP in ((listed.status and listed.status.args) or ())


def state(listed: wire.ListedEntry) -> str:
    return (listed.status and listed.status.value) or ""


def swapped(answer: wire.RunningResponse, *states: str) -> tuple[RunningModel, ...]:
    """The models of llama-swap that are ready, or on their way out, or in one of these states."""
    if answer.running is None:
        raise WrongShape("answer.no_models")
    taken = states or (READY, _STOPPING)
    names = (each.model for each in answer.running if each.model and each.state in taken)
    return tuple(running(name) for name in list(names)[:_MOST_RUNNING])


def studio_running(models: Mapping[str, wire.WireStudioModel]) -> tuple[RunningModel, ...]:
    """The loaded models of LM Studio, one for all instances of a model."""
    first = ((name, each.loaded_instances[0]) for name, each in models.items() if each.loaded_instances)
    return tuple(
        running(name, instance.config.context_length if instance.config else None) for name, instance in first
    )


def old_studio_running(models: Mapping[str, wire.WireOldStudioModel]) -> tuple[RunningModel, ...]:
    loaded = [(name, each) for name, each in models.items() if each.state == "loaded"]
    return tuple(running(name, each.loaded_context_length) for name, each in loaded)


def details(of: Model, template: str = "") -> ModelDetails:
    return ModelDetails(
        name=of.name,
        template=template,
        format=of.format,
        family=of.family,
        parameter_size=of.parameters,
        quantization=of.quantization,
        context_length=of.context_length,
        capabilities=of.capabilities,
        remote_host=of.remote_host,
    )


class Answering:
    """Puts the events of one answer together.

    Args:
        began_s: monotonic seconds of the request; the same clock counts in `heard` and `last`.
    """

    def __init__(self, began_s: float) -> None:
        self._began_s = began_s
        self._first_s: float | None = None
        self._reason: str | None = None
        self._usage: wire.CountedTokens | None = None
        self._timings: wire.TokenTimings | None = None

    def heard(self, event: wire.CompletionEvent, now_s: float) -> Chunk | None:
        """The piece of text in an event, if it has one."""
        self._usage, self._timings = event.usage or self._usage, event.timings or self._timings
        if not event.choices:
            return None
        choice = event.choices[0]
        self._reason = choice.finish_reason or self._reason
        delta = choice.delta
        text = (delta.content if delta else choice.text) or ""
        thinking = (delta and (delta.reasoning_content or delta.reasoning)) or ""
        if not text and not thinking:
            return None
        if self._first_s is None:
            self._first_s = now_s
        return Chunk(text=text, thinking=thinking)

    @property
    def is_complete(self) -> bool:
        """Whether the server has said why the answer ends."""
        return self._reason is not None

    def last(self, now_s: float) -> Chunk:
        return Chunk(text="", done=True, done_reason=_word(self._reason), usage=self._used(now_s))

    def _used(self, now_s: float) -> AnswerUsage | None:
        """What the answer took: as the server timed it, else as it was seen here."""
        timings, usage = self._timings, self._usage
        total = timedelta(seconds=now_s - self._began_s)
        if timings is not None:
            return AnswerUsage(
                total=total,
                load=timedelta(0),
                prompt_tokens=count(timings.prompt_n) or 0,
                prompt=_milliseconds(timings.prompt_ms),
                answer_tokens=count(timings.predicted_n) or 0,
                answer=_milliseconds(timings.predicted_ms),
            )
        if usage is None or self._first_s is None:
            return None
        prompt = timedelta(seconds=self._first_s - self._began_s)
        return AnswerUsage(
            total=total,
            load=timedelta(0),
            prompt_tokens=count(usage.prompt_tokens) or 0,
            prompt=prompt,
            answer_tokens=count(usage.completion_tokens) or 0,
            answer=total - prompt,
        )


def embeddings(answer: wire.VectorsResponse) -> tuple[tuple[float, ...], ...]:
    """The vectors, in the order of the texts."""
    if answer.data is None or any(each.embedding is None for each in answer.data):
        raise WrongShape("answer.no_embeddings")
    in_order = sorted(answer.data, key=lambda each: each.index or 0)
    return tuple(each.embedding for each in in_order if each.embedding is not None)


def count(number: int | None) -> int | None:
    return number if number is not None and 0 <= number <= _MOST else None


def version(text: str | None) -> str:
    return shortened(text or "", _LONGEST_WORD)


def _word(text: str | None) -> str | None:
    return shortened(text, _LONGEST_WORD) if text else None


def _milliseconds(number: float | None) -> timedelta:
    return timedelta(milliseconds=min(max(number or 0.0, 0.0), _MOST))
