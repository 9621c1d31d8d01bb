"""Says so when there is a graphics card that this build of llama.cpp does not use."""

from __future__ import annotations

import mmap
from importlib.util import find_spec
from pathlib import Path

# PCI vendor ids, as /sys/class/drm/card*/device/vendor has them.
_MAKERS = {"0x10de": "NVIDIA", "0x1002": "AMD"}
_BUILDS = "https://github.com/xorbitsai/xllamacpp#installation"
# Names that only a build for a card mentions: CUDA's and ROCm's libraries, and a function of Vulkan.
_TRACES = (b"cudart", b"amdhip", b"vkCreateInstance")


def cards(root: Path = Path("/")) -> tuple[str, ...]:
    """The makers of this machine's cards that llama.cpp has builds for; Linux only, and empty elsewhere."""
    found = {"NVIDIA"} if any((root / "proc/driver/nvidia/gpus").glob("*")) else set[str]()
    for file in (root / "sys/class/drm").glob("card*/device/vendor"):
        try:
            maker = _MAKERS.get(file.read_text().strip())
        except OSError:
            continue
        if maker:
            found.add(maker)
    return tuple(sorted(found))


def notice(makers: tuple[str, ...], *, uses_cards: bool) -> str | None:
    """What to tell the owner of a card that stands idle."""
    if not makers or uses_cards:
        return None
    return (
        f"This machine has a graphics card of {' and '.join(makers)}, and this build of the engine computes "
        "on the CPU. To use the card, run Ollama (https://ollama.com/download), or install the engine's "
        f"build for it: {_BUILDS}"
    )


def idle_card_notice() -> str | None:
    """`notice` for this machine. With a card, it reads the engine's library (100 MB): call it in a thread."""
    makers = cards()
    return notice(makers, uses_cards=_built_for_cards()) if makers else None


def _built_for_cards() -> bool:
    spec = find_spec("xllamacpp")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    for folder in folders:
        for file in Path(folder).glob("*"):
            if file.suffix in (".so", ".pyd") and _mentions(file):
                return True
    return False


def _mentions(file: Path) -> bool:
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return any(content.find(trace) >= 0 for trace in _TRACES)
