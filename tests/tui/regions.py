"""The regions of a screen (header, panes, key bar), and what each was drawn as in every scene.

A file for each region: a change of one region changes one file. What looks alike in several scenes stands
there once. ``layout.txt`` is where the regions are.
"""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from llmstack_tui.tui.widgets.pane import Pane

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from textual.geometry import Region
    from textual.screen import Screen
    from textual.strip import Strip
    from textual.widget import Widget

FOLDER = Path(__file__).parent / "snapshots"
Drawn = dict[tuple[str, str], str]
"""What was drawn, by the region's name, and by scene and size as in "typical 80x24"."""

_HEAD = "§ "
_SHARED_NAMES = frozenset({None, "dialog", "frame"})


def regions(screen: Screen[object], lines: list[Strip], scene: str) -> dict[str, str]:
    """The text of each region of a screen that is drawn as ``lines``, by its name.

    A pane without a name has that of the scene, which is the same in each language.
    """
    scene = scene.partition(" in ")[0]
    found, places = dict[str, str](), []
    for part in _parts(screen):
        own = scene if isinstance(part, Pane) else type(part).__name__.lower()
        name = own if part.id is None or part.id in _SHARED_NAMES else part.id
        found[name] = "\n".join(_folded(_cut(lines, part.region)))
        places.append("{:16} {:3},{:2}  {}x{}".format(name, *part.region))
    return found | {"layout": "\n".join(places)}


def _parts(widget: Widget) -> Iterator[Widget]:
    """The panes, and what stands beside them."""
    for child in widget.children:
        if child.display and child.region.area:
            if isinstance(child, Pane) or not child.children:
                yield child
            else:
                yield from _parts(child)


def _cut(strips: list[Strip], region: Region) -> list[str]:
    return [strip.crop(region.x, region.right).text.rstrip() for strip in strips[region.y : region.bottom]]


def _folded(lines: list[str]) -> Iterator[str]:
    """Without the many empty rows of a tall pane."""
    for line, same in groupby(lines):
        rows = [*same]
        yield from rows if len(rows) < 4 else (line, f"⋮ {len(rows)} rows")


def read() -> Drawn:
    drawn: Drawn = {}
    for file in FOLDER.glob("*.txt"):
        for section in file.read_text().removeprefix(_HEAD).split(f"\n{_HEAD}"):
            heads, _, text = section.partition("\n")
            drawn |= {(file.stem, head.strip()): text.removesuffix("\n") for head in heads.split(",")}
    return drawn


def write(drawn: Mapping[tuple[str, str], str]) -> list[str]:
    """Write all anew; the names of the files that are other than before."""
    FOLDER.mkdir(exist_ok=True)
    texts: dict[str, dict[str, list[str]]] = {}
    for (region, head), text in drawn.items():
        texts.setdefault(region, {}).setdefault(text, []).append(head)
    files = {
        FOLDER / f"{region}.txt": "".join(
            f"{_HEAD}{', '.join(heads)}\n{text}\n" for text, heads in sections.items()
        )
        for region, sections in texts.items()
    }
    gone = {*FOLDER.glob("*.txt")} - files.keys()
    changed = [file for file, text in files.items() if not file.exists() or file.read_text() != text]
    for file in gone:
        file.unlink()
    for file in changed:
        file.write_text(files[file])
    return sorted(file.name for file in (*changed, *gone))
