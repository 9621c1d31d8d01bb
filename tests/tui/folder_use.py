"""A folder of models on the disk, for pictures."""

from __future__ import annotations

from pathlib import Path

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.library.disk import DiskService
from llmstack_tui.library.use import FolderUse, Leftover, LeftoverKind, ModelUse

FOLDER = Path("/home/somebody/models")


def leftover(name: str, size: int, kept: Sentence | None = None) -> Leftover:
    kind = LeftoverKind.PARTIAL if "partial" in name else LeftoverKind.ORPHAN
    return Leftover(FOLDER / "blobs" / name, kind, size, 1.0, kept)


USE = FolderUse(
    path=FOLDER,
    own=True,
    models=(
        ModelUse("mistral:7b", 4_400_000_000, 0, 0, blobs={"m": 4_400_000_000}),
        ModelUse(
            "qwen2.5-coder:7b",
            4_700_000_000,
            4_600_000_000,
            1,
            blobs={"q": 4_600_000_000, "c": 100_000_000},
            linked=frozenset({"q"}),
        ),
    ),
    leftovers=(
        leftover("sha256-" + 60 * "a", 2_000_000_000),
        leftover("sha256-" + 60 * "b" + "-partial", 500_000_000),
        leftover("sha256-" + 60 * "c", 1000, Sentence("library.kept_young")),
    ),
    unreadable=(),
    size=11_600_000_000,
)


class SeededDisk(DiskService):
    """Always finds `USE`, whatever is on this machine."""

    def __init__(self) -> None:
        super().__init__(FOLDER)

    async def look(self) -> FolderUse:
        return USE
