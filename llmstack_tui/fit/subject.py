"""What is asked about: the weights and the shape of a model, from what is at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.fit.memory import Subject, Weights
from llmstack_tui.fit.metadata import shape_of
from llmstack_tui.gguf.repacking import held_twice

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmstack_tui.gguf.header import Header

# Models with a larger share of their weights in the embeddings use them as the output, too.
_TIED_SHARE = 0.09
_BITS = {"Q4_0": 4.5, "Q4_K": 4.5, "IQ4_NL": 4.5, "MXFP4": 4.25, "Q8_0": 8.5}


def of_header(header: Header, repacked: frozenset[str] = frozenset(), *, projector: int = 0) -> Subject:
    """Of a file whose header is known.

    Args:
        repacked: types that the processor has rearranged, empty if a graphics card computes.
        projector: bytes of the file that lets the model see.
    """
    # One that only embeds has no output to use its embeddings for.
    twice = 0 if header.is_embedding else held_twice(header, repacked)
    weights = Weights(size=header.weights_size, twice=twice, projector=projector)
    return Subject(weights=weights, shape=shape_of(header.metadata))


def of_metadata(
    metadata: Mapping[str, object],
    size: int | None,
    *,
    quantization: str | None = None,
    repacked: frozenset[str] = frozenset(),
) -> Subject:
    """Of a server's answer: the metadata of the file, and bytes of the model on disk."""
    shape = shape_of(metadata) if metadata else None
    if not size or size < 0:
        return Subject(shape=shape)
    twice = 0
    if shape is not None and shape.width and quantization in repacked and quantization in _BITS:
        embeddings = int(shape.tokens * shape.width * _BITS[quantization] / 8)
        twice = embeddings if size * _TIED_SHARE < embeddings < size else 0
    return Subject(weights=Weights(size=size, twice=twice), shape=shape)
