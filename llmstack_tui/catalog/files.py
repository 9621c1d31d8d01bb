"""The variants of a model by the names of the files in a repository. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from llmstack_tui.catalog.types import File

if TYPE_CHECKING:
    from collections.abc import Iterable

_SUFFIX = ".gguf"
# "…-00001-of-00003.gguf", as llama.cpp's tool for it names the parts.
_PART = re.compile(r"(.+)-(\d{5})-of-(\d{5})")
_QUANTIZATION = re.compile(
    r"(?:^|[-._])((?:UD-)?(?:I?Q\d\w*|TQ\d_\d|BF16|F16|F32|FP16|MXFP4\w*))$", re.IGNORECASE
)
# A tag is part of a model's name, which leaves no room for other characters.
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}")
_NO_MODEL = ("mmproj", "imatrix")
_USUAL = "Q4_K_M"


def files_of(listed: Iterable[tuple[str, int | None]], source: str) -> tuple[File, ...]:
    """The variants, the usual quantization first, the others from the smallest on.

    The tag of one is its quantization, or the name of its file where two have the same. The parts of a split
    file count as one, of their size together, if all are there.

    Args:
        listed: the paths of the files and their bytes; None is not known.
        source: where that is said.
    """
    parts: dict[tuple[PurePosixPath, int], list[int]] = defaultdict(list)
    for path, size in listed:
        name = PurePosixPath(path)
        if name.suffix.lower() != _SUFFIX or name.name.lower().startswith(_NO_MODEL) or not size or size < 0:
            continue
        split = _PART.fullmatch(name.stem)
        whole, count = (name.with_name(split[1] + _SUFFIX), int(split[3])) if split else (name, 1)
        parts[whole, count].append(size)
    files: dict[str, File] = {}
    for (whole, count), sizes in sorted(
        parts.items(), key=lambda each: (len(each[0][0].parts), sum(each[1]))
    ):
        found = _QUANTIZATION.search(whole.stem)
        tag = found[1] if found and found[1].upper() not in map(str.upper, files) else whole.name
        if len(sizes) == count and _TAG.fullmatch(tag):
            quantization = found[1].upper() if found else None
            files[tag] = File(tag, sum(sizes), source, quantization=quantization, parts=count)
    return tuple(
        sorted(files.values(), key=lambda file: (file.parts > 1, file.tag.upper() != _USUAL, file.bytes))
    )
