"""The requests and responses of Ollama's HTTP API, for clients and servers.

Names and meanings are those of Ollama's ``api/types.go``; responses have only the fields that we read. Every
field is optional, and ``None`` means absent: a JSON ``null`` decodes to it, and it is left out on encoding.
Any other value is sent, an empty or false one, too. Unknown fields are ignored. Durations are integers of
nanoseconds, times are RFC 3339 text. Digests of models are bare hexadecimal; those of blobs and layers begin
with ``sha256:``.
"""

from __future__ import annotations

from msgspec import field

from llmstack_tui.hosts.decoding import StreamLine, Wire


class WireToolFunction(Wire):
    index: int | None = None
    name: str | None = None
    arguments: dict[str, object] | None = None


class WireToolCall(Wire):
    id: str | None = None
    function: WireToolFunction | None = None


class WireMessage(Wire):
    role: str | None = None
    content: str | None = None
    thinking: str | None = None
    images: list[str] | None = None
    tool_calls: list[WireToolCall] | None = None
    tool_name: str | None = None
    tool_call_id: str | None = None


class WireDetails(Wire):
    parent_model: str | None = None
    format: str | None = None
    family: str | None = None
    parameter_size: str | None = None
    quantization_level: str | None = None
    context_length: int | None = None
    embedding_length: int | None = None


class _LoadingRequest(Wire):
    """The common fields of requests that load a model."""

    model: str | None = None
    keep_alive: str | int | float | None = None
    options: dict[str, object] | None = None


class _PromptRequest(_LoadingRequest):
    """The common fields of generate and chat."""

    stream: bool | None = None
    format: str | dict[str, object] | None = None
    think: bool | str | None = None
    truncate: bool | None = None
    shift: bool | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    prefill: bool | None = None
    """Only the built-in engine knows it: whether lines tell how far the prompt has been read."""


class GenerateRequest(_PromptRequest):
    """``POST /api/generate``. Without a prompt it loads the model, or with ``keep_alive`` 0 unloads it."""

    prompt: str | None = None
    suffix: str | None = None
    system: str | None = None
    template: str | None = None
    context: list[int] | None = None
    raw: bool | None = None
    images: list[str] | None = None


class WireChatRequest(_PromptRequest):
    """``POST /api/chat``."""

    messages: list[WireMessage] | None = None
    tools: list[dict[str, object]] | None = None


class WireEmbedRequest(_LoadingRequest):
    """``POST /api/embed``. Without ``input`` it loads the model."""

    input: str | list[str] | None = None
    truncate: bool | None = None
    dimensions: int | None = None


class EmbeddingRequest(_LoadingRequest):
    """``POST /api/embeddings``, the older form of embed."""

    prompt: str | None = None


class _NamingRequest(Wire):
    """``name`` is the older word for ``model``."""

    model: str | None = None
    name: str | None = None


class ShowRequest(_NamingRequest):
    """``POST /api/show``."""

    verbose: bool | None = None


class PullRequest(_NamingRequest):
    """``POST /api/pull``."""

    insecure: bool | None = None
    stream: bool | None = None


class PushRequest(PullRequest):
    """``POST /api/push``."""


class CreateRequest(_NamingRequest):
    """``POST /api/create``. ``files`` and ``adapters`` map file names to digests of blobs sent before.

    ``quantization`` is the older word for ``quantize``; a model with a ``remote_host`` runs there.
    """

    stream: bool | None = None
    quantize: str | None = None
    quantization: str | None = None
    remote_host: str | None = None
    renderer: str | None = None
    parser: str | None = None
    requires: str | None = None
    from_: str | None = field(default=None, name="from")
    files: dict[str, str] | None = None
    adapters: dict[str, str] | None = None
    template: str | None = None
    license: str | list[str] | None = None
    system: str | None = None
    parameters: dict[str, object] | None = None
    messages: list[WireMessage] | None = None


class ImportRequest(Wire):
    """``POST /api/import``, only of the built-in engine: make ``model`` from the GGUF file at ``path``."""

    model: str | None = None
    path: str | None = None


