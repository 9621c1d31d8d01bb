"""The files by which Linux tells of a card on the PCI bus, in a folder of a test."""

from __future__ import annotations

from pathlib import Path

SLOT = "0000:01:00.0"


def machine_with_card(
    root: Path, *, slot: str = SLOT, vendor: str = "0x10de", status: str = "active", driver: str = "nvidia"
) -> Path:
    """Make a card in ``root``, and the sign of NVIDIA's driver; returns ``root``."""
    (root / "proc/driver/nvidia").mkdir(parents=True, exist_ok=True)
    folder = root / "sys/bus/pci/devices" / slot
    (folder / "power").mkdir(parents=True)
    (folder / "vendor").write_text(f"{vendor}\n")
    (folder / "class").write_text("0x030000\n")
    if driver:
        (folder / "driver").symlink_to(Path("../../drivers") / driver)
    suspend(root, slot=slot, status=status)
    return root


def suspend(root: Path, *, slot: str = SLOT, status: str = "suspended") -> None:
    (root / "sys/bus/pci/devices" / slot / "power/runtime_status").write_text(f"{status}\n")
