"""The entries of the catalog. Every figure names its source."""

from __future__ import annotations

from datetime import date, datetime  # noqa: TC003  (msgspec reads the annotation)
from enum import StrEnum

from msgspec import Struct, field

from llmstack_tui.base.languages import later
from llmstack_tui.base.names import ModelName
from llmstack_tui.base.structs import replace
from llmstack_tui.base.units import UNKNOWN


class Use(StrEnum):
    """What a model is good for."""

    GENERAL = later("general")
    CODE = later("code")
    REASONING = later("reasoning")
    VISION = later("vision")
    EMBEDDING = later("embedding")
    SMALL = later("small")


class EntryKind(StrEnum):
    """Where a model of the catalog runs."""

    LOCAL = later("local")
    CLOUD = later("cloud")
    BOTH = later("both")

    def has(self, other: EntryKind) -> bool:
        """Whether this kind is the other one, or has it beside another."""
        return self is other or (self is EntryKind.BOTH and other is not EntryKind.BOTH)


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
        parts: files that it is split into. hf.co gives none that is split to Ollama or to our engine
            (https://github.com/huggingface/hub-docs/issues/2702).
    """

    tag: str
    bytes: int
    source: str
    quantization: str | None = None
    rounded: bool = False
    parts: int = 1


class PublishedSpeed(Struct, frozen=True, forbid_unknown_fields=True):
    """A decode speed that somebody measured and published."""

    card: str
    tokens_per_second: float
    source: str
    quantization: str | None = None


class Quality(Struct, frozen=True, forbid_unknown_fields=True):
    """What a model reached in a benchmark, in percent."""

    benchmark: str
    value: float
    source: str


class Entry(Struct, frozen=True, forbid_unknown_fields=True):
    """A model.

    Attributes:
        name: the name to pull, with or without a tag.
        good_for: a phrase in plain words.
        priority: 1 is recommended first.
        parameters: "7B", "0.5B", "137M", "1.6T".
        context: the longest context, in tokens, that it was trained for.
        files: the variants; the first is the one that ``name`` pulls. None: it runs in the cloud only.
        cloud: the tag under which Ollama runs it in its cloud.
        architecture: as the GGUF files in Ollama's registry name it.
    """

    name: str
    family: str
    uses: tuple[Use, ...]
    good_for: str
    priority: int
    context: Number | None = None
    parameters: Text | None = None
    files: tuple[File, ...] = ()
    cloud: Text | None = None
    architecture: Text | None = None
    license: Text | None = None
    attention: Attention | None = None
    speeds: tuple[PublishedSpeed, ...] = ()
    qualities: tuple[Quality, ...] = ()

    @property
    def size(self) -> str:
        """Its parameters as they are shown."""
        return self.parameters.value if self.parameters else UNKNOWN

    @property
    def most_tokens(self) -> int | None:
        return None if self.context is None else self.context.value

    def reads(self, tokens: int) -> bool:
        """Whether it can be loaded with so many tokens, as far as is known."""
        return self.context is None or self.context.value >= tokens

    @property
    def kind(self) -> EntryKind:
        if self.cloud is None:
            return EntryKind.LOCAL
        return EntryKind.BOTH if self.files else EntryKind.CLOUD

    @property
    def file(self) -> File | None:
        """The variant that ``name`` pulls; None for a model that runs in the cloud only."""
        return next(iter(self.files), None)

    @property
    def cloud_name(self) -> str | None:
        """The name under which Ollama runs it in its cloud."""
        return None if self.cloud is None else self._with(self.cloud.value)

    def name_to_pull(self, file: File) -> str:
        """The name to pull for one of the variants: the first one goes by the entry's name alone."""
        return self.name if file is self.file else self.name_of(file)

    def name_of(self, file: File) -> str:
        """The name of one of the variants, with its own tag."""
        return self._with(file.tag)

    @property
    def names(self) -> tuple[str, ...]:
        """All names that it can be pulled by."""
        tags = [file.tag for file in self.files] + ([self.cloud.value] if self.cloud else [])
        return tuple(dict.fromkeys((self.name, *map(self._with, tags))))

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources of all its figures, each once."""
        known = (self.parameters, self.license, self.context, self.attention, self.cloud, self.architecture)
        figures = (*known, *self.files, *self.speeds, *self.qualities)
        return tuple(dict.fromkeys(figure.source for figure in figures if figure is not None))

    def _with(self, tag: str) -> str:
        return replace(ModelName.parse(self.name), tag=tag).short


class Catalog(Struct, frozen=True, forbid_unknown_fields=True):
    """All entries, and the sources: the address of a page by the short name that entries use.

    Attributes:
        tags_as_of: the day of the list of Ollama's tags that the entries follow.
    """

    tags_as_of: date
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


class Repository(Struct, frozen=True, kw_only=True):
    """A repository of GGUF files, as a list has it. None is not known.

    Attributes:
        is_gated: its terms have to be agreed to on its page, so that nobody can pull it from here.
        parameters: of the model.
        context_length: tokens that the model was trained for.
    """

    id: str
    is_gated: bool = False
    downloads: int | None = None
    changed_at: datetime | None = None
    architecture: str = ""
    parameters: int | None = None
    context_length: int | None = None


class Repositories(Struct, frozen=True):
    """What a search found, the most downloaded first.

    Attributes:
        are_more: there are more than these.
    """

    found: tuple[Repository, ...]
    are_more: bool