class CopyRequest(Wire):
    """``POST /api/copy``."""

    source: str | None = None
    destination: str | None = None


class DeleteRequest(_NamingRequest):
    """``DELETE /api/delete``."""


class VersionResponse(Wire):
    """``GET /api/version``.

    ``engine`` is "llmstack" from the built-in engine and absent from Ollama. Its ``version`` is that of the
    Ollama whose protocol it keeps, and ``engine_version`` its own. llama-swap, which does not speak this
    protocol, answers here, too, with a ``build_date``.
    """

    version: str | None = None
    engine: str | None = None
    engine_version: str | None = None
    build_date: str | None = None


class WireModel(Wire):
    """The common fields of installed and of running models."""

    name: str | None = None
    model: str | None = None
    size: int | None = None
    digest: str | None = None


class WireListedModel(WireModel):
    details: WireDetails | None = None
    remote_model: str | None = None
    unusable: str | None = None
    sentences: list[object] | None = None
    remote_host: str | None = None
    modified_at: str | None = None
    capabilities: list[str] | None = None


class ListResponse(Wire):
    """``GET /api/tags``. The built-in engine lists what is there and cannot be used as ``unusable``.

    It says why as text and as ``sentences``.
    """

    models: list[WireListedModel] | None = None
    unusable: list[WireListedModel] | None = None


class WireAnswer(Wire):
    """The last answer of a model: when it ended, and how fast it was."""

    at: str | None = None
    tokens_per_second: float | None = None
    first_token_s: float | None = None


class WireRunningModel(WireModel):
    """Only the built-in engine sends the last four.

    ``requests`` are in flight, ``used_at`` is the end of the last one, and ``answer`` how fast it was.
    """

    expires_at: str | None = None
    size_vram: int | None = None
    context_length: int | None = None
    requests: int | None = None
    used_at: str | None = None
    pid: int | None = None
    answer: WireAnswer | None = None


class ProcessResponse(Wire):
    """``GET /api/ps``."""

    models: list[WireRunningModel] | None = None


class WireTemplate(Wire):
    """Which template answers; only the built-in engine sends it. ``notes``: why another one does not."""

    source: str | None = None
    name: str | None = None
    notes: str | None = None


class ShowResponse(Wire):
    """``POST /api/show``."""

    license: str | None = None
    modelfile: str | None = None
    parameters: str | None = None
    template: str | None = None
    system: str | None = None
    details: WireDetails | None = None
    messages: list[WireMessage] | None = None
    remote_model: str | None = None
    remote_host: str | None = None
    model_info: dict[str, object] | None = None
    projector_info: dict[str, object] | None = None
    capabilities: list[str] | None = None
    modified_at: str | None = None
    prompt_template: WireTemplate | None = None


class WirePrefill(Wire):
    """How many of the prompt's tokens have been read; ``cached`` ones had been before."""

    read: int | None = None
    total: int | None = None
    cached: int | None = None


class PromptResponse(StreamLine):
    """The common fields of answers to generate and chat. The figures come with the last line."""

    model: str | None = None
    prefill: WirePrefill | None = None
    done: bool | None = None
    done_reason: str | None = None
    total_duration: int | None = None
    load_duration: int | None = None
    prompt_eval_count: int | None = None
    prompt_eval_duration: int | None = None
    eval_count: int | None = None
    eval_duration: int | None = None


class GenerateResponse(PromptResponse):
    """A line of ``/api/generate``."""

    response: str | None = None
    thinking: str | None = None


class ChatResponse(PromptResponse):
    """A line of ``/api/chat``."""

    message: WireMessage | None = None


class EmbedResponse(Wire):
    """``POST /api/embed``."""

    embeddings: tuple[tuple[float, ...], ...] | None = None
    prompt_eval_count: int | None = None


class ProgressResponse(StreamLine):
    """A line of pull, create and import; the last one of a success has the status "success"."""

    status: str | None = None
    digest: str | None = None
    total: int | None = None
    completed: int | None = None
