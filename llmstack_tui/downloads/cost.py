"""What a pull will download, and whether the disk has room for it; worked out before it begins."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.address import is_loopback
from llmstack_tui.base.kinds import HostKind
from llmstack_tui.base.names import InvalidName, ModelName
from llmstack_tui.base.sentences import QUOTED, said
from llmstack_tui.base.structs import replace
from llmstack_tui.downloads.failures import NoRoom, PullRefused
from llmstack_tui.downloads.types import LayerProgress
from llmstack_tui.library.folders import blob_path, blobs_in, read_manifest
from llmstack_tui.library.installed import check_parts
from llmstack_tui.library.manifest import InvalidManifest, bare_digest
from llmstack_tui.registry.client import Registry
from llmstack_tui.registry.errors import BadManifest, RegistryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from llmstack_tui.downloads.types import Download
    from llmstack_tui.hosts.host import Host
    from llmstack_tui.hosts.types import Model
    from llmstack_tui.library.manifest import Layer

# Bytes that must stay free on the disk.
RESERVE = 10**9
_PATIENCE_S = 20.0
_PROOFS = 20
# The unit of ``st_blocks``, whatever the block size of the disk.
_BLOCK = 512


class DownloadCost(Struct, frozen=True, kw_only=True):
    """What is known in advance of a pull; None is unknown.

    Attributes:
        digest: of the registry's version, hexadecimal.
        layers: of that version; those on the disk are complete.
        need: bytes of disk space that the pull will take.
        free: bytes free on the disk of ``folder``.
        folder: the server's folder of models.
    """

    digest: str | None = None
    layers: tuple[LayerProgress, ...] = ()
    need: int = 0
    free: int | None = None
    folder: Path | None = None

    def check_room(self, download: Download, claimed: int) -> None:
        """Raise `NoRoom` if the disk is too small; other pulls will still take ``claimed`` bytes of it."""
        if self.free is None or not self.need or self.need + claimed + RESERVE <= self.free:
            return
        raise NoRoom(
            "download.no_room",
            model=download.model,
            need=self.need,
            folder=str(self.folder),
            free=self.free,
            reserve=RESERVE,
            host=download.host,
            hint="download.make_room",
        )


class Costs:
    """Works out costs from registries and, for servers on this machine, the disk. For one event loop.

    Args:
        folders: finds the folders of models on this machine, the built-in engine's own first. Blocking.
    """

    def __init__(self, folders: Callable[[], Sequence[Path]]) -> None:
        self._folders = folders
        self._registry = Registry()

    async def aclose(self) -> None:
        await self._registry.aclose()

    async def of(self, host: Host, name: str, installed: Sequence[Model]) -> DownloadCost:
        """The cost of pulling ``name``.

        Args:
            installed: the models that the host lists.

        Raises:
            PullRefused: the registry has no usable model of this name.
            HostError: the host does not answer.
        """
        kind = (await host.version()).kind
        try:
            async with asyncio.timeout(_PATIENCE_S):
                fetched = await self._registry.manifest(ModelName.parse(name))
        except RegistryError as error:
            # Another machine may reach the registry in another way, and Ollama may have an account there.
            final = error.of_one_model and kind is HostKind.BUILTIN and is_loopback(host.url)
            if final or isinstance(error, BadManifest):
                raise PullRefused(QUOTED, text=said(error), host=host.url) from None
            return DownloadCost()
        except TimeoutError:
            return DownloadCost()
        if fetched is None:
            return DownloadCost()
        if kind is HostKind.BUILTIN:
            try:
                check_parts(fetched.manifest)
            except InvalidManifest as error:
                why = said(error)
                raise PullRefused("registry.useless_here", model=name, why=why, host=host.url) from None
        layers = tuple({layer.digest: layer for layer in fetched.manifest.blobs}.values())
        cost = DownloadCost(digest=fetched.manifest.digest, layers=_shown(layers, frozenset()))
        if not is_loopback(host.url):
            return cost
        return await asyncio.to_thread(self._on_disk, cost, kind, layers, installed)

    def _on_disk(
        self, cost: DownloadCost, kind: HostKind, layers: Sequence[Layer], installed: Sequence[Model]
    ) -> DownloadCost:
        folders = self._folders()
        # The engine writes only to its own folder, and Ollama never to that.
        places = folders[:1] if kind is HostKind.BUILTIN else folders[1:]
        folder = next((place for place in places if _holds(place, installed)), None)
        if folder is None:
            return cost
        there = blobs_in(folder, layers)
        missing = [layer for layer in layers if bare_digest(layer.digest) not in there]
        free: int | None = None
        with suppress(OSError):
            free = shutil.disk_usage(folder).free
        return replace(
            cost,
            layers=_shown(layers, there),
            need=sum(max(layer.size - _partial_bytes(folder, layer.digest), 0) for layer in missing),
            free=free,
            folder=folder,
        )


def _holds(folder: Path, installed: Sequence[Model]) -> bool:
    """Whether a folder has a model of this list. If not, the loopback address may be a tunnel elsewhere."""
    for model in installed[:_PROOFS]:
        with suppress(InvalidName):
            if (
                model.digest
                and read_manifest((folder,), ModelName.parse(model.name), model.digest) is not None
            ):
                return True
    return False


def _shown(layers: Iterable[Layer], there: frozenset[str]) -> tuple[LayerProgress, ...]:
    return tuple(
        LayerProgress(layer.digest, layer.size if bare_digest(layer.digest) in there else 0, layer.size)
        for layer in layers
    )


def _partial_bytes(folder: Path, digest: str) -> int:
    """Bytes that an unfinished download takes on the disk; its file may have holes."""
    with suppress(OSError, AttributeError, InvalidManifest):
        blob = blob_path(folder, digest)
        return blob.with_name(f"{blob.name}-partial").stat().st_blocks * _BLOCK
    return 0
