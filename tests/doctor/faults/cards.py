"""Graphics cards that cannot be used, are not used, or sleep."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pynvml

from tests.support.fake_nvml import FakeCard, FakeNvml
from tests.support.pci import machine_with_card, suspend
from tests.support.scripted_server import Reply, document, serving

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    import pytest

    from tests.doctor.checkups import Surroundings
    from tests.support.scripted_server import Request

GB = 10**9


def _has_card(here: Surroundings, patch: pytest.MonkeyPatch, driver: str = "nvidia") -> None:
    """A card of NVIDIA, and the library of its driver."""
    patch.setattr(pynvml, "nvmlLib", FakeNvml(FakeCard()))
    patch.setattr(pynvml, "_nvmlGetFunctionPointer_cache", {})
    here.root = machine_with_card(here.home / "root", driver=driver)


async def no_driver(here: Surroundings, patch: pytest.MonkeyPatch) -> AsyncGenerator[None, None]:
    _has_card(here, patch, driver="nouveau")
    yield
    file = here.root / "sys/bus/pci/devices/0000:01:00.0/driver"
    file.unlink()
    file.symlink_to(Path("../../drivers/nvidia"))
    yield


async def unused_card(here: Surroundings, patch: pytest.MonkeyPatch) -> AsyncGenerator[None, None]:
    _has_card(here, patch)
    loaded: dict[str, Any] = {"name": "a:1", "model": "a:1", "digest": "d", "size": 5 * GB, "size_vram": 0}

    async def answer(_: Request) -> Reply:
        return document({"version": "0.33.0", "models": [loaded]})

    async with serving(answer) as server:
        here.environ["OLLAMA_HOST"] = server.url
        yield
        loaded["size_vram"] = 5 * GB
        yield


async def sleeping_card(here: Surroundings, patch: pytest.MonkeyPatch) -> AsyncGenerator[None, None]:
    _has_card(here, patch)
    suspend(here.root)
    yield
    suspend(here.root, status="active")
    yield


async def closed_container(here: Surroundings, patch: pytest.MonkeyPatch) -> AsyncGenerator[None, None]:
    _has_card(here, patch, driver="")
    (here.root / ".dockerenv").touch()
    (here.root / "dev").mkdir()
    yield
    (here.root / "dev/nvidiactl").touch()
    yield


async def other_build(here: Surroundings, _: pytest.MonkeyPatch) -> AsyncGenerator[None, None]:
    here.root = here.home / "root"
    vendor = here.root / "sys/class/drm/card0/device/vendor"
    vendor.parent.mkdir(parents=True)
    vendor.write_text("0x1002\n")
    yield
    vendor.unlink()
    yield
