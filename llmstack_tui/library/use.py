"""What a folder of models holds, and what a reading of it has found, as frozen values. Sizes are in bytes."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct, field

from llmstack_tui.base.languages import later

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from llmstack_tui.base.sentences import Sentence, Sentences


class LeftoverKind(StrEnum):
    ORPHAN = later("orphan")  # a whole blob that no manifest names
    PARTIAL = later("partial")  # a download, a copy or a text that was not finished


class ModelUse(Struct, frozen=True):
    """The disk space that a model takes.

    Attributes:
        size: bytes of its blobs in the folder, each counted once.
        shared: the part of ``size`` that other models use, too: of this folder, or by a hard link of another.
        missing: how many of its blobs are not in the folder.
        changed: how many are not as they were when they were verified.
        fault: why the model cannot be used; empty if it can.
        digest: sha256 of its manifest's file, without a prefix.
        readable: whether the manifest names its blobs; else it may name any.
        blobs: the size of each blob that is there; ``linked`` are those whose bytes stay, as their files
            have another name somewhere.
    """

    name: str
    size: int
    shared: int
    missing: int
    changed: int = 0
    fault: Sentences = ()
    digest: str = ""
    readable: bool = True
    blobs: Mapping[str, int] = field(default_factory=dict)
    linked: frozenset[str] = frozenset()


class Leftover(Struct, frozen=True):
    """A file that no manifest names.

    Attributes:
        size: bytes on the disk; the file of a partial download may be longer.
        changed_s: when it changed last, in Unix seconds.
        kept: why a clean-up keeps it; None if it may be removed.
    """

    path: Path
    kind: LeftoverKind
    size: int
    changed_s: float
    kept: Sentence | None


class FolderUse(Struct, frozen=True):
    """The contents of a models folder.

    Attributes:
        own: whether it is the engine's; other folders are only read.
        unreadable: manifests that cannot be read, which may name any blob, and other files among them.
        size: bytes of all blobs and leftovers.
    """

    path: Path
    own: bool
    models: tuple[ModelUse, ...]
    leftovers: tuple[Leftover, ...]
    unreadable: tuple[Path, ...]
    size: int

    def freed(self, names: Collection[str]) -> int:
        """Bytes that become free when these models are removed together.

        That is 0 as long as another manifest cannot be read: it may name any blob, so that all of them stay.
        """
        if self.keeps_blobs(names):
            return 0
        kept = {blob for model in self.models if model.name not in names for blob in model.blobs}
        gone = dict[str, int]()
        for model in self.models:
            if model.name in names:
                gone |= {blob: size for blob, size in model.blobs.items() if blob not in model.linked}
        return sum(size for blob, size in gone.items() if blob not in kept)

    def keeps_blobs(self, names: Collection[str]) -> bool:
        """Whether another manifest than those of these models cannot be read, so that no blob is removed."""
        strays = len(self.unreadable) - sum(not model.readable for model in self.models)
        return strays > 0 or not all(model.readable or model.name in names for model in self.models)

    def sharers(self, name: str) -> tuple[str, ...]:
        """The models that have the same weights: the largest blob."""
        blobs = next((model.blobs for model in self.models if model.name == name), {})
        weights = max(blobs, key=lambda blob: blobs[blob], default="")
        return tuple(model.name for model in self.models if model.name != name and weights in model.blobs)

    @property
    def removable(self) -> tuple[Leftover, ...]:
        """The files that a clean-up would remove."""
        return tuple(leftover for leftover in self.leftovers if leftover.kept is None)


class DamagedFile(Struct, frozen=True, kw_only=True):
    """A file that is not what it should be, or not there.

    Attributes:
        models: the names of those that need it.
        why: what is wrong with it.
        repair: what to do.
    """

    path: Path
    models: tuple[str, ...]
    why: Sentences
    repair: Sentences


class FolderVerification(Struct, frozen=True, kw_only=True):
    """What a reading of all blobs of a folder has found.

    Attributes:
        own: whether it is the engine's folder.
        files, size: how many blobs were read, and their bytes.
    """

    path: Path
    own: bool
    files: int
    size: int
    damaged: tuple[DamagedFile, ...]
