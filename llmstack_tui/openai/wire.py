"""The requests and answers of servers that speak OpenAI's protocol, as far as we read them.

Each has its source: a file of a public repository at a commit, or a page of documentation with its date. All
fields are optional, see `Wire`.
"""

from __future__ import annotations

from llmstack_tui.hosts.decoding import StreamLine, Wire

# --- OpenAI: the API reference, "Models", "Chat", "Completions" and "Embeddings" (2026-11) ---


class SpokenMessage(Wire):
    role: str | None = None
    content: str | None = None


class StreamWish(Wire):
    include_usage: bool | None = None


class _Asking(Wire):
    """The common fields of chat and completions. ``ttl`` is LM Studio's: seconds without a request."""

    model: str | None = None
    stream: bool | None = None
    stream_options: StreamWish | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    stop: object = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    ttl: int | None = None


class ChatCompletion(_Asking):
    """``POST /v1/chat/completions``."""

    messages: list[SpokenMessage] | None = None


class TextCompletion(_Asking):
    """``POST /v1/completions``."""

    prompt: str | None = None


class VectorsRequest(Wire):
    """``POST /v1/embeddings``."""

    model: str | None = None
    input: list[str] | None = None


class CalledFunction(Wire):
    """``arguments`` is a part of a JSON text."""

    name: str | None = None
    arguments: str | None = None


class WireCallPart(Wire):
    """A part of the tool call ``index``; only the first has an id and the function's name."""

    index: int | None = None
    id: str | None = None
    function: CalledFunction | None = None


class WireDelta(Wire):
    """``reasoning_content`` is DeepSeek's, which most servers send; vLLM and LM Studio say ``reasoning``."""

    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None
    tool_calls: list[WireCallPart] | None = None


class WireChoice(Wire):
    """``delta`` in chat, ``text`` in completions."""

    delta: WireDelta | None = None
    text: str | None = None
    finish_reason: str | None = None


class TokenShares(Wire):
    """What is among the counted tokens."""

    cached_tokens: int | None = None
    reasoning_tokens: int | None = None


class CountedTokens(Wire):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: TokenShares | None = None
    completion_tokens_details: TokenShares | None = None


class TokenTimings(Wire):
    """llama-server's own figures: ggml-org/llama.cpp ``tools/server/README.md`` at 00dc805 (2026-11)."""

    cache_n: int | None = None
    prompt_n: int | None = None
    prompt_ms: float | None = None
    predicted_n: int | None = None
    predicted_ms: float | None = None


class PromptProgress(Wire):
    """llama-server's, with ``return_progress`` (as above). ``processed`` has the cached ones, too."""

    total: int | None = None
    cache: int | None = None
    processed: int | None = None


class CompletionEvent(StreamLine):
    """An event of a stream. The last one before ``[DONE]`` has no choices and the usage."""

    model: str | None = None
    prompt_progress: PromptProgress | None = None
    choices: list[WireChoice] | None = None
    usage: CountedTokens | None = None
    timings: TokenTimings | None = None


class WireEmbedding(Wire):
    index: int | None = None
    embedding: tuple[float, ...] | None = None


class VectorsResponse(Wire):
    data: list[WireEmbedding] | None = None
    usage: CountedTokens | None = None


class WireStatus(Wire):
    """The state of a model of llama-server's router; ``args`` is how its process is started."""

    value: str | None = None
    args: list[str] | None = None
    failed: bool | None = None
    exit_code: int | None = None


class WireMeta(Wire):
    """llama-server: ``get_model_info`` in ``tools/server/server-context.cpp`` of build 10488.

    ``size`` is in bytes, of the weights; ``n_ctx`` the context of one request.
    """

    n_ctx: int | None = None
    n_ctx_train: int | None = None
    n_params: int | None = None
    size: int | None = None
    ftype: str | None = None


