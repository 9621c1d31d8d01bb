"""A machine that is not this one: some memory, and a card that is as hot as a test says."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from llmstack_tui.hardware.readings import Device, DeviceKind, MachineReading

if TYPE_CHECKING:
    from llmstack_tui.hardware.readings import Throttle

_GB = 10**9


class FakeMachine:
    """``throttles`` is what its card says of itself; without ``has_card`` there is none."""

    def __init__(self, *throttles: Throttle, has_card: bool = True) -> None:
        self.throttles = throttles
        self.has_card = has_card

    def read(self) -> MachineReading:
        ram = Device(kind=DeviceKind.RAM, id="ram", name="RAM", total=16 * _GB, used=_GB, free=15 * _GB)
        card = Device(
            kind=DeviceKind.NVIDIA,
            id="0",
            name="RTX 2070",
            total=8 * 2**30,
            temperature=91.0,
            throttles=self.throttles,
        )
        return MachineReading(taken_at=time.monotonic(), ram=ram, devices=(card,) * self.has_card)

    def close(self) -> None:
        """Nothing is open."""
