"""The search for GGUF files on Hugging Face, which is asked only when somebody wants it.

The requests are those of its public API (https://huggingface.co/docs/hub/api): ``/api/models`` lists
repositories, with the fields that ``expand[]`` names, and pages after the first by the ``Link`` header;
``/api/models/ID?blobs=true`` has the files of one with their sizes. What is found is pulled as
``hf.co/ID:QUANTIZATION`` (https://huggingface.co/docs/hub/ollama).
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime  # noqa: TC003  (msgspec reads the annotation)
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec
from msgspec import Struct, field

from llmstack_tui.base.names import DEFAULT_TAG, InvalidName, ModelName
from llmstack_tui.base.units import parameters_text
from llmstack_tui.catalog.files import files_of
from llmstack_tui.catalog.types import Entry, Number, Repositories, Repository, Text
from llmstack_tui.registry.answers import check, next_query
from llmstack_tui.registry.errors import BadRegistryAnswer, NotInRegistry

if TYPE_CHECKING:
    from llmstack_tui.registry.client import Registry

T = TypeVar("T")

HUB = "https://huggingface.co"
"""Where the search asks, unless the settings say otherwise."""

_PULLED_FROM = "hf.co"
_PAGE, _PAGES = 50, 2
# The header of a model comes with its chat template, of some 10 kB.
_MOST_BYTES = 8 * 2**20
_FIELDS = ("downloads", "gated", "gguf", "lastModified")


class _HubHeader(Struct):
    """What the hub read from the header of one of the files."""

    total: object = None
    architecture: object = None
    context_length: object = None


class _HubFile(Struct):
    rfilename: str = ""
    size: int | None = None


class _HubModel(Struct):
    id: str = ""
    downloads: object = None
    gated: object = False
    gguf: _HubHeader | None = None
    last_modified: datetime | None = field(default=None, name="lastModified")
    siblings: list[_HubFile] = []


class Hub:
    """A client of the hub at ``url``, over the connections of a registry's client."""

    def __init__(self, registry: Registry, url: str = HUB) -> None:
        self._registry = registry
        self._url = url.rstrip("/")
        self.host = urlsplit(self._url).netloc

    async def search(self, words: str) -> Repositories:
        """The repositories of GGUF files that have all ``words`` in their names, at most 100.

        Raises:
            RegistryError: the hub does not answer, or not as it should.
        """
        fields = [("expand[]", each) for each in _FIELDS]
        asked = [("search", words), ("filter", "gguf"), ("sort", "downloads"), ("limit", str(_PAGE)), *fields]
        found: dict[str, Repository] = {}
        query, following = f"?{urlencode(asked)}", ""
        for _ in range(_PAGES):
            models, following = await self._ask(f"/api/models{query}", list[_HubModel])
            found |= {model.id: _repository(model) for model in models if _name(model.id)}
            query = f"?{urlencode(asked)}&{following[1:]}"
            if not following or len(found) >= _PAGE * _PAGES:
                break
        shown = tuple(found.values())[: _PAGE * _PAGES]
        return Repositories(shown, bool(following) or len(shown) < len(found))

    async def entry(self, id_: str) -> Entry:
        """The GGUF files of a repository, as an entry of a catalog: each quantization is a file of it.

        Raises:
            RegistryError: as for `search`; or it is private, is not there, or has no file that can be pulled.
        """
        if not _name(id_):
            raise NotInRegistry("online.bad_id", host=self.host, model=id_)
        model, _ = await self._ask(f"/api/models/{quote(id_)}?blobs=true", _HubModel, model=id_)
        page = f"{self._url}/{quote(id_)}"
        files = files_of(((each.rfilename, each.size) for each in model.siblings), page)
        if not files:
            raise NotInRegistry("online.no_files", host=self.host, model=id_)
        known = _repository(model)
        return Entry(
            name=_name(id_, files[0].tag),
            family=id_,
            uses=(),
            good_for="",
            priority=1,
            parameters=Text(parameters_text(known.parameters), page) if known.parameters else None,
            context=Number(known.context_length, page) if known.context_length else None,
            architecture=Text(known.architecture, page) if known.architecture else None,
            files=files,
        )

    async def _ask(self, path: str, kind: type[T], *, model: str = "") -> tuple[T, str]:
        """An answer of the hub, and the query of the page that follows it."""
        reply = await self._registry.ask(f"{self._url}{path}", host=self.host, max_bytes=_MOST_BYTES)
        check(reply, host=self.host, model=model)
        if reply.truncated:
            raise BadRegistryAnswer("online.large", host=self.host, most=_MOST_BYTES)
        try:
            return msgspec.json.decode(reply.content, type=kind), next_query(reply, "cursor")
        except (ValueError, RecursionError):
            wrong = "online.no_answer" if model else "online.no_list"
            raise BadRegistryAnswer(wrong, host=self.host, model=model) from None


def _name(id_: str, tag: str = DEFAULT_TAG) -> str:
    """The name to pull a repository by; "" if it is none that can be pulled."""
    with suppress(InvalidName):
        return ModelName.parse(f"{_PULLED_FROM}/{id_}:{tag}").short if id_.count("/") == 1 else ""
    return ""


def _repository(model: _HubModel) -> Repository:
    header = model.gguf or _HubHeader()
    architecture = header.architecture if isinstance(header.architecture, str) else ""
    return Repository(
        id=model.id,
        is_gated=bool(model.gated),
        downloads=_whole(model.downloads),
        changed_at=model.last_modified,
        architecture=architecture[:40],
        parameters=_whole(header.total),
        context_length=_whole(header.context_length),
    )


def _whole(value: object) -> int | None:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value if is_number and 0 < value < 2**53 else None  # type: ignore[operator, return-value]