class ListedEntry(Wire):
    """A model of ``GET /v1/models``. ``owned_by`` tells the program, see `answers.kind_of`.

    ``status`` and ``meta`` are llama-server's, ``max_model_len`` vLLM's (``ModelCard`` in
    ``vllm/entrypoints/openai/engine/protocol.py`` at d7e5252), ``metadata`` Ray Serve's, ``context_length``
    OpenRouter's ("List available models", 2026-11), and the last two Groq's ("Models", 2026-11).
    """

    id: str | None = None
    owned_by: str | None = None
    status: WireStatus | None = None
    meta: WireMeta | None = None
    max_model_len: int | None = None
    metadata: dict[str, object] | None = None
    context_length: int | None = None
    context_window: int | None = None
    max_completion_tokens: int | None = None


class ModelsResponse(Wire):
    """``GET /v1/models``."""

    data: list[ListedEntry] | None = None


# --- llama-server: tools/server of build 10488, and its README.md at 00dc805 (2026-11) ---


class WireGeneration(Wire):
    n_ctx: int | None = None


class PropsResponse(Wire):
    """``GET /props``, which neither wakes a sleeping server nor keeps it awake."""

    role: str | None = None
    build_info: str | None = None
    is_sleeping: bool | None = None
    chat_template: str | None = None
    default_generation_settings: WireGeneration | None = None


class WireSlot(Wire):
    """An item of ``GET /slots``: one request's place."""

    is_processing: bool | None = None


class RoutedModel(Wire):
    """``POST /models/load`` and ``/models/unload`` of the router."""

    model: str | None = None


# --- llama-swap: internal/server/api.go and apigroup.go at 032d741 (2026) ---


class SwapVersion(Wire):
    """``GET /api/version``."""

    version: str | None = None


class WireSwapped(Wire):
    """A process that is not stopped; ``state`` is starting, ready or stopping."""

    model: str | None = None
    state: str | None = None


class RunningResponse(Wire):
    """``GET /running``."""

    running: list[WireSwapped] | None = None


# --- LM Studio: lmstudio-ai/docs, 1_developer/2_rest, at e70f746 and ed3080d (2026, LM Studio 0.4) ---


class WireQuantization(Wire):
    name: str | None = None


class WireInstanceConfig(Wire):
    context_length: int | None = None


class WireInstance(Wire):
    id: str | None = None
    config: WireInstanceConfig | None = None


class WireStudioModel(Wire):
    """A model of LM Studio; ``type`` is "llm" or "embedding"."""

    key: str | None = None
    type: str | None = None
    architecture: str | None = None
    quantization: WireQuantization | None = None
    size_bytes: int | None = None
    params_string: str | None = None
    loaded_instances: list[WireInstance] | None = None
    max_context_length: int | None = None
    format: str | None = None


class StudioResponse(Wire):
    """``GET /api/v1/models``."""

    models: list[WireStudioModel] | None = None


class StudioLoad(Wire):
    """``POST /api/v1/models/load``, which returns when the model is loaded; it has no time to live."""

    model: str | None = None
    context_length: int | None = None


class StudioUnload(Wire):
    """``POST /api/v1/models/unload``."""

    instance_id: str | None = None


class WireOldStudioModel(Wire):
    """A model of LM Studio before 0.4: lmstudio-ai/docs, ``0_app/4_api/2_rest/v0.md`` at 4694b13."""

    id: str | None = None
    type: str | None = None
    arch: str | None = None
    quantization: str | None = None
    compatibility_type: str | None = None
    state: str | None = None
    max_context_length: int | None = None
    loaded_context_length: int | None = None


class OldStudioResponse(Wire):
    """``GET /api/v0/models``."""

    data: list[WireOldStudioModel] | None = None


# --- vLLM and TGI ---


class VersionAnswer(Wire):
    """vLLM's ``GET /version``: docs.vllm.ai, "OpenAI-Compatible Server" (0.12)."""

    version: str | None = None


class InfoResponse(Wire):
    """TGI's ``GET /info``: ``Info`` in ``router/src/lib.rs`` of text-generation-inference at d957e32."""

    version: str | None = None
    model_id: str | None = None
    max_total_tokens: int | None = None
