"""The entries of the catalog. Every figure names its source."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct, field

from llmstack_tui.base.languages import later
from llmstack_tui.base.names import ModelName
from llmstack_tui.base.structs import replace

if TYPE_CHECKING:
    from datetime import datetime


class Use(StrEnum):
    """What a model is good for."""

    GENERAL = later("general")
    CODE = later("code")
    REASONING = later("reasoning")
    VISION = later("vision")
    EMBEDDING = later("embedding")
    SMALL = later("small")


class Text(Struct, frozen=True, forbid_unknown_fields=True):
    value: str
    source: str


class Number(Struct, frozen=True, forbid_unknown_fields=True):
    value: int
    source: str


class Attention(Struct, frozen=True, forbid_unknown_fields=True):
    """The dimensions of a model's KV cache.

    Attributes:
        kv_heads: heads of a layer that have keys and values of their own.
        key, value: elements of one key and of one value.
        window_layers: layers that keep the last ``window`` tokens only.
        encoder: the model reads a text at once, and has no KV cache.
    """

    source: str
    layers: int = 0
    kv_heads: int = 0
    key: int = 0
    value: int = 0
    window: int = 0
    window_layers: int = 0
    encoder: bool = False


class File(Struct, frozen=True, forbid_unknown_fields=True):
    """One variant.

    Attributes:
        bytes: of the download; if ``rounded``, known to two digits only.
        quantization: "Q4_K_M", "F16", …; None if not known.
    """

    tag: str
    bytes: int
    source: str
    quantization: str | None = None
    rounded: bool = False


class PublishedSpeed(Struct, frozen=True, forbid_unknown_fields=True):
    """A decode speed that somebody measured and published."""

    card: str
    tokens_per_second: float
    source: str
    quantization: str | None = None


class Entry(Struct, frozen=True, forbid_unknown_fields=True):
    """A model.

    Attributes:
        name: the name to pull, with or without a tag.
        good_for: a phrase in plain words.
        priority: 1 is recommended first.
        parameters: "7B", "0.5B", "137M".
        context: the longest context, in tokens, that it was trained for.
        files: the variants; the first is the one that ``name`` pulls.
    """

    name: str
    family: str
    uses: tuple[Use, ...]
    good_for: str
    priority: int
    parameters: Text
    context: Number
    files: tuple[File, ...]
    license: Text | None = None
    attention: Attention | None = None
    speeds: tuple[PublishedSpeed, ...] = ()

    @property
    def file(self) -> File:
        return self.files[0]

    def name_to_pull(self, file: File) -> str:
        """The name to pull for one of the variants: the first one goes by the entry's name alone."""
        return self.name if file is self.file else self.name_of(file)

    def name_of(self, file: File) -> str:
        """The name of one of the variants, with its own tag."""
        return replace(ModelName.parse(self.name), tag=file.tag).short


class Catalog(Struct, frozen=True, forbid_unknown_fields=True):
    """All entries, and the sources: the address of a page by the short name that entries use."""

    sources: dict[str, str]
    entries: tuple[Entry, ...] = field(name="model")

    def page(self, source: str) -> str:
        """A source as it is shown: the address of a page, or how the figure was computed."""
        name, mark, number = source.partition("#")
        return self.sources[name] + mark + number if name in self.sources else source


class Offer(Struct, frozen=True, kw_only=True):
    """What a registry has under a name. ``download`` is the bytes of all layers."""

    name: str
    digest: str
    download: int
    pushed_at: datetime | None = None
