"""What the weights of a model take in memory, from its file or from the size of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.fit.memory import Weights
from llmstack_tui.gguf.repacking import held_twice

if TYPE_CHECKING:
    from llmstack_tui.gguf.header import Header


def weights_of(header: Header, repacked: frozenset[str], *, projector: int = 0) -> Weights:
    """Of a file whose header is known.

    Args:
        repacked: types that the processor has rearranged, empty if a graphics card computes.
        projector: bytes of the file that lets the model see.
    """
    # One that only embeds has no output to use its embeddings for.
    twice = 0 if header.is_embedding else held_twice(header, repacked)
    return Weights(size=header.weights_size, twice=twice, projector=projector)
