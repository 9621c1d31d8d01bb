"""Whether the built-in engine can run here and use the graphics card. Imports nothing else of the engine."""

from __future__ import annotations

import mmap
import platform
from importlib.util import find_spec
from pathlib import Path

from llmstack_tui.base.languages import later, tr

_MODULES = ("xllamacpp", "starlette", "uvicorn", "httptools", "aiohttp")
_BUILT_FOR = {"Linux": ("x86_64", "aarch64"), "Darwin": ("arm64", "x86_64"), "Windows": ("AMD64",)}
# PCI vendor ids, as /sys/class/drm/card*/device/vendor has them.
_MAKERS = {"0x10de": "NVIDIA", "0x1002": "AMD"}
_BUILDS = "https://github.com/xorbitsai/xllamacpp#installation"
# Only builds for graphics cards contain these names: the libraries of CUDA and ROCm, a function of Vulkan.
_CARD_MARKERS = (b"cudart", b"amdhip", b"vkCreateInstance")
_INSTEAD = later("Use Ollama instead: https://ollama.com/download")


def missing_reason() -> str | None:
    """Why the engine cannot run, in a sentence that says what to do; None when it can."""
    return reason_from(
        system=platform.system(),
        machine=platform.machine(),
        missing=tuple(name for name in _MODULES if find_spec(name) is None),
        flags=_cpu_flags(Path("/proc/cpuinfo")),
    )


def reason_from(
    *, system: str, machine: str, missing: tuple[str, ...], flags: frozenset[str] | None
) -> str | None:
    """As `missing_reason`, given the modules that are not installed and the processor's flags, if known."""
    if "xllamacpp" in missing and machine not in _BUILT_FOR.get(system, ()):
        said = tr(
            "The built-in engine has no build for {system} on {machine}.", system=system, machine=machine
        )
        return f"{said} {tr(_INSTEAD)}"
    if missing:
        return tr("The built-in engine is not installed. Install it with: pip install 'llmstack-tui[engine]'")
    if (system, machine) == ("Linux", "x86_64") and flags is not None and "avx2" not in flags:
        said = tr("This processor has no AVX2, which the built-in engine's build needs.")
        return f"{said} {tr(_INSTEAD)}"
    return None


def _cpu_flags(file: Path) -> frozenset[str] | None:
    try:
        text = file.read_text(errors="replace")
    except OSError:
        return None
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "flags":
            return frozenset(value.split())
    return None


def card_makers(root: Path = Path("/")) -> tuple[str, ...]:
    """The makers of this machine's graphics cards for which llama.cpp has builds. Empty except on Linux."""
    found = {"NVIDIA"} if any((root / "proc/driver/nvidia/gpus").glob("*")) else set[str]()
    for file in (root / "sys/class/drm").glob("card*/device/vendor"):
        try:
            maker = _MAKERS.get(file.read_text().strip())
        except OSError:
            continue
        if maker:
            found.add(maker)
    return tuple(sorted(found))


def card_notice(makers: tuple[str, ...], *, uses_cards: bool) -> str | None:
    """A sentence for the owner of a card that this build does not use; None if there is nothing to say."""
    if not makers or uses_cards:
        return None
    return (
        f"This machine has a graphics card of {' and '.join(makers)}, and this build of the engine computes "
        "on the CPU. To use the card, run Ollama (https://ollama.com/download), or install the engine's "
        f"build for it: {_BUILDS}"
    )


def idle_card_makers(root: Path = Path("/")) -> tuple[str, ...]:
    """`card_makers`, if this build cannot use their cards. If there is one, reads the library (100 MB)."""
    makers = card_makers(root)
    return () if makers and _built_for_cards() else makers


def idle_card_notice() -> str | None:
    """`card_notice` for this machine."""
    return card_notice(idle_card_makers(), uses_cards=False)


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
        return any(content.find(marker) >= 0 for marker in _CARD_MARKERS)
