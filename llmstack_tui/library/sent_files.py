"""The files that a client names for a new model: blobs that it sent before, and what each of them is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.sentences import said
from llmstack_tui.gguf.checks import check_loadable, needs_ollama
from llmstack_tui.gguf.header import Header, read_header
from llmstack_tui.gguf.others import adapter_fault, is_projector
from llmstack_tui.gguf.source import InvalidGGUF
from llmstack_tui.library.errors import LibraryError
from llmstack_tui.library.manifest import Layer, MediaType

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

# Weights that are no GGUF, by the ends of their files' names; and what lies beside the weights of a folder.
_OTHER_WEIGHTS = (".safetensors", ".bin", ".pth", ".pt")
_BESIDE = (".json", ".model", ".txt", ".md", ".jinja")
_MOST_FILES = 100
_NOT_GGUF = ("gguf.is_", "gguf.other_format", "gguf.empty")


class SentFile(Struct, frozen=True, kw_only=True):
    """A blob that becomes a part of a model.

    Attributes:
        name: the client's name of the file.
        path: where the blob is, in any models folder.
    """

    name: str
    path: Path
    layer: Layer
    header: Header

    @property
    def is_model(self) -> bool:
        return self.layer.media_type == MediaType.MODEL

    @property
    def models(self) -> Path:
        """The models folder that the blob is in."""
        return self.path.parent.parent


class SentFileError(LibraryError):
    """A client named files of which no model can be made."""


def model_files(find: Callable[[str], Path | None], files: Mapping[str, str]) -> tuple[SentFile, ...]:
    """The parts of a model, its weights first.

    Args:
        find: the path of the blob with a digest.
        files: digests by the names of files.

    Raises:
        SentFileError: of the kind that says why no model can be made of them.
        InvalidManifest: a digest is malformed.
    """
    if other := next((name for name in files if name.lower().endswith(".safetensors")), None):
        raise SentFileError("library.safetensors", source=other)
    # A folder of a model has some texts beside it.
    names = [name for name in files if not name.lower().endswith(_BESIDE)]
    if not names:
        raise SentFileError("library.unknown_type")
    if len(names) > _MOST_FILES:
        raise SentFileError("library.many_files", count=len(names))
    found = sorted((_source(find, name, files[name]) for name in names), key=lambda each: not each.is_model)
    models = [each.name for each in found if each.is_model]
    if len(models) > 1:
        raise SentFileError("library.many_models", sources=tuple(models), count=len(models))
    weights = found[0]
    if fault := check_loadable(weights.header) or needs_ollama(weights.header):
        raise SentFileError("library.not_loadable", source=weights.name, why=(fault,))
    _check_adapters(found, weights.header)
    return tuple(found)


def adapter_files(
    find: Callable[[str], Path | None], files: Mapping[str, str], base: Header | None
) -> tuple[SentFile, ...]:
    """The adapter for a model with the header ``base``; none without ``files``. Raises as `model_files`.

    Without ``base``, it is not known yet for what.
    """
    if other := next((name for name in files if name.lower().endswith(_OTHER_WEIGHTS)), None):
        raise SentFileError("library.safetensors", source=other)
    if len(files) > 1:
        raise SentFileError("library.many_adapters")
    found = [_source(find, name, digest, MediaType.ADAPTER) for name, digest in files.items()]
    _check_adapters(found, base)
    return tuple(found)


def _check_adapters(sources: list[SentFile], base: Header | None) -> None:
    for each in sources:
        if base is None or each.layer.media_type != MediaType.ADAPTER:
            continue
        if fault := adapter_fault(each.header, base):
            raise SentFileError("library.not_loadable", source=each.name, why=(fault,))


def _source(
    find: Callable[[str], Path | None], name: str, digest: str, media_type: str | None = None
) -> SentFile:
    path = find(digest)
    if path is None:
        raise SentFileError("library.no_blob", digest=digest)
    try:
        header = read_header(path, tokens=True)
    except InvalidGGUF as error:
        if name.lower().endswith(_OTHER_WEIGHTS):
            raise SentFileError("library.safetensors", source=name) from None
        kind = "library.not_gguf" if error.kind.startswith(_NOT_GGUF) else "library.not_loadable"
        raise SentFileError(kind, source=name, why=said(error.of(name))) from None
    layer = Layer(
        media_type=media_type or _media_type(header),
        digest=path.name.replace("-", ":"),
        size=header.file_size,
    )
    return SentFile(name=name, path=path, layer=layer, header=header)


def _media_type(header: Header) -> str:
    if header.text("general.type") == "adapter":
        return MediaType.ADAPTER
    return MediaType.PROJECTOR if is_projector(header) else MediaType.MODEL
