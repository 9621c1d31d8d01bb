"""What of a model decides how much memory it takes beside its weights."""

from __future__ import annotations

from msgspec import Struct


class LayerCache(Struct, frozen=True, kw_only=True):
    """What one layer keeps of a context.

    Attributes:
        count: how many layers are like this.
        key, value: elements that it keeps of a token, over all its heads.
        window: tokens that it looks back, None for all.
        state: bytes that it keeps of each slot, however long the context is.
    """

    key: int = 0
    value: int = 0
    window: int | None = None
    state: int = 0
    count: int = 1


class Shape(Struct, frozen=True, kw_only=True):
    """An architecture with its sizes.

    Attributes:
        context_length: tokens that it was trained for; None is unknown.
        width: elements of an embedding; ``hidden`` of what the feed-forward part makes of a token, over all
            experts that are used; ``queries`` over all heads. None is unknown.
        inner: elements that a layer with a state makes of a token; ``mixed`` are those that are mixed with
            the tokens before. 0 where there is no such layer.
        tokens: of the vocabulary; ``merges`` of its tokenizer.
        nodes: of the graph that are set aside for each token of a batch, where those are many.
        embeds: it makes embeddings: a text is computed in one go.
    """

    layers: tuple[LayerCache, ...]
    context_length: int | None = None
    width: int | None = None
    hidden: int | None = None
    queries: int = 0
    inner: int = 0
    mixed: int = 0
    tokens: int = 0
    merges: int = 0
    nodes: int = 0
    embeds: bool = False

    @property
    def keeps(self) -> bool:
        """Whether it keeps anything of a context; one that only reads a text keeps nothing."""
        return any(layer.key or layer.state for layer in self.layers)
