"""Embeddings of texts: each text is truncated to the context."""

from __future__ import annotations

import logging
import math
import time
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.engine.errors import ApiError, UpstreamError
from llmstack_tui.engine.inference import prompt
from llmstack_tui.engine.service import Engine, ModelSession, keep_alive_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmstack_tui.ollama.wire import WireEmbedRequest

log = logging.getLogger(__name__)

# Most models add a special token before the text and one after it.
_SPECIAL_TOKENS = 2
# The beginning is Ollama's.
_NO_NUMBERS = "embedding contains NaN or Inf values: the model's file is broken, get another one"
_TOO_LONG = "the input length exceeds the context length"


class Embeddings(Struct, frozen=True, kw_only=True):
    """A vector for each text. ``tokens`` is the sum over all texts."""

    vectors: list[list[float]]
    tokens: int
    total_ns: int
    load_ns: int


async def embed(engine: Engine, request: WireEmbedRequest, *, normalized: bool = True) -> Embeddings:
    """The embeddings of the request's texts. Without any, or for an empty text, the model is only loaded.

    Args:
        normalized: bring each vector to length one.

    Raises:
        ApiError: the request is refused, or failed.
    """
    since = time.monotonic_ns()
    keep_alive = keep_alive_of(request.keep_alive)
    target = await engine.find(request.model)
    texts = [request.input] if isinstance(request.input, str) and request.input else request.input or []
    async with engine.use(target, options=request.options, keep_alive=keep_alive, embedding=True) as session:
        vectors: list[list[float]] = []
        tokens = 0
        if texts:
            vectors, tokens = await _vectors(session, texts, truncate=request.truncate is not False)
        vectors = [vector[: max(request.dimensions or 0, 0) or None] for vector in vectors]
        return Embeddings(
            vectors=[_normalized(vector) for vector in vectors] if normalized else vectors,
            tokens=tokens,
            total_ns=time.monotonic_ns() - since,
            load_ns=session.load_ns,
        )


async def _vectors(
    session: ModelSession, texts: Sequence[str], *, truncate: bool
) -> tuple[list[list[float]], int]:
    asked = session.options.num_ctx
    context = session.context_length if asked is None else min(asked, session.context_length)
    most = context - _SPECIAL_TOKENS
    if most <= 0:
        raise ApiError(400, "input after truncation exceeds maximum context length")
    # llama.cpp takes more than a short context: it rounds the length up.
    cut = [await _truncated(session, text, most, above=context) for text in texts]
    if not truncate and cut != [*texts]:
        raise ApiError(400, _TOO_LONG)
    try:
        return await _ask(session, cut)
    except UpstreamError as error:
        if "" in texts and error.status == 400:
            # Only with models that begin each text with a token of their own it is more than nothing.
            raise ApiError(400, "An empty text has no embedding with this model: leave it out.") from None
        if not _is_too_long(error):
            raise
        if not truncate:
            raise ApiError(400, _TOO_LONG) from error
    log.info("A text longer than %d tokens is truncated", most)
    return await _ask(session, [await _truncated(session, text, most, above=most) for text in texts])


async def _ask(session: ModelSession, texts: Sequence[str]) -> tuple[list[list[float]], int]:
    answer = await session.runner.call("/v1/embeddings", {"input": list(texts), "embd_normalize": -1})
    found = sorted(answer["data"], key=lambda entry: int(entry["index"]))
    vectors = [list(entry["embedding"]) for entry in found]
    if any(None in vector for vector in vectors):
        raise ApiError(400, _NO_NUMBERS)  # JSON has null for what is no number.
    return vectors, int(answer["usage"]["prompt_tokens"])


async def _truncated(session: ModelSession, text: str, most: int, *, above: int) -> str:
    """The first ``most`` tokens of a text that has more than ``above``."""
    # A token is at least one byte.
    if len(text.encode()) <= above:
        return text
    tokens = await prompt.tokenize(session.runner, text)
    return text if len(tokens) <= above else await prompt.detokenize(session.runner, tokens[:most])


def _is_too_long(error: UpstreamError) -> bool:
    return error.kind == prompt.TOO_LONG or "too large to process" in str(error)


def _normalized(vector: list[float]) -> list[float]:
    length = math.hypot(*vector)
    if not math.isfinite(length):
        raise ApiError(400, _NO_NUMBERS)
    return [value / length for value in vector] if length else vector
