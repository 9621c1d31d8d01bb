"""Why the engine cannot run on a machine, and cards that its build does not use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from llmstack_tui.engine.process.requirements import card_makers, card_notice, missing_reason, reason_from

if TYPE_CHECKING:
    from pathlib import Path


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


def with_card(root: Path, number: int, vendor: str) -> None:
    folder = root / f"sys/class/drm/card{number}/device"
    folder.mkdir(parents=True)
    (folder / "vendor").write_text(f"{vendor}\n")


def test_no_card(tmp_path: Path) -> None:
    assert card_makers(tmp_path) == ()


def test_cards_by_their_vendor(tmp_path: Path) -> None:
    with_card(tmp_path, 0, "0x1a03")
    assert card_makers(tmp_path) == ()
    with_card(tmp_path, 1, "0x1002")
    with_card(tmp_path, 2, "0x10de")
    assert card_makers(tmp_path) == ("AMD", "NVIDIA")


def test_a_driver_of_nvidia_in_a_container_without_drm(tmp_path: Path) -> None:
    (tmp_path / "proc/driver/nvidia/gpus/0000:01:00.0").mkdir(parents=True)
    assert card_makers(tmp_path) == ("NVIDIA",)


def test_the_owner_of_an_idle_card_is_told_how_to_use_it() -> None:
    assert card_notice((), uses_cards=False) is None
    assert card_notice(("NVIDIA",), uses_cards=True) is None
    text = card_notice(("NVIDIA",), uses_cards=False) or ""
    assert "NVIDIA" in text
    assert "on the CPU" in text
    assert "Ollama" in text
