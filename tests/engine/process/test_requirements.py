"""Why the engine cannot run on a machine."""

from __future__ import annotations

import pytest

from llmstack_tui.engine.process.requirements import missing_reason, reason_from


def test_it_can_run_here() -> None:
    assert missing_reason() is None


@pytest.mark.parametrize(
    ("system", "machine", "missing", "flags", "expected"),
    [
        ("Linux", "x86_64", (), {"avx", "avx2"}, None),
        ("Linux", "x86_64", (), None, None),
        ("Linux", "x86_64", (), {"avx"}, "no AVX2"),
        ("Linux", "aarch64", (), {"neon"}, None),
        ("Darwin", "arm64", (), None, None),
        ("Linux", "x86_64", ("xllamacpp",), {"avx2"}, "pip install 'llmstack-tui[engine]'"),
        ("Linux", "x86_64", ("starlette", "uvicorn"), {"avx2"}, "pip install 'llmstack-tui[engine]'"),
        ("Windows", "ARM64", ("xllamacpp",), None, "no build for Windows on ARM64"),
        ("Linux", "riscv64", ("xllamacpp",), None, "no build for Linux on riscv64"),
        # Built from source by its user.
        ("Linux", "riscv64", (), None, None),
    ],
)
def test_reasons(
    system: str, machine: str, missing: tuple[str, ...], flags: set[str] | None, expected: str | None
) -> None:
    found = reason_from(
        system=system,
        machine=machine,
        missing=missing,
        flags=None if flags is None else frozenset(flags),
    )
    assert (found is None) if expected is None else (found is not None and expected in found)
