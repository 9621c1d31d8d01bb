"""Cards that this build does not use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.engine.process.requirements import card_makers, card_notice

if TYPE_CHECKING:
    from pathlib import Path


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
