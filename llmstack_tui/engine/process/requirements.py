"""Whether the built-in engine can run here, told without importing any of it."""

from __future__ import annotations

import platform
from importlib.util import find_spec
from pathlib import Path

_MODULES = ("xllamacpp", "starlette", "uvicorn", "aiohttp")
_BUILT_FOR = frozenset(
    {
        ("Linux", "x86_64"),
        ("Linux", "aarch64"),
        ("Darwin", "arm64"),
        ("Darwin", "x86_64"),
        ("Windows", "AMD64"),
    }
)
_INSTEAD = "Use Ollama instead: https://ollama.com/download"


def missing_reason() -> str | None:
    """Why the engine cannot run, in a sentence that says what to do; None when it can."""
    return reason(
        system=platform.system(),
        machine=platform.machine(),
        missing=tuple(name for name in _MODULES if find_spec(name) is None),
        flags=_cpu_flags(Path("/proc/cpuinfo")),
    )


def reason(
    *, system: str, machine: str, missing: tuple[str, ...], flags: frozenset[str] | None
) -> str | None:
    """The same from facts: the modules that are not there, and the processor's flags where they are known."""
    if "xllamacpp" in missing and (system, machine) not in _BUILT_FOR:
        return f"The built-in engine has no build for {system} on {machine}. {_INSTEAD}"
    if missing:
        return "The built-in engine is not installed. Install it with: pip install 'llmstack-tui[engine]'"
    if (system, machine) == ("Linux", "x86_64") and flags is not None and "avx2" not in flags:
        return f"This processor has no AVX2, which the built-in engine's build needs. {_INSTEAD}"
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
